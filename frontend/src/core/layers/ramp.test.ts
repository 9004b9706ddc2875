import { describe, expect, it } from "vitest";
import { channels, heatRamp, inferno, type Rgb, rampStops } from "./ramp";

/** CIE L* of an sRGB colour, 0..100. */
function lightness([r, g, b]: Rgb): number {
  const linear = (v: number) => (v <= 10.31475 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
  const y = 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  return y > 0.008856 ? 116 * Math.cbrt(y) - 16 : 903.3 * y;
}

const table = heatRamp();
const step = (i: number) => [...table.subarray(4 * i, 4 * i + 4)] as [number, number, number, number];

describe("the ramp", () => {
  it("takes red, green and blue from a hexadecimal colour", () => {
    expect(channels("#ed6925")).toEqual([237, 105, 37]);
  });

  it("agrees with matplotlib's inferno at a quarter, the half and the end", () => {
    for (const [t, published] of [
      [0.25, [87, 16, 110]],
      [0.5, [188, 55, 84]],
      [1, [252, 255, 164]],
    ] as const) {
      inferno(t).forEach((value, k) => {
        expect(Math.abs(value - (published[k] as number))).toBeLessThan(6);
      });
    }
  });

  it("never falls in lightness, and rises evenly", () => {
    const rises = Array.from(
      { length: 20 },
      (_, i) => lightness(inferno((i + 1) / 20)) - lightness(inferno(i / 20)),
    );
    expect(Math.min(...rises)).toBeGreaterThan(0);
    expect(Math.max(...rises) / Math.min(...rises.slice(1))).toBeLessThan(3);
  });

  it("leaves a cell without incidents wholly transparent", () => {
    expect(step(0)).toEqual([0, 0, 0, 0]);
  });

  it("rises in opacity to 80 % and never beyond, for labels lie on it", () => {
    const alphas = Array.from({ length: 256 }, (_, i) => step(i)[3]);
    expect(alphas).toEqual(alphas.toSorted((a, b) => a - b));
    expect(Math.max(...alphas)).toBe(204);
    expect(step(1)[3]).toBeLessThan(10);
  });

  it("gives the legend the very colours of the table", () => {
    const [r, g, b] = step(255);
    expect(rampStops(3)).toMatch(new RegExp(`rgba\\(${r}, ${g}, ${b}, 0.800\\) 100.0%$`));
  });
});
