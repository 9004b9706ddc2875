import { describe, expect, it } from "vitest";
import { askedBy, formatAddress, parseAddress } from "./address";
import { beginOf, later, monthOf } from "./months";
import { say, WORDS } from "./words";

describe("the address of measures", () => {
  it("is read as it was written, and what makes no sense is not said", () => {
    for (const search of [
      "",
      "?lang=zh&tab=load&class=care&from=2026-01&to=2026-03",
      "?show=all&zone=school&area=7&measure=3&new",
    ]) {
      expect(formatAddress(parseAddress(search))).toBe(search);
    }
    expect(formatAddress(parseAddress("?lang=xx&tab=y&show=z&area=a&measure=-1&from=2026-13&to=x"))).toBe("");
  });

  it("says what the server is asked", () => {
    expect(askedBy(parseAddress("?zone=school&unit=fire"))).toEqual({
      open: "true",
      zone_type: "school",
      unit: "fire",
    });
    expect(askedBy(parseAddress("?show=overdue&campaign=spring"))).toEqual({
      overdue: "true",
      campaign: "spring",
    });
  });
});

describe("a month", () => {
  it("begins at the city's midnight, also where the clock is changed in it", () => {
    expect(beginOf("2026-03", "Asia/Shanghai")).toBe("2026-02-28T16:00:00.000Z");
    expect(beginOf("2026-04", "Europe/Berlin")).toBe("2026-03-31T22:00:00.000Z");
    expect(beginOf("2026-11", "America/Toronto")).toBe("2026-11-01T04:00:00.000Z");
  });

  it("follows another, and holds an instant as the city has it", () => {
    expect([later("2026-12", 1), later("2026-01", -12)]).toEqual(["2027-01", "2025-01"]);
    expect(monthOf(Date.parse("2026-02-28T16:00:00Z"), "Asia/Shanghai")).toBe("2026-03");
  });
});

describe("the words of measures", () => {
  const places = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).toSorted();

  it("fill the same places in both languages, in Chinese by Chinese", () => {
    const { en, zh } = WORDS;
    for (const word of Object.keys(en) as (keyof typeof en)[]) {
      expect(places(zh[word]), word).toEqual(places(en[word]));
      expect(zh[word], word).toMatch(/\p{Script=Han}/u);
    }
    expect(say("zh", "every.weekly", { n: 2 })).toBe("每周 2 次");
  });
});
