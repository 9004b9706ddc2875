import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ServerClock } from "../../core/state/clock.svelte";
import { Desk } from "./desk.svelte";

const NOW = "2026-11-24T00:00:00Z";
const BODY = {
  now: NOW,
  audience: { role: "dispatcher" },
  workflows: [],
  collections: [],
  units: [],
  areas: [],
  cases: [],
  next: null,
  case: { id: 7, version: 0, open: false, merged_into: null },
};

/** Paths that were asked since the last call. */
function asked(): string[] {
  const paths = vi.mocked(fetch).mock.calls.map(([path]) => String(path).replace(/\?.*/, ""));
  vi.mocked(fetch).mockClear();
  return paths.toSorted();
}

describe("the desk, live", () => {
  let say: (name: string, data: object) => void;
  let desk: Desk;
  let status: number;

  beforeEach(async () => {
    vi.useFakeTimers();
    status = 200;
    const answer = async (path: string) =>
      new Response(JSON.stringify(BODY), { status: path === "/cases/7" ? status : 200 });
    vi.stubGlobal("fetch", vi.fn(answer));
    vi.stubGlobal(
      "EventSource",
      class {
        readyState = 1;
        addEventListener(name: string, listener: (event: object) => void): void {
          listeners.set(name, listener);
        }
        close(): void {}
      },
    );
    const listeners = new Map<string, (event: object) => void>();
    say = (name, data) => listeners.get(name)?.({ data: JSON.stringify(data) });
    desk = new Desk(new ServerClock());
    await desk.start();
    await desk.open(7);
    await vi.advanceTimersByTimeAsync(2_000);
    asked();
  });

  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  const layer = (name: string) => say("layer", { layer: name, version: 2 });

  it("asks for the queue alone when another case is named", async () => {
    layer("cases");
    say("case", { id: 8 });
    layer("incidents");
    await vi.advanceTimersByTimeAsync(2_000);
    expect(asked()).toEqual(["/cases", "/cases/choices"]);
  });

  it("asks for the open case too when so many have changed that none is named", async () => {
    layer("cases");
    layer("cases");
    say("case", { id: 8 });
    await vi.advanceTimersByTimeAsync(2_000);
    expect(asked()).toEqual(["/cases", "/cases/7", "/cases/choices"]);
    layer("cases");
    await vi.advanceTimersByTimeAsync(2_000);
    expect(asked()).toEqual(["/cases", "/cases/7", "/cases/choices"]);
  });

  it("shows an open case no longer that may not be seen any more", async () => {
    expect(desk.file?.case.id).toBe(7);
    status = 404;
    layer("cases");
    await vi.advanceTimersByTimeAsync(2_000);
    expect(desk.file).toBeNull();
    expect(desk.missing?.status).toBe(404);
  });

  it("asks for nothing when other layers change", async () => {
    layer("incidents");
    await vi.advanceTimersByTimeAsync(2_000);
    expect(asked()).toEqual([]);
  });
});
