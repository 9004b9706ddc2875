import { describe, expect, it } from "vitest";
import { channels } from "../layers/ramp";
import { MAP_COLOURS } from "../map/palette";
import css from "./tokens.css?raw";

function token(name: string): string {
  const value = new RegExp(`--${name}:\\s*(#[0-9a-f]{6})`).exec(css)?.[1];
  if (!value) throw new Error(`tokens.css has no --${name}`);
  return value;
}

/** Contrast of two colours, 1..21 (WCAG 2). */
function contrast(a: string, b: string): number {
  const luminance = (hex: string) => {
    const [r, g, blue] = channels(hex).map((v) =>
      v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4,
    ) as [number, number, number];
    return 0.2126 * r + 0.7152 * g + 0.0722 * blue;
  };
  const [dark, light] = [luminance(a), luminance(b)].toSorted((x, y) => x - y) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

describe("the tokens", () => {
  it.each(["ink", "ink-2", "ink-3", "good", "warn", "alarm", "accent"])(
    "make --%s readable on each ground",
    (ink) => {
      for (const ground of ["ground", "panel-solid", "raised"]) {
        expect(contrast(token(ink), token(ground)), ground).toBeGreaterThanOrEqual(4.5);
      }
    },
  );

  it.each(["label", "labelQuiet", "zone"] as const)(
    "make %s readable on land and on its own rim",
    (label) => {
      for (const ground of [MAP_COLOURS.land, MAP_COLOURS.halo]) {
        expect(contrast(MAP_COLOURS[label], ground)).toBeGreaterThanOrEqual(4.5);
      }
    },
  );
});
