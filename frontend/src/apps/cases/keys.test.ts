import { describe, expect, it } from "vitest";
import { actionOf, lettersOf } from "./keys";

const press = (key: string, more = {}) => ({ key, ctrlKey: false, metaKey: false, altKey: false, ...more });
const moves = (...codes: string[]) => codes.map((code) => ({ code }));

describe("a key", () => {
  it("moves the cursor by letter and by arrow, whether or not caps lock is on", () => {
    expect(actionOf(press("j"), "list")).toEqual(actionOf(press("ArrowDown"), "list"));
    expect(actionOf(press("K"), "list")).toEqual({ kind: "step", by: -1 });
  });

  it("is text in a field, all but the one that leaves it", () => {
    expect(["j", "/", "Enter", "a"].map((key) => actionOf(press(key), "field"))).toEqual([
      null,
      null,
      null,
      null,
    ]);
    expect(actionOf(press("Escape"), "field")).toEqual({ kind: "back" });
  });

  it("does on a button and on the map what it does there anyway", () => {
    expect(actionOf(press("Enter"), "control")).toBeNull();
    expect(actionOf(press("ArrowDown"), "map")).toBeNull();
    expect(actionOf(press("Enter"), "map")).toEqual({ kind: "open" });
    expect(actionOf(press("a"), "control")).toEqual({ kind: "move", letter: "a" });
  });

  it("is the browser's with a modifier, and means nothing where it is no letter", () => {
    expect(actionOf(press("j", { ctrlKey: true }), "list")).toBeNull();
    expect(actionOf(press("F5"), "list")).toBeNull();
  });
});

describe("letters of moves", () => {
  it("are each move's own, the first of its code that is free, and none of the desk's", () => {
    const letters = lettersOf(moves("accept", "arbitrate", "handle", "mediate", "note"));
    expect([...letters.values()]).toEqual(["a", "r", "h", "e", "o"]);
    for (const letter of letters.values()) expect(actionOf(press(letter), "list")?.kind).toBe("move");
  });

  it("are still all different where codes share theirs", () => {
    const letters = lettersOf(moves("go", "go_on", "goo", "gong"));
    expect(new Set(letters.values()).size).toBe(4);
  });
});
