import { describe, expect, it } from "vitest";
import { Formats } from "../../core/i18n/format";
import { colourAt, leftIn, spent } from "./terms";

const at = (text: string) => Date.parse(`2026-03-02T${text}:00Z`);
const term = {
  due_at: "2026-03-02T12:00:00Z",
  warn_at: "2026-03-02T10:00:00Z",
  red_at: "2026-03-02T15:00:00Z",
};

describe("a term", () => {
  it("changes its colour at each of its moments, not after them", () => {
    const colours = ["09:59", "10:00", "11:59", "12:00", "14:59", "15:00"].map((time) =>
      colourAt(term, at(time)),
    );
    expect(colours).toEqual(["green", "warn", "warn", "overdue", "overdue", "red"]);
  });

  it("needs neither a warning nor a red moment, and without a due one it has no colour", () => {
    const plain = { ...term, warn_at: null, red_at: null };
    expect([colourAt(plain, at("11:00")), colourAt(plain, at("20:00"))]).toEqual(["green", "overdue"]);
    expect(colourAt({ ...term, due_at: null }, at("20:00"))).toBe("none");
  });

  it("says in words what is left and what it is over by", () => {
    const words = (lang: "en" | "zh", time: string) =>
      leftIn(lang, new Formats(lang, "UTC"), term.due_at, at(time)).replaceAll(/\s/g, " ");
    expect([words("en", "09:30"), words("zh", "09:30")]).toEqual(["2 hrs left", "剩 2 小时"]);
    expect([words("en", "12:40"), words("zh", "12:40")]).toEqual(["40 mins over", "超期 40 分钟"]);
    expect(leftIn("en", new Formats("en", "UTC"), null, 0)).toBe("no term");
  });

  it("is spent between nothing and all, whatever the moment", () => {
    const start = "2026-03-02T08:00:00Z";
    expect(["07:00", "10:00", "13:00"].map((time) => spent(start, term.due_at, at(time)))).toEqual([
      0, 0.5, 1,
    ]);
    expect(spent(start, start, at("08:00"))).toBe(1);
  });
});
