import { beforeEach, expect, it, vi } from "vitest";
import golden from "../../../../tests/golden/cells.json";
import type { CellsAnswer } from "./cells.worker";

const SPAN = { from: "2021-12-01T05:00:00Z", to: "2022-01-01T05:00:00Z" };

const postMessage = vi.fn();
const page = { postMessage, onmessage: async (_: { data: object }) => {} };

/** What the worker posts where the server answers so. */
async function posted(body: string | Uint8Array<ArrayBuffer>, status = 200): Promise<CellsAnswer> {
  vi.stubGlobal("fetch", vi.fn().mockResolvedValue(new Response(body, { status })));
  await page.onmessage({ data: { id: 3, layer: "all", span: SPAN, res: 9 } });
  return postMessage.mock.lastCall?.[0];
}

const cells = (what: string) =>
  Uint8Array.from(atob(golden.find((each) => each.what === what)?.stream ?? ""), (text) =>
    text.charCodeAt(0),
  );

beforeEach(async () => {
  vi.resetModules();
  vi.stubGlobal("self", page);
  await import("./cells.worker");
});

it("outlines cells once, and sends the values alone while the cells stay the same", async () => {
  const first = await posted(cells("two cells"));
  expect([first.id, first.mesh?.count, [...first.values]]).toEqual([3, 2, [4e9, 1]]);
  const second = await posted(cells("the same cells with other values"));
  expect([second.mesh, [...second.values]]).toEqual([null, [7, 2]]);
  const other = await posted(cells("one of the cells"));
  expect([other.mesh?.count, other.mesh?.areasKm2.length]).toEqual([1, 1]);
  expect((await posted(cells("two cells"))).mesh?.count).toBe(2);
});

it("does not outline them again after a failure", async () => {
  await posted(cells("two cells"));
  expect(await posted("{}", 503)).toMatchObject({ id: 3, failure: { status: 503 } });
  expect((await posted(cells("two cells"))).mesh).toBeNull();
});

it("tells an answer that is no stream of cells", async () => {
  expect(await posted("<html>")).toMatchObject({ id: 3, failure: { status: 0 } });
});
