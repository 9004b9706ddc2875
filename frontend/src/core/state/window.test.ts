import { describe, expect, it } from "vitest";
import type { HeatCatalog } from "../data/types";
import { nameOf, spanOf } from "./window";

const december = { from: "2021-12-01T05:00:00Z", to: "2022-01-01T05:00:00Z" };

const catalog = (policy: Partial<HeatCatalog["policy"]> = {}): HeatCatalog => ({
  layers: [],
  span: { from: "2014-01-01T05:00:00Z", to: "2022-01-01T05:00:00Z" },
  policy: { exact: true, finest_res: 10, note: { zh: "", en: "" }, bin: null, share: null, ...policy },
  default_window: { from: "2021-10-03T04:00:00Z", to: "2022-01-01T05:00:00Z" },
});

describe("the window", () => {
  it("ends where the data end", () => {
    const span = spanOf(catalog(), "7d", "America/Toronto");
    expect(span).toEqual({ from: "2021-12-25T05:00:00Z", to: "2022-01-01T05:00:00Z" });
  });

  it("keeps the time of day across a change of the clocks, as the server's own default does", () => {
    expect(spanOf(catalog(), "90d", "America/Toronto")).toEqual(catalog().default_window);
    expect(spanOf(catalog(), "90d", "Asia/Shanghai")?.from).toBe("2021-10-03T05:00:00Z");
  });

  it("is the server's default where nothing was chosen", () => {
    expect(spanOf(catalog(), null, "America/Toronto")).toEqual(catalog().default_window);
  });

  it("is the published bin for an audience that has no exact heat, whatever was chosen", () => {
    expect(spanOf(catalog({ exact: false, bin: december }), "1y", "America/Toronto")).toEqual(december);
    expect(spanOf(catalog({ exact: false, bin: null }), "1y", "America/Toronto")).toBeNull();
  });

  it("is known by its length", () => {
    expect(nameOf(catalog().default_window as typeof december)).toBe("90d");
    expect(nameOf(december)).toBeNull();
  });
});
