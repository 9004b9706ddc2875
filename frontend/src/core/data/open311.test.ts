import { describe, expect, it } from "vitest";
import { formOf, refusalOf } from "./open311";

const FILLED = {
  service: "theft",
  lon: 10.0250001,
  lat: 50.025,
  text: "井盖 & more",
  answers: {},
  photo: null,
};

describe("the form of a report", () => {
  it("has a place of a tenth of a metre, and nothing of who reports", () => {
    expect([...formOf(FILLED)]).toEqual([
      ["service_code", "theft"],
      ["long", "10.025000"],
      ["lat", "50.025000"],
      ["description", "井盖 & more"],
    ]);
  });

  it("is sent in parts where it has a photo", () => {
    const photo = new File(["…"], "IMG_20260302_0912.jpg", { type: "image/jpeg" });
    const form = formOf({ ...FILLED, photo });
    expect(form).toBeInstanceOf(FormData);
    expect([...form.keys()]).toEqual(["service_code", "long", "lat", "description", "media"]);
  });

  it("names several answers to one question as a list", () => {
    const form = formOf({ ...FILLED, answers: { where: ["street", "yard"], ticket: ["7"] } });
    expect(form.getAll("attribute[where][]")).toEqual(["street", "yard"]);
    expect(form.getAll("attribute[ticket]")).toEqual(["7"]);
  });
});

describe("a refusal", () => {
  it("says what the server says, or at least its status", () => {
    expect(refusalOf(400, [{ code: 400, description: "long: outside" }]).message).toBe("long: outside");
    expect(refusalOf(502, null).message).toBe("502");
  });
});
