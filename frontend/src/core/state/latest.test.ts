import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { AGAIN_MS, Latest } from "./latest";

interface Question {
  window: string;
  news: number;
}

describe("the latest question", () => {
  let waiting: ((answer: number | null) => void)[];
  let asked: Question[];
  let taken: number[];
  let wanted: number;
  let mayPass: boolean;
  let latest: Latest<Question, number>;

  /** Answers the question that was asked as the nth. */
  const answer = async (nth: number, version: number | null) => {
    waiting[nth]?.(version);
    await vi.advanceTimersByTimeAsync(0);
  };

  beforeEach(() => {
    vi.useFakeTimers();
    waiting = [];
    asked = [];
    taken = [];
    wanted = 0;
    mayPass = true;
    latest = new Latest({
      load: (question) => {
        asked.push(question);
        return new Promise((resolve) => waiting.push(resolve));
      },
      take: (version) => taken.push(version),
      current: (version) => version >= wanted,
      mayPass: () => mayPass,
    });
  });

  afterEach(() => vi.useRealTimers());

  it("is not asked twice for being said twice, and is asked again when there is news", () => {
    latest.ask({ window: "a", news: 0 });
    latest.ask({ window: "a", news: 0 });
    expect(asked).toHaveLength(1);
    latest.ask({ window: "a", news: 1 });
    expect(asked).toHaveLength(2);
  });

  it("is what counts, in whatever order the answers come", async () => {
    latest.ask({ window: "a", news: 0 });
    latest.ask({ window: "b", news: 0 });
    await answer(1, 2);
    await answer(0, 1);
    expect(taken).toEqual([2]);
  });

  it("is asked again while the answer is older than what the server has told", async () => {
    wanted = 5;
    latest.ask({ window: "a", news: 0 });
    await answer(0, 4);
    await vi.advanceTimersByTimeAsync(AGAIN_MS);
    await answer(1, 5);
    await vi.advanceTimersByTimeAsync(10 * AGAIN_MS);
    expect([asked.length, taken]).toEqual([2, [4, 5]]);
  });

  it("is asked again after silence, and not after a refusal", async () => {
    latest.ask({ window: "a", news: 0 });
    await answer(0, null);
    await vi.advanceTimersByTimeAsync(AGAIN_MS);
    expect(asked).toHaveLength(2);
    mayPass = false;
    await answer(1, null);
    await vi.advanceTimersByTimeAsync(10 * AGAIN_MS);
    expect([asked.length, taken]).toEqual([2, []]);
  });

  it("is left once there is another one", async () => {
    latest.ask({ window: "a", news: 0 });
    await answer(0, null);
    latest.ask({ window: "b", news: 0 });
    await answer(1, 1);
    await vi.advanceTimersByTimeAsync(10 * AGAIN_MS);
    expect(asked.map(({ window }) => window)).toEqual(["a", "b"]);
  });
});
