import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type EventLine, type Link, LiveFeed, SILENCE_MS } from "./live";

class FakeLine implements EventLine {
  readyState = 0;
  private readonly listeners = new Map<string, (event: MessageEvent<string>) => void>();

  addEventListener(name: string, listener: (event: MessageEvent<string>) => void): void {
    this.listeners.set(name, listener);
  }

  constructor(readonly path = "") {}

  say(name: string, data: object, lastEventId = ""): void {
    this.readyState = 1;
    this.listeners.get(name)?.({ data: JSON.stringify(data), lastEventId } as MessageEvent<string>);
  }

  close(): void {
    this.readyState = 2;
  }
}

const NOW = "2026-11-24T00:00:00Z";

describe("the live feed", () => {
  let lines: FakeLine[];
  let links: Link[];
  let incidents: unknown[];
  let versions: number[];
  let resets: number;
  let feed: LiveFeed;
  const line = () => lines.at(-1) as FakeLine;

  beforeEach(() => {
    vi.useFakeTimers();
    lines = [];
    links = [];
    incidents = [];
    versions = [];
    resets = 0;
    feed = new LiveFeed(
      {
        link: (link) => links.push(link),
        time: () => {},
        layer: () => {},
        heat: ({ version }) => versions.push(version),
        incident: ({ id }) => incidents.push(id),
        reset: () => {
          resets += 1;
        },
      },
      (path) => {
        lines.push(new FakeLine(path));
        return line();
      },
    );
    feed.start();
  });

  afterEach(() => {
    feed.stop();
    vi.useRealTimers();
  });

  it("is live from the first word, and asks for nothing again", () => {
    line().say("hello", { now: NOW, build: "a", role: "room" });
    expect([links, resets]).toEqual([["live"], 0]);
  });

  it("stays on its line while beats come", () => {
    for (let beat = 0; beat < 20; beat++) {
      vi.advanceTimersByTime(5_000);
      line().say("beat", { now: NOW });
    }
    expect([lines.length, links]).toEqual([1, ["live"]]);
  });

  it("leaves a line that is open but silent", () => {
    line().say("beat", { now: NOW });
    vi.advanceTimersByTime(SILENCE_MS);
    expect(links).toEqual(["live"]);
    vi.advanceTimersByTime(1_000);
    expect(links).toEqual(["live", "down"]);
    vi.advanceTimersByTime(1_000);
    expect(lines).toHaveLength(2);
  });

  it("opens a new line where the browser has given up, ever later, but at least every 30 s", () => {
    const openedAfterS: number[] = [];
    for (let second = 0; second < 150; second++) {
      const before = lines.length;
      line().readyState = 2;
      vi.advanceTimersByTime(1_000);
      if (lines.length > before) openedAfterS.push(second);
    }
    const gaps = openedAfterS.slice(1).map((at, i) => at - (openedAfterS[i] as number));
    expect(gaps).toEqual(gaps.toSorted((a, b) => a - b));
    expect(gaps[0]).toBeLessThan(5);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(32);
  });

  it("says on a new line which event it saw last, and is told what it missed", () => {
    line().say("hello", { now: NOW, build: "a", role: "room" }, "4");
    line().say("incident", { id: 1 }, "7");
    line().readyState = 2;
    vi.advanceTimersByTime(3_000);
    line().say("hello", { now: NOW, build: "a", role: "room" }, "7");
    line().readyState = 2;
    vi.advanceTimersByTime(3_000);
    expect(lines.map(({ path }) => path)).toEqual([
      "/live",
      "/live?last_event_id=7",
      "/live?last_event_id=7",
    ]);
    expect(resets).toBe(0);
  });

  it("asks for everything again after a gap before which it saw nothing, once", () => {
    line().readyState = 2;
    vi.advanceTimersByTime(3_000);
    line().say("hello", { now: NOW, build: "a", role: "room" });
    line().say("hello", { now: NOW, build: "a", role: "room" });
    expect([links, resets]).toEqual([["down", "live"], 1]);
  });

  it("asks for everything again when the server says so", () => {
    line().say("reset", {});
    expect(resets).toBe(1);
  });

  it("tells the version that heat has come to", () => {
    line().say("heat", { version: 7, at: NOW });
    expect(versions).toEqual([7]);
  });

  it("shows an incident once, however often it is replayed", () => {
    for (const id of [1, 2, 1, 2, 3]) line().say("incident", { id });
    expect(incidents).toEqual([1, 2, 3]);
  });

  it("does not listen to a line it has left", () => {
    const left = line();
    left.readyState = 2;
    vi.advanceTimersByTime(3_000);
    left.say("incident", { id: 9 });
    expect(incidents).toEqual([]);
  });
});
