import type { Lang } from "../../core/state/url";

/** Which cases are in the queue; empty text restricts nothing. */
export interface Filters {
  /** open ones, ended ones, or those that are over their term */
  which: Which;
  state: string;
  category: string;
  unit: string;
  area: string;
  workflow: string;
}

export const WHICH = ["open", "late", "ended", "all"] as const;
export type Which = (typeof WHICH)[number];

export const NAMES = ["state", "category", "unit", "area", "workflow"] as const;

export const ALL: Readonly<Filters> = {
  which: "open",
  state: "",
  category: "",
  unit: "",
  area: "",
  workflow: "",
};

/** All that the address of a desk says. */
export interface Address {
  lang: Lang | null;
  filters: Filters;
  /** number of the open case */
  open: number | null;
  registers: boolean;
}

/** Reads an address; what makes no sense counts as not said. */
export function parseAddress(search: string): Address {
  const query = new URLSearchParams(search);
  const lang = query.get("lang");
  const open = query.get("case") ?? "";
  const which = WHICH.find((each) => each === query.get("show")) ?? ALL.which;
  const given = Object.fromEntries(NAMES.map((name) => [name, query.get(name) ?? ""]));
  return {
    lang: lang === "zh" || lang === "en" ? lang : null,
    filters: { ...ALL, ...given, which },
    open: /^[1-9]\d{0,15}$/.test(open) ? Number(open) : null,
    registers: query.has("new"),
  };
}

/** The query that `parseAddress` reads back, empty for an address that says nothing. */
export function formatAddress({ lang, filters, open, registers }: Address): string {
  const query = new URLSearchParams();
  if (lang) query.set("lang", lang);
  if (filters.which !== ALL.which) query.set("show", filters.which);
  for (const name of NAMES) if (filters[name]) query.set(name, filters[name]);
  if (open !== null) query.set("case", String(open));
  if (registers) query.set("new", "");
  const text = query.toString().replace("new=", "new");
  return text && `?${text}`;
}

const ASKED: Readonly<Record<Which, Record<string, string>>> = {
  open: { open: "true" },
  late: { late: "true" },
  ended: { open: "false" },
  all: {},
};

/** What the server is asked for by these filters. */
export function askedBy({ which, ...given }: Filters): Record<string, string> {
  const narrowed = NAMES.filter((name) => given[name]).map((name) => [name, given[name]]);
  return { ...ASKED[which], ...Object.fromEntries(narrowed) };
}
