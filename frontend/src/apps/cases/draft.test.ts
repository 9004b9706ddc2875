import { describe, expect, it } from "vitest";
import type { CaseFile, Move } from "../../core/data/types";
import { chosen, missing, movedOn, told } from "./draft";

const file = (version: number) => ({ case: { version } }) as CaseFile;
const move = (code: string, ...needs: Move["needs"]): Move => ({ code, name: { zh: code, en: code }, needs });
const dispatch = move("dispatch", "unit");
const rule = move("rule", "unit", "reason");

describe("a draft", () => {
  it("keeps what was typed when another move is chosen, at the version that is shown then", () => {
    const typed = { ...chosen(dispatch, file(3), null), unit: "roads", reason: "near the school" };
    expect(chosen(rule, file(4), typed)).toEqual({ ...typed, move: "rule", version: 4 });
  });

  it("is overtaken only by a later version", () => {
    const draft = chosen(dispatch, file(3), null);
    expect([movedOn(draft, file(3)), movedOn(draft, file(4))]).toEqual([false, true]);
  });

  it("sends only what the move takes; a note goes with any", () => {
    const draft = { ...chosen(dispatch, file(0), null), unit: " roads ", reason: " ", rating: 4 };
    expect(told(dispatch, draft)).toEqual({ unit: "roads" });
    expect(told(move("evaluate", "rating"), { ...draft, reason: "well done" })).toEqual({
      rating: 4,
      reason: "well done",
    });
  });

  it("lacks what the move needs until it is there", () => {
    const draft = chosen(rule, file(0), null);
    expect(missing(rule, draft)).toBe("unit");
    expect(missing(rule, { ...draft, unit: "roads", reason: " " })).toBe("reason");
    expect(missing(rule, { ...draft, unit: "roads", reason: "ours" })).toBeNull();
    expect(missing(move("accept"), draft)).toBeNull();
  });
});
