import type { Told } from "../../core/data/cases";
import type { CaseFile, Move } from "../../core/data/types";

/** A move that is chosen and not made yet, with what was typed for it. */
export interface Draft {
  move: string;
  /** of the case as it was shown when the move was chosen, or when its news were shown */
  version: number;
  reason: string;
  unit: string;
  rating: number | null;
}

export const chosen = (move: Move, { case: { version } }: CaseFile, typed: Draft | null): Draft => ({
  reason: typed?.reason ?? "",
  unit: typed?.unit ?? "",
  rating: typed?.rating ?? null,
  move: move.code,
  version,
});

/** Whether the case has moved since the draft was begun, so that a person has to look again. */
export const movedOn = (draft: Draft, file: CaseFile): boolean => file.case.version > draft.version;

/** What is sent with the move: only what it takes. */
export function told({ needs }: Move, { reason, unit, rating }: Draft): Told {
  return {
    ...(reason.trim() && { reason: reason.trim() }),
    ...(needs.includes("unit") && { unit: unit.trim() }),
    ...(needs.includes("rating") && rating !== null && { rating }),
  };
}

/** The first thing that the move needs and that is not there yet. */
export function missing({ needs }: Move, { reason, unit, rating }: Draft): Move["needs"][number] | null {
  const there = { reason: reason.trim() !== "", unit: unit.trim() !== "", rating: rating !== null };
  return (["unit", "rating", "reason"] as const).find((name) => needs.includes(name) && !there[name]) ?? null;
}
