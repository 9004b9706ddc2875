import { afterEach, describe, expect, it, vi } from "vitest";
import { ApiProblem, getHeatCells, getJson, getOutlines, pathOf } from "./api";

const answer = (status: number, body: string) =>
  vi.stubGlobal("fetch", vi.fn().mockResolvedValue(new Response(body, { status })));

afterEach(() => vi.unstubAllGlobals());

describe("the client", () => {
  it("writes equal questions as equal addresses", () => {
    expect(pathOf("/city")).toBe("/city");
    expect(pathOf("/summary", { from: "2021-12-31T19:00:00+08:00", res: 9 })).toBe(
      "/summary?from=2021-12-31T19%3A00%3A00%2B08%3A00&res=9",
    );
  });

  it("asks this origin, with its cookie, and takes no answer for fresh unasked", async () => {
    answer(200, "{}");
    await getHeatCells("a/b", { from: "x", to: "y" }, 9);
    const [path, init] = vi.mocked(fetch).mock.calls[0] as [string, RequestInit];
    expect(path).toBe("/heat/a%2Fb/cells?from=x&to=y&res=9&f=arrow");
    expect(init).toMatchObject({ credentials: "same-origin", cache: "no-cache" });
  });

  it("tells a refusal by the words of its problem document", async () => {
    answer(400, JSON.stringify({ type: "urn:onemap:bad-value", title: "res: 12 is too fine", status: 400 }));
    await expect(getJson("/heat")).rejects.toEqual(
      new ApiProblem(400, "urn:onemap:bad-value", "res: 12 is too fine"),
    );
  });

  it("tells an answer that is no JSON, and silence", async () => {
    answer(502, "<html>");
    await expect(getJson("/heat")).rejects.toMatchObject({ status: 502 });
    vi.stubGlobal("fetch", vi.fn().mockRejectedValue(new TypeError("network")));
    await expect(getJson("/heat")).rejects.toMatchObject({ status: 0, type: "urn:onemap:unreachable" });
  });

  it("reads outlines page by page, as long as there are any", async () => {
    const levels = [...Array(11).fill("city"), "district", "district"];
    const areas = levels.map((level, i) => ({ id: i + 1, geometry: i + 1, properties: { level } }));
    const page = (path: string) => {
      const query = new URL(path, "http://here").searchParams;
      const after = Number(query.get("after"));
      return Promise.resolve(
        Response.json({ features: areas.slice(after, after + Number(query.get("limit"))) }),
      );
    };
    vi.stubGlobal("fetch", vi.fn(page));
    expect(await getOutlines("city")).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    expect(fetch).toHaveBeenCalledTimes(2);
    expect(await getOutlines("region")).toEqual([]);
  });
});
