import { describe, expect, it } from "vitest";
import { ALL, askedBy, formatAddress, parseAddress } from "./address";

describe("an address of the desk", () => {
  it("says all that is chosen, and is read back the same", () => {
    const said = {
      lang: "zh" as const,
      filters: {
        which: "late" as const,
        state: "handling",
        category: "",
        unit: "城管 & 执法",
        area: "7",
        workflow: "",
      },
      open: 12,
      registers: false,
    };
    expect(parseAddress(formatAddress(said))).toEqual(said);
    expect(parseAddress(formatAddress({ ...said, open: null, registers: true })).registers).toBe(true);
  });

  it("is empty where nothing is chosen, and what makes no sense is not said", () => {
    const nothing = { lang: null, filters: { ...ALL }, open: null, registers: false };
    expect(formatAddress(nothing)).toBe("");
    expect(parseAddress("?lang=fr&show=none&case=-3&colour=red")).toEqual(nothing);
  });
});

describe("what the server is asked", () => {
  it("is what restricts the queue, and no more", () => {
    expect(askedBy(ALL)).toEqual({ open: "true" });
    expect(askedBy({ ...ALL, which: "all" })).toEqual({});
    expect(askedBy({ ...ALL, which: "late", unit: "roads" })).toEqual({ late: "true", unit: "roads" });
  });
});
