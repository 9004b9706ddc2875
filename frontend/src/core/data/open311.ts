/**
 * Open311, as a page without a key asks it: what can be reported, a report, and how one stands by its token.
 * Names come in the language that is asked for. What fails is an `ApiProblem`, as everywhere.
 */
import type { Lang } from "../state/url";
import { ApiProblem } from "./api";
import type { components } from "./api.gen";

type Shape = components["schemas"];

export type Service = Shape["ServiceShape"];
export type Question = Shape["AttributeShape"];
export type Request = Shape["RequestShape"];
/** A move that whoever holds the token of a report can make. */
export type Ask = Shape["AskShape"];

/** What a person filled in; `answers` by the code of their question. */
export interface Filled {
  service: string;
  lon: number;
  lat: number;
  text: string;
  answers: Readonly<Record<string, readonly string[]>>;
  photo: File | null;
}

const ROOT = "/open311/v2";
const TIMEOUT_MS = 20_000;
/** A photo on its way from a phone. */
const UPLOAD_MS = 120_000;

export const getServices = (lang: Lang) => ask<Service[]>("/services.json", lang);

export const getQuestions = async (service: string, lang: Lang) =>
  (await ask<Shape["DefinitionShape"]>(`/services/${encodeURIComponent(service)}.json`, lang)).attributes;

/** How the report of a token stands, with its history. @throws ApiProblem 404 where there is none */
export async function getReport(token: string, lang: Lang): Promise<Request> {
  const path = `/requests/${encodeURIComponent(token)}.json?extensions=true`;
  return only(await ask<Request[]>(path, lang));
}

/** Reports something; the token that shows how it stands. */
export async function postReport(filled: Filled, lang: Lang): Promise<string> {
  const taken = await ask<Shape["TakenShape"][]>("/requests.json", lang, formOf(filled));
  return only(taken).token ?? "";
}

/** Makes a move with the report of a token; how that stands afterwards. @throws ApiProblem 409 where it cannot be made now */
export const postMove = (
  token: string,
  move: string,
  told: { rating?: number; reason?: string },
  lang: Lang,
) => ask<Request>(`/tokens/${encodeURIComponent(token)}/moves`, lang, JSON.stringify({ move, ...told }));

/** The form as the standard wants it, in parts where it has a file; six decimals are a tenth of a metre. */
export function formOf({ service, lon, lat, text, answers, photo }: Filled): URLSearchParams | FormData {
  const fields = new URLSearchParams({
    service_code: service,
    long: lon.toFixed(6),
    lat: lat.toFixed(6),
    description: text,
  });
  for (const [code, values] of Object.entries(answers)) {
    for (const value of values) fields.append(`attribute[${code}]${values.length > 1 ? "[]" : ""}`, value);
  }
  if (!photo) return fields;
  const form = new FormData();
  for (const [name, value] of fields) form.append(name, value);
  form.append("media", photo);
  return form;
}

/** The standard's "no", a list of codes and descriptions, or a problem document. */
export function refusalOf(status: number, body: unknown): ApiProblem {
  const [first] = Array.isArray(body) ? (body as { description?: string }[]) : [];
  const title = (body as { title?: string } | null)?.title;
  return new ApiProblem(status, "about:blank", first?.description ?? title ?? `${status}`);
}

function only<T>(list: readonly T[]): T {
  const [one] = list;
  if (one === undefined) throw new ApiProblem(404, "about:blank", "nothing was answered");
  return one;
}

async function ask<T>(path: string, lang: Lang, form?: URLSearchParams | FormData | string): Promise<T> {
  const answer = await fetch(ROOT + path, {
    method: form ? "POST" : "GET",
    headers: {
      Accept: "application/json",
      "Accept-Language": lang,
      ...(typeof form === "string" && { "Content-Type": "application/json" }),
    },
    ...(form && { body: form }),
    credentials: "same-origin",
    cache: "no-cache",
    signal: AbortSignal.timeout(form instanceof FormData ? UPLOAD_MS : TIMEOUT_MS),
  }).catch((cause: unknown) => {
    throw new ApiProblem(0, "urn:onemap:unreachable", String(cause));
  });
  const body: unknown = await answer.json().catch(() => null);
  if (answer.ok && body !== null) return body as T;
  throw refusalOf(answer.status, body);
}
