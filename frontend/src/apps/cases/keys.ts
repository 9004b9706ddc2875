/** What a key press asks the desk for; letters of moves are the open case's own. */
export type Action =
  | { kind: "step"; by: number }
  | { kind: "end"; last: boolean }
  | { kind: "open" }
  | { kind: "back" }
  | { kind: "filter" }
  | { kind: "help" }
  | { kind: "language" }
  | { kind: "register" }
  | { kind: "map" }
  | { kind: "move"; letter: string };

const KEYS: Readonly<Record<string, Action>> = {
  j: { kind: "step", by: 1 },
  ArrowDown: { kind: "step", by: 1 },
  k: { kind: "step", by: -1 },
  ArrowUp: { kind: "step", by: -1 },
  PageDown: { kind: "step", by: 10 },
  PageUp: { kind: "step", by: -10 },
  Home: { kind: "end", last: false },
  End: { kind: "end", last: true },
  Enter: { kind: "open" },
  Escape: { kind: "back" },
  "/": { kind: "filter" },
  "?": { kind: "help" },
  g: { kind: "language" },
  n: { kind: "register" },
  m: { kind: "map" },
};

/** Letters that moves cannot have. */
const TAKEN = Object.keys(KEYS).filter((key) => /^[a-z]$/.test(key));

/** Where a key was pressed: text is typed in a field, a button and a select do by a key what they do by a click. */
export type Place = "field" | "control" | "list" | "map";

const OF_CONTROLS = ["Enter", "ArrowDown", "ArrowUp", "PageDown", "PageUp", "Home", "End"];
const OF_THE_MAP = OF_CONTROLS.filter((key) => key !== "Enter");

/** The action of a key press at a place, if it has one; chords with a modifier belong to the browser. */
export function actionOf(
  { key, ctrlKey, metaKey, altKey }: Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey">,
  place: Place,
): Action | null {
  if (ctrlKey || metaKey || altKey) return null;
  if (place === "field" && key !== "Escape") return null;
  if (place === "control" && OF_CONTROLS.includes(key)) return null;
  if (place === "map" && OF_THE_MAP.includes(key)) return null;
  const own = KEYS[key] ?? KEYS[key.toLowerCase()];
  if (own) return own;
  return /^[a-z]$/i.test(key) ? { kind: "move", letter: key.toLowerCase() } : null;
}

/** A letter for each move: the first of its code that is free, so that the same moves have the same letters. */
export function lettersOf(moves: readonly { code: string }[]): Map<string, string> {
  const used = new Set(TAKEN);
  const letters = new Map<string, string>();
  for (const { code } of moves) {
    const letter = [...code, ..."abcdefghijklmnopqrstuvwxyz"].find(
      (each) => /[a-z]/.test(each) && !used.has(each),
    );
    if (!letter) continue;
    used.add(letter);
    letters.set(code, letter);
  }
  return letters;
}
