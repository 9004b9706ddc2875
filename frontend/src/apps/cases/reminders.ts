import type { Reminder } from "../../core/data/types";

/** What a term is told of, the worst first. */
export const COLOURS = ["red", "overdue", "warn"] as const;

/** More than anybody reads; the queue has them all. */
const MOST = 200;

/** Reminders with one more, newest first: of a case only its latest is told. */
export function withOne(reminders: readonly Reminder[], one: Reminder): Reminder[] {
  return [one, ...without(reminders, one.id)].slice(0, MOST);
}

/** Reminders without those of a case, which somebody has moved or looks at. */
export const without = (reminders: readonly Reminder[], id: number): Reminder[] =>
  reminders.filter((each) => each.id !== id);
