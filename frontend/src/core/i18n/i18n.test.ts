import { describe, expect, it } from "vitest";
import { DICTIONARIES, firstLang, named, t } from "./i18n";

const { en, zh } = DICTIONARIES;
const places = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).toSorted();

describe("the dictionaries", () => {
  it("have the same keys", () => {
    expect(Object.keys(zh).toSorted()).toEqual(Object.keys(en).toSorted());
  });

  it("say something for each, and fill the same places", () => {
    for (const key of Object.keys(en) as (keyof typeof en)[]) {
      expect(zh[key], key).not.toBe("");
      expect(places(zh[key]), key).toEqual(places(en[key]));
    }
  });

  it("write Chinese in Chinese", () => {
    const latin = Object.entries(zh).filter(
      ([key, text]) => key !== "app.language" && !/\p{Script=Han}/u.test(text),
    );
    expect(latin).toEqual([]);
  });
});

describe("a text", () => {
  it("is filled from its values and keeps a place it has no value for", () => {
    expect(t("en", "figures.rounded", { n: 5 })).toBe("rounded to 5");
    expect(t("zh", "figures.rounded")).toBe("取整到 {n}");
  });
});

describe("a name", () => {
  it("falls back to the other language", () => {
    expect(named({ zh: "", en: "Rouge" }, "zh")).toBe("Rouge");
    expect(named({ zh: "多伦多", en: "Toronto" }, "zh")).toBe("多伦多");
  });
});

describe("the first language", () => {
  it("is what the browser asks for, where the city speaks it", () => {
    expect(firstLang(["zh-CN", "en"], ["en", "zh"])).toBe("zh");
    expect(firstLang(["fr-FR", "en-CA"], ["zh", "en"])).toBe("en");
  });

  it("is else the city's own", () => {
    expect(firstLang(["fr"], ["zh", "en"])).toBe("zh");
    expect(firstLang(["zh"], ["en"])).toBe("en");
  });
});
