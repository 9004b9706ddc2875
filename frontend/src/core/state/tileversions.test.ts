import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { TileVersion } from "../data/api";
import { TileVersions } from "./tileversions";

let server: TileVersion | null;
let asked: number[];
let taken: string[];
let versions: TileVersions;

beforeEach(() => {
  vi.useFakeTimers();
  server = { v: "a", number: 1 };
  asked = [];
  taken = [];
  versions = new TileVersions(
    async () => {
      asked.push(performance.now());
      if (!server) throw new Error("away");
      return server;
    },
    (layer, v) => taken.push(`${layer} ${v}`),
  );
});

afterEach(() => vi.useRealTimers());

describe("versions of tiles", () => {
  it("are known when a screen starts, also where the server is away", async () => {
    await versions.start(["areas"]);
    expect(taken).toEqual(["areas a"]);
    server = null;
    await versions.start(["areas"]);
    expect(taken).toEqual(["areas a"]);
  });

  it("follow a change at once after a quiet time, and then every five seconds at most", async () => {
    await versions.start(["areas"]);
    await vi.advanceTimersByTimeAsync(10_000);
    for (let number = 2; number < 102; number += 1) {
      server = { v: `v${number}`, number };
      versions.changed({ layer: "areas", version: number });
      await vi.advanceTimersByTimeAsync(100);
    }
    await vi.advanceTimersByTimeAsync(5_000);
    expect(asked.slice(1).map((at, i) => at - (asked[i] ?? 0))).toEqual([10_000, 5_000, 5_000]);
    expect(taken.at(1)).toBe("areas v2");
    expect(taken.at(-1)).toBe("areas v101");
  });

  it("are asked for again until the server names what it told of", async () => {
    await versions.start(["areas"]);
    versions.changed({ layer: "areas", version: 2 });
    await vi.advanceTimersByTimeAsync(6_000);
    expect(taken).toEqual(["areas a"]);
    server = { v: "b", number: 2 };
    await vi.advanceTimersByTimeAsync(20_000);
    expect(taken).toEqual(["areas a", "areas b"]);
    expect(asked).toHaveLength(3);
  });

  it("are asked for now and then without an event, and after a reset", async () => {
    await versions.start(["areas"]);
    server = { v: "b", number: 1 };
    await vi.advanceTimersByTimeAsync(61_000);
    expect(taken).toEqual(["areas a", "areas b"]);
    server = { v: "c", number: 1 };
    versions.changed(null);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(taken).toEqual(["areas a", "areas b", "areas c"]);
  });

  it("of layers that are not shown are nobody's business", async () => {
    await versions.start(["areas"]);
    versions.changed({ layer: "roads", version: 9 });
    await vi.advanceTimersByTimeAsync(20_000);
    expect(asked).toHaveLength(1);
  });
});
