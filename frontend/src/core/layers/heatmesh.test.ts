import { describe, expect, it } from "vitest";
import { anchored } from "./heatmesh";

describe("the anchored matrix", () => {
  it("moves a point near the anchor where the map's own matrix would, to a hundredth of a pixel", () => {
    // Zoom 18 over a place whose coordinates need more than 32 bits: clip = (world - centre) * 65536.
    const [cx, cy] = [0.279487123456, 0.365123456789];
    const k = 65_536;
    const matrix = [k, 0, 0, 0, 0, k, 0, 0, 0, 0, 1, 0, -cx * k, -cy * k, 0, 1];
    const anchor = [cx + 2e-6, cy - 1e-6] as const;
    const shifted = anchored(matrix, anchor);
    const offset = [3e-6, 4e-6] as const;
    const clip = (shifted[0] as number) * offset[0] + (shifted[12] as number);
    expect(clip).toBeCloseTo((anchor[0] + offset[0] - cx) * k, 5);
  });
});
