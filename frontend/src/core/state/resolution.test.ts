import { describe, expect, it } from "vitest";
import { EDGE_M, metresPerPixel, resolutionFor } from "./resolution";

/** A screen of 1920 x 1080 pixels over a city of 600 km2. */
const toronto = (zoom: number) => {
  const viewKm2 = (1920 * 1080 * metresPerPixel(zoom, 43.7) ** 2) / 1e6;
  return { zoom, lat: 43.7, cityKm2: Math.min(600, viewKm2) };
};

describe("the resolution", () => {
  it("knows the ground size of a pixel", () => {
    expect(metresPerPixel(0, 0)).toBeCloseTo(78_271.5, 1);
    expect(metresPerPixel(10, 60)).toBeCloseTo(38.2, 1);
  });

  it("grows finer with the zoom, from 6 to 10", () => {
    const seen = Array.from({ length: 61 }, (_, i) => resolutionFor(toronto(5 + i / 5)));
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    expect(new Set(seen)).toEqual(new Set([6, 7, 8, 9, 10]));
  });

  it("keeps the edge of a cell between 4.9 and 13 pixels while it has a choice", () => {
    for (let zoom = 7; zoom <= 11.5; zoom += 0.1) {
      const edgePx = (EDGE_M[resolutionFor(toronto(zoom))] as number) / metresPerPixel(zoom, 43.7);
      expect(edgePx).toBeGreaterThan(4.9);
      expect(edgePx).toBeLessThan(13.1);
    }
  });

  it("is coarser where a view would hold more than 30 000 cells", () => {
    expect(resolutionFor(toronto(10.5))).toBe(9);
    expect(resolutionFor({ ...toronto(10.5), cityKm2: 4000 })).toBe(8);
  });

  it("never exceeds what the audience may see", () => {
    expect(resolutionFor(toronto(15), 8)).toBe(8);
  });
});
