import { describe, expect, it } from "vitest";
import { actionOf } from "./keys";

const press = (key: string, held: Partial<KeyboardEvent> = {}) =>
  actionOf({ key, ctrlKey: false, metaKey: false, altKey: false, ...held });

describe("the keys", () => {
  it("choose a layer by its digit", () => {
    expect(press("0")).toEqual({ kind: "layer", index: 0 });
    expect(press("6")).toEqual({ kind: "layer", index: 6 });
    expect(press("7")).toBeNull();
  });

  it("take letters in either case", () => {
    expect(press("g")).toEqual(press("G"));
    expect([press("l"), press("h"), press("z")]).toEqual([
      { kind: "toggle", part: "labels" },
      { kind: "toggle", part: "heat" },
      { kind: "toggle", part: "zones" },
    ]);
  });

  it("leave chords and other keys to the browser", () => {
    expect(press("l", { ctrlKey: true })).toBeNull();
    expect(press(" ")).toBeNull();
    expect(press("toString")).toBeNull();
  });
});
