import { describe, expect, it } from "vitest";
import { type Address, formatAddress, parseAddress } from "./url";

const silent: Address = { lang: null, layer: null, window: null, camera: null, hidden: new Set() };

describe("the address", () => {
  it("says nothing when nothing was chosen", () => {
    expect(formatAddress(silent)).toBe("");
    expect(parseAddress("")).toEqual(silent);
  });

  it("is read back as it was written", () => {
    const address: Address = {
      lang: "zh",
      layer: "campus",
      window: "30d",
      camera: { lat: 43.65321, lon: -79.38318, zoom: 12.25 },
      hidden: new Set(["zones", "labels"]),
    };
    expect(formatAddress(address)).toBe(
      "?lang=zh&layer=campus&window=30d&hide=zones,labels&lat=43.65321&lon=-79.38318&zoom=12.25",
    );
    expect(parseAddress(formatAddress(address))).toEqual(address);
  });

  it.each([
    "?lang=fr",
    "?window=2d",
    "?window=toString",
    "?lat=91&lon=0&zoom=3",
    "?lat=43&zoom=3",
    "?lat=x&lon=0&zoom=3",
    "?hide=everything",
  ])("takes %s for silence", (search) => {
    expect(parseAddress(search)).toEqual(silent);
  });
});
