import { describe, expect, it } from "vitest";
import { freshnessOf, LOST_MS, RECENT_MS } from "./freshness";

describe("the badge", () => {
  it("says live only where the line is up and the data are recent", () => {
    expect(freshnessOf("live", 1000, RECENT_MS)).toBe("live");
    expect(freshnessOf("live", 1000, RECENT_MS + 1)).toBe("history");
    expect(freshnessOf("live", 1000, null)).toBe("history");
  });

  it("grows from delayed to lost with the age of the last good frame", () => {
    expect(freshnessOf("down", LOST_MS, 0)).toBe("stale");
    expect(freshnessOf("down", LOST_MS + 1, 0)).toBe("lost");
  });

  it("claims nothing before the first word", () => {
    expect(freshnessOf("connecting", 0, 0)).toBe("connecting");
  });

  it("calls a past that is replayed neither live nor history, as long as the line is up", () => {
    expect(freshnessOf("live", 1_000, 0, true)).toBe("replay");
    expect(freshnessOf("down", 20_000, 0, true)).toBe("stale");
  });
});
