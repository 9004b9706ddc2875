import { describe, expect, it } from "vitest";
import { Formats } from "./format";

const en = new Formats("en", "America/Toronto");
const zh = new Formats("zh", "America/Toronto");
const quarter = { from: "2021-10-03T04:00:00Z", to: "2022-01-01T05:00:00Z" };

/** Intl sets ranges and units with thin and hard spaces. */
const plain = (text: string) => text.replaceAll(/\s/g, " ");

describe("formats", () => {
  it("group digits", () => {
    expect([en.number(240992), zh.number(240992)]).toEqual(["240,992", "240,992"]);
  });

  it("sign a change with a true minus, and dare none against nothing", () => {
    expect(en.change(7502, 7774)).toBe("−3.5%");
    expect(en.change(110, 100)).toBe("+10%");
    expect(en.change(100, 100)).toBe("0%");
    expect(en.change(5, 0)).toBe("–");
  });

  it("name the days a span touches, in the city's own time", () => {
    expect(plain(en.span(quarter))).toBe("3 Oct – 31 Dec 2021");
    expect(zh.span(quarter)).toBe("2021年10月3日至12月31日");
    expect(zh.span({ from: "2020-12-31T05:00:00Z", to: quarter.to })).toBe("2020年12月31日至2021年12月31日");
  });

  it("name a single day once", () => {
    const day = { from: "2021-12-31T05:00:00Z", to: "2022-01-01T05:00:00Z" };
    expect([en.span(day), zh.span(day)]).toEqual(["31 Dec 2021", "2021年12月31日"]);
  });

  it("tell a moment without the year that it is in the city now", () => {
    const eve = Date.parse("2022-01-01T04:05:00Z");
    expect([en.moment(eve, eve), zh.moment(eve, eve)]).toEqual(["31 Dec, 23:05", "12月31日 23:05"]);
    expect(en.moment(eve, eve + 3_600_000)).toBe("31 Dec 2021, 23:05");
  });

  it("tell the time of the city", () => {
    expect(en.clock(Date.parse("2022-01-01T04:05:00Z"))).toBe("23:05");
  });

  it.each([
    [0, "0 secs", "0 秒"],
    [59_999, "59 secs", "59 秒"],
    [60_000, "1 min", "1 分钟"],
    [7_300_000, "2 hrs", "2 小时"],
    [172_800_000, "2 days", "2 天"],
  ])("tell an age of %d ms", (ms, english, chinese) => {
    expect([en.age(ms), zh.age(ms)].map(plain)).toEqual([english, chinese]);
  });

  it("tell lengths no finer than they are known", () => {
    expect([en.length(200.8), en.length(1406), zh.length(75.9)].map(plain)).toEqual([
      "200 m",
      "1.4 km",
      "76 米",
    ]);
  });
});
