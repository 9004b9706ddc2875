import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ServerClock } from "./clock.svelte";

const HERE = Date.parse("2026-03-01T12:00:00Z");

describe("the server's clock", () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: HERE });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("is this machine's until the server says what time it is, and goes on with it", () => {
    const clock = new ServerClock();
    expect([clock.now, clock.replays]).toEqual([HERE, false]);
    clock.set("2026-03-01T12:00:30Z", null);
    vi.advanceTimersByTime(5_000);
    expect(clock.now).toBe(HERE + 35_000);
    expect(clock.real).toBe(HERE + 5_000);
  });

  it("runs faster through a past, while ages stay those of here", () => {
    const clock = new ServerClock();
    const past = Date.parse("2021-12-25T08:00:00Z");
    clock.set("2021-12-25T08:00:00Z", 60);
    vi.advanceTimersByTime(3_000);
    expect(clock.now).toBe(past + 180_000);
    expect(clock.real).toBe(HERE + 3_000);
    expect(clock.at(HERE + 1_000)).toBe(past + 60_000);
    expect(clock.replays).toBe(true);
  });

  it("stands still where the replay does, which is a replay all the same", () => {
    const clock = new ServerClock();
    clock.set("2021-12-25T08:00:00Z", 0);
    vi.advanceTimersByTime(3_000);
    expect(clock.now).toBe(Date.parse("2021-12-25T08:00:00Z"));
    expect(clock.replays).toBe(true);
  });
});
