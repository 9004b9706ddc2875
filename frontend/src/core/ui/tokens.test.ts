import { describe, expect, it } from "vitest";
import { DAY_COLOURS, MAP_COLOURS } from "../map/palette";
import { contrast } from "./contrast";
import css from "./tokens.css?raw";

function token(name: string): string {
  const value = new RegExp(`--${name}:\\s*(#[0-9a-f]{6})`).exec(css)?.[1];
  if (!value) throw new Error(`tokens.css has no --${name}`);
  return value;
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
      for (const colours of [MAP_COLOURS, DAY_COLOURS]) {
        for (const ground of [colours.land, colours.halo]) {
          expect(contrast(colours[label], ground)).toBeGreaterThanOrEqual(4.5);
        }
      }
    },
  );
});
