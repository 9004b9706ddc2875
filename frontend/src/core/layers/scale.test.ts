import { describe, expect, it } from "vitest";
import golden from "../../../../tests/golden/quantised.json";
import { niceCeil, positionOf, quantile, quantise, scaleOf } from "./scale";

const counts = (...values: number[]) => Uint32Array.from(values);

describe("the scale", () => {
  it("finds the nearest-rank quantile", () => {
    expect(quantile([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 0.5)).toBe(5);
    expect(quantile([1, 2, 3], 1)).toBe(3);
    expect(quantile([], 0.5)).toBe(0);
  });

  it.each([
    [1, 1],
    [1.2, 1.5],
    [3, 3],
    [7, 8],
    [11, 15],
    [0.21, 0.25],
    [90, 100],
  ])("rounds %d up to the nice number %d", (value, nice) => {
    expect(niceCeil(value)).toBeCloseTo(nice, 9);
  });

  it("ends at a percentile, so that one extreme cell does not darken the rest", () => {
    const many = Uint32Array.from({ length: 1000 }, (_, i) => (i === 0 ? 5000 : 1 + (i % 60)));
    expect(scaleOf(many, true).top).toBe(64);
  });

  it("marks counts with whole numbers that are even along the square root", () => {
    const scale = scaleOf(
      Uint32Array.from({ length: 400 }, (_, i) => 1 + (i % 60)),
      true,
    );
    expect(scale.ticks).toEqual([0, 4, 16, 36, 64]);
    expect(scale.ticks.map((tick) => positionOf(tick, scale))).toEqual([0, 0.25, 0.5, 0.75, 1]);
  });

  it("keeps whole marks where counts are few", () => {
    expect(scaleOf(counts(1, 1, 2), true).ticks).toEqual([0, 1, 4]);
    expect(scaleOf(counts(1, 7), true).ticks).toEqual([0, 1, 4, 9]);
  });

  it("may split units where values are densities", () => {
    expect(scaleOf(Float32Array.of(0.1, 0.5, 0.8), false).top).toBeCloseTo(0.8, 9);
  });

  it("stands for an empty set as well", () => {
    expect(scaleOf(counts(), true)).toEqual({ top: 4, ticks: [0, 1, 4] });
  });

  it("shows any incident at all, and nothing where there is none", () => {
    const scale = { top: 1e9, ticks: [] };
    expect([...quantise(counts(0, 1, 1e9, 2e9), scale)]).toEqual([0, 1, 255, 255]);
  });

  it.each(golden)("quantises as the server does: $what", ({ top, values, steps }) => {
    expect([...quantise(Uint32Array.from(values), { top, ticks: [] })]).toEqual(steps);
  });
});
