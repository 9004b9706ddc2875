import type { Link } from "../data/live";

/**
 * What the badge says.
 *
 * `live`: the line is up and the newest incident is recent. `history`: the line is up, the data end
 * in the past. `replay`: a past is shown as if it were now. `stale`, `lost`: nothing was heard for a while; the last good frame is still shown.
 */
export type Freshness = "connecting" | "live" | "replay" | "history" | "stale" | "lost";

/** Older than this, the newest incident no longer describes the present. */
export const RECENT_MS = 86_400_000;
export const LOST_MS = 120_000;

/** The age of the data decides, not the state of the socket alone. All times in ms. */
export function freshnessOf(
  link: Link,
  sinceGoodMs: number,
  dataAgeMs: number | null,
  replays = false,
): Freshness {
  if (link === "connecting") return "connecting";
  if (link === "down") return sinceGoodMs > LOST_MS ? "lost" : "stale";
  if (replays) return "replay";
  return dataAgeMs !== null && dataAgeMs <= RECENT_MS ? "live" : "history";
}
