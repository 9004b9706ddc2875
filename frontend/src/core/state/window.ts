import type { HeatCatalog, Span } from "../data/types";

/** The windows a person may choose, in days, all ending where the data end. */
export const WINDOWS = { "7d": 7, "30d": 30, "90d": 90, "1y": 365 } as const;

export type WindowName = keyof typeof WINDOWS;

const DAY_MS = 86_400_000;

export const isWindowName = (text: string): text is WindowName => Object.hasOwn(WINDOWS, text);

/** RFC 3339 without fractions, so that equal instants are equal addresses. */
const rfc3339 = (ms: number) => new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");

/**
 * The half-open span that the screen shows; null while there is nothing to show.
 *
 * An audience without exact heat sees published bins only, whatever was chosen; without a choice the
 * server's own default holds.
 */
export function spanOf(catalog: HeatCatalog, chosen: WindowName | null, timeZone: string): Span | null {
  const { span, policy, default_window } = catalog;
  if (!policy.exact) return policy.bin;
  if (!chosen || !span) return default_window;
  return { from: rfc3339(daysBefore(Date.parse(span.to), WINDOWS[chosen], timeZone)), to: span.to };
}

/** The same time of day `days` earlier: across a change of the clocks that is not a multiple of 24 h. */
function daysBefore(ms: number, days: number, timeZone: string): number {
  const guess = ms - days * DAY_MS;
  return guess + offsetMs(ms, timeZone) - offsetMs(guess, timeZone);
}

/** How far the clocks of a time zone are ahead of UTC, read from a name such as `GMT-05:00`. */
function offsetMs(ms: number, timeZone: string): number {
  const parts = new Intl.DateTimeFormat("en", { timeZone, timeZoneName: "longOffset" }).formatToParts(ms);
  const name = parts.find(({ type }) => type === "timeZoneName")?.value ?? "";
  const [, sign, hours, minutes] = /GMT([+-])(\d+):(\d+)/.exec(name) ?? ["", "+", "0", "0"];
  return (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
}

/** The name of a span's length, so that the control can mark the server's default as chosen. */
export function nameOf(span: Span): WindowName | null {
  const days = Math.round((Date.parse(span.to) - Date.parse(span.from)) / DAY_MS);
  return (Object.keys(WINDOWS) as WindowName[]).find((name) => WINDOWS[name] === days) ?? null;
}
