import type { ApiProblem } from "../data/api";
import type { Bilingual } from "../data/types";
import type { Lang } from "../state/url";
import { en } from "./en";
import { zh } from "./zh";

export type Key = keyof typeof en;
export type Dictionary = Readonly<Record<Key, string>>;

export const DICTIONARIES: Readonly<Record<Lang, Dictionary>> = { en, zh };

/** Text of a key, its `{name}` places filled from `values`. */
export function t(lang: Lang, key: Key, values: Readonly<Record<string, string | number>> = {}): string {
  return fill(DICTIONARIES[lang][key], values);
}

/** A text with its `{name}` places filled; one that has no value stays. */
export function fill(text: string, values: Readonly<Record<string, string | number>>): string {
  return text.replace(/\{(\w+)\}/g, (place, name: string) => String(values[name] ?? place));
}

/** Why a question was not answered: the server's own words, or that it gave none. */
export function reasonOf(lang: Lang, problem: ApiProblem): string {
  return problem.status === 0 ? t(lang, "problem.silent") : problem.message;
}

/** A name that the city gives in both languages; the other one where one is empty. */
export function named(name: Bilingual, lang: Lang): string {
  return name[lang] || name.en || name.zh;
}

/** The language of a first visit: what the browser asks for, if the city speaks it. */
export function firstLang(wanted: readonly string[], spoken: readonly string[]): Lang {
  const known = (["zh", "en"] as const).filter((lang) => spoken.includes(lang));
  const match = wanted.map((tag) => tag.slice(0, 2)).find((tag) => known.some((lang) => lang === tag));
  return (match as Lang | undefined) ?? known.find((lang) => lang === spoken[0]) ?? "en";
}
