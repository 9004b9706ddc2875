import type { Lang } from "../../core/state/url";

export const TABS = ["measures", "load"] as const;
export type Tab = (typeof TABS)[number];

export const WHICH = ["open", "overdue", "closed", "all"] as const;
export type Which = (typeof WHICH)[number];

const TEXTS = ["zone", "area", "campaign", "unit", "class", "from", "to"] as const;

/** All that the address of the screen says; empty text restricts nothing. Months are `2026-03`. */
export type Address = Record<(typeof TEXTS)[number], string> & {
  lang: Lang | null;
  tab: Tab;
  which: Which;
  /** number of the open measure */
  open: number | null;
  /** the form of a new measure is open */
  registers: boolean;
};

/** Reads an address; what makes no sense counts as not said. */
export function parseAddress(search: string): Address {
  const query = new URLSearchParams(search);
  const lang = query.get("lang");
  const open = query.get("measure") ?? "";
  const text = (name: (typeof TEXTS)[number]) => query.get(name) ?? "";
  const month = (name: "from" | "to") => (/^\d{4}-(0[1-9]|1[0-2])$/.test(text(name)) ? text(name) : "");
  return {
    lang: lang === "zh" || lang === "en" ? lang : null,
    tab: TABS.find((each) => each === query.get("tab")) ?? "measures",
    which: WHICH.find((each) => each === query.get("show")) ?? "open",
    zone: text("zone"),
    area: /^[1-9]\d{0,15}$/.test(text("area")) ? text("area") : "",
    campaign: text("campaign"),
    unit: text("unit"),
    class: text("class"),
    from: month("from"),
    to: month("to"),
    open: /^[1-9]\d{0,15}$/.test(open) ? Number(open) : null,
    registers: query.has("new"),
  };
}

/** The query that `parseAddress` reads back, empty for an address that says nothing. */
export function formatAddress(address: Address): string {
  const query = new URLSearchParams();
  if (address.lang) query.set("lang", address.lang);
  if (address.tab !== "measures") query.set("tab", address.tab);
  if (address.which !== "open") query.set("show", address.which);
  for (const name of TEXTS) if (address[name]) query.set(name, address[name]);
  if (address.open !== null) query.set("measure", String(address.open));
  if (address.registers) query.set("new", "");
  const text = query.toString().replace("new=", "new");
  return text && `?${text}`;
}

const ASKED: Readonly<Record<Which, Record<string, string>>> = {
  open: { open: "true" },
  overdue: { overdue: "true" },
  closed: { open: "false" },
  all: {},
};

/** What the server is asked for by an address. */
export function askedBy({ which, zone, area, campaign, unit }: Address): Record<string, string> {
  const given = { zone_type: zone, area, campaign, unit };
  return { ...ASKED[which], ...Object.fromEntries(Object.entries(given).filter(([, value]) => value)) };
}
