import { describe, expect, it } from "vitest";
import { contrast } from "../../core/ui/contrast";
import desk from "../../core/ui/desk.css?raw";
import tokens from "../../core/ui/tokens.css?raw";

const [night = "", day = ""] = desk.split("prefers-color-scheme: light");

function token(name: string, ...sheets: string[]): string {
  for (const css of sheets) {
    const value = new RegExp(`--${name}:\\s*(#[0-9a-f]{6})`).exec(css)?.[1];
    if (value) return value;
  }
  throw new Error(`no sheet has --${name}`);
}

describe.each([
  ["by night", [night, tokens]],
  ["by day", [day, night, tokens]],
] as const)("the desk %s", (_, sheets) => {
  it.each(["ink", "ink-2", "ink-3", "warn", "late", "alarm", "accent"])("has a readable --%s", (ink) => {
    for (const ground of ["ground", "panel-solid", "raised", "field", "chosen"]) {
      if (ink === "ink-3" && ground === "chosen") continue; // there it is --ink-2
      expect(contrast(token(ink, ...sheets), token(ground, ...sheets)), ground).toBeGreaterThanOrEqual(4.5);
    }
  });

  it("has readable words on its buttons and marks", () => {
    const pairs = [
      ["on-accent", "accent"],
      ["on-red", "red"],
    ] as const;
    for (const [ink, ground] of pairs) {
      expect(contrast(token(ink, ...sheets), token(ground, ...sheets)), ink).toBeGreaterThanOrEqual(4.5);
    }
  });
});
