import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { CellSet } from "../data/cells";
import { ServerClock } from "./clock.svelte";
import { Feed } from "./feed.svelte";
import { AGAIN_MS } from "./latest";

const loaded = vi.hoisted(() => vi.fn());
vi.mock("../data/cells", () => ({
  CellLoader: class {
    load = loaded;
  },
}));

const NOW = "2026-11-24T00:00:00Z";
const SPAN = { from: "2021-12-01T05:00:00Z", to: "2022-01-01T05:00:00Z" };

const cells = (version: number) =>
  ({
    meta: { version },
    mesh: { count: 1, resolutions: [9, 9], areasKm2: Float32Array.of(0.1) },
    values: Uint32Array.of(version),
  }) as unknown as CellSet;

/** Paths that were asked since the last call; heat comes by the loader. */
function asked(): string[] {
  const paths = vi.mocked(fetch).mock.calls.map(([path]) => String(path).replace(/\?.*/, ""));
  vi.mocked(fetch).mockClear();
  const heat = loaded.mock.calls.map(() => "cells");
  loaded.mockClear();
  return [...paths, ...heat].filter((path) => path !== "/heat").toSorted();
}

describe("the feed", () => {
  let feed: Feed;
  let say: (name: string, data: object) => Promise<void>;
  let exact: boolean;

  /** What the screen does whenever something that it shows has changed. */
  const ask = async () => {
    feed.ask({ layer: "all", span: { ...SPAN }, res: 9, news: feed.news });
    await vi.advanceTimersByTimeAsync(0);
  };

  const opened = async () => {
    await feed.start();
    await ask();
    asked();
  };

  beforeEach(() => {
    vi.useFakeTimers();
    exact = true;
    loaded.mockReset().mockImplementation(async () => cells(1));
    const body = () => JSON.stringify({ now: NOW, collections: [], policy: { exact } });
    vi.stubGlobal(
      "fetch",
      vi.fn(async () => new Response(body())),
    );
    vi.stubGlobal(
      "EventSource",
      class {
        readyState = 1;
        constructor() {
          const listeners = new Map<string, (event: object) => void>();
          Object.assign(this, { addEventListener: listeners.set.bind(listeners), close: () => {} });
          say = async (name, data) => {
            listeners.get(name)?.({ data: JSON.stringify(data) });
            await vi.advanceTimersByTimeAsync(1_000);
            await ask();
          };
        }
      },
    );
    feed = new Feed(new ServerClock(), { incident: () => {}, changed: () => {} });
  });

  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it("asks for heat when the server says so, and for figures when incidents change as well", async () => {
    await opened();
    await ask();
    expect(asked()).toEqual([]);
    await say("layer", { layer: "incidents", version: 2 });
    expect(asked()).toEqual(["/summary"]);
    await say("incident", { id: 5, geometry: null });
    expect(asked()).toEqual(["/summary"]);
    await say("heat", { version: 1, at: NOW });
    expect(asked()).toEqual(["/summary", "cells"]);
    await say("reset", {});
    expect(asked()).toEqual(["/summary", "cells"]);
  });

  it("asks for the public's heat when it is released, which is nothing to exact heat", async () => {
    await opened();
    await say("layer", { layer: "released", version: 2 });
    expect(asked()).toEqual(["/summary"]);
    exact = false;
    await say("reset", {});
    asked();
    await say("layer", { layer: "areas", version: 2 });
    expect(asked()).toEqual(["/summary"]);
    await say("layer", { layer: "released", version: 3 });
    expect(asked()).toEqual(["/summary", "cells"]);
  });

  it("asks again while heat is older than what the server has told", async () => {
    await opened();
    await say("heat", { version: 7, at: NOW });
    expect(feed.heat?.set.meta.version).toBe(1);
    loaded.mockImplementation(async () => cells(7));
    await vi.advanceTimersByTimeAsync(AGAIN_MS);
    expect([asked(), feed.heat?.set.meta.version]).toEqual([["/summary", "cells", "cells"], 7]);
    await vi.advanceTimersByTimeAsync(10 * AGAIN_MS);
    expect(asked()).toEqual([]);
  });

  it("believes a server that was put back to an earlier state", async () => {
    await opened();
    await say("heat", { version: 7, at: NOW });
    await say("reset", {});
    asked();
    await vi.advanceTimersByTimeAsync(10 * AGAIN_MS);
    expect(asked()).toEqual([]);
  });
});
