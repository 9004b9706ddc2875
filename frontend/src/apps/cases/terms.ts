import type { Formats } from "../../core/i18n/format";
import type { Lang } from "../../core/state/url";
import { say } from "./words";

/** How a term stands: in time, to be warned of, over, long over; none where no clock runs. */
export type Colour = "green" | "warn" | "overdue" | "red" | "none";

/** The moments of a term, RFC 3339; the next colour begins at each of them. */
export interface Moments {
  due_at: string | null;
  warn_at: string | null;
  red_at: string | null;
}

/** Colour of a term at a moment in ms, as the server has it: a term is over at the moment it is due. */
export function colourAt({ due_at, warn_at, red_at }: Moments, at: number): Colour {
  if (due_at === null) return "none";
  const past = (moment: string | null) => moment !== null && at >= Date.parse(moment);
  if (past(red_at)) return "red";
  if (past(due_at)) return "overdue";
  return past(warn_at) ? "warn" : "green";
}

/** Time that is left of a term, or by which it is over, in words. */
export function leftIn(lang: Lang, formats: Formats, due_at: string | null, at: number): string {
  if (due_at === null) return say(lang, "term.none");
  const left = Date.parse(due_at) - at;
  return left > 0
    ? say(lang, "term.left", { age: formats.age(left) })
    : say(lang, "term.over", { age: formats.age(-left) });
}

/** Part of a term that has gone by, 0 to 1. */
export function spent(start_at: string, due_at: string, at: number): number {
  const [start, due] = [Date.parse(start_at), Date.parse(due_at)];
  return due <= start ? 1 : Math.min(1, Math.max(0, (at - start) / (due - start)));
}
