import type { Part } from "../../core/state/url";

/** What a key asks for. Digits choose a heat layer: 0 all incidents, 1 to 6 the zone types in order. */
export type Action =
  | { kind: "layer"; index: number }
  | { kind: "language" }
  | { kind: "toggle"; part: Part }
  | { kind: "home" }
  | { kind: "close" };

const LETTERS: Readonly<Record<string, Action>> = {
  g: { kind: "language" },
  l: { kind: "toggle", part: "labels" },
  h: { kind: "toggle", part: "heat" },
  z: { kind: "toggle", part: "zones" },
  home: { kind: "home" },
  escape: { kind: "close" },
};

/** The action of a key press, if it has one; chords with a modifier belong to the browser. */
export function actionOf(
  event: Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey">,
): Action | null {
  if (event.ctrlKey || event.metaKey || event.altKey) return null;
  if (/^[0-6]$/.test(event.key)) return { kind: "layer", index: Number(event.key) };
  return LETTERS[event.key.toLowerCase()] ?? null;
}
