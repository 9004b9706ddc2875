import { describe, expect, it } from "vitest";
import { called, say, WORDS } from "./words";

const places = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).toSorted();

describe("the desk's words", () => {
  it("fill the same places in both languages, in Chinese by Chinese", () => {
    const { en, zh } = WORDS;
    for (const word of Object.keys(en) as (keyof typeof en)[]) {
      expect(places(zh[word]), word).toEqual(places(en[word]));
      expect(zh[word], word).toMatch(/\p{Script=Han}/u);
    }
  });

  it("name a code of the server, or leave it as it is", () => {
    expect([called("zh", "actor", "unit"), called("en", "stage", "second_look")]).toEqual([
      "承办单位",
      "second look",
    ]);
    expect(say("en", "queue.count", { n: 3 })).toBe("3 in the queue");
  });
});
