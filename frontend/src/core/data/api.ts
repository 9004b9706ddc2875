import type { City, Collections, HeatCatalog, HeatCells, Place, Span, Summary } from "./types";

const TIMEOUT_MS = 20_000;

/** The server's "no", read from its RFC 9457 problem document. `status` 0 means no answer came. */
export class ApiProblem extends Error {
  constructor(
    readonly status: number,
    readonly type: string,
    title: string,
  ) {
    super(title);
    this.name = "ApiProblem";
  }
}

type Query = Record<string, string | number>;

/** Path with its query, in the order given, so that equal questions have equal addresses. */
export function pathOf(path: string, query: Query = {}): string {
  const text = new URLSearchParams(Object.entries(query).map(([k, v]) => [k, String(v)])).toString();
  return text ? `${path}?${text}` : path;
}

/**
 * One JSON answer from this origin.
 *
 * `no-cache` asks the server whether a stored answer still holds, so a refetch after a live event
 * can never show the frame before it.
 *
 * @throws ApiProblem where the server refused, was silent or answered something else than JSON
 */
export async function getJson<T>(path: string, query: Query = {}): Promise<T> {
  let answer: Response;
  try {
    answer = await fetch(pathOf(path, query), {
      headers: { Accept: "application/json" },
      credentials: "same-origin",
      cache: "no-cache",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch (cause) {
    throw new ApiProblem(0, "urn:onemap:unreachable", String(cause));
  }
  const body: unknown = await answer.json().catch(() => null);
  if (answer.ok && body !== null) return body as T;
  const problem = (body ?? {}) as { type?: string; title?: string };
  throw new ApiProblem(answer.status, problem.type ?? "about:blank", problem.title ?? answer.statusText);
}

export const getCity = () => getJson<City>("/city");

export const getHeatCatalog = () => getJson<HeatCatalog>("/heat");

export const getSummary = (span: Span) => getJson<Summary>("/summary", { from: span.from, to: span.to });

export const getHeatCells = (layer: string, span: Span, res: number) =>
  getJson<HeatCells>(`/heat/${encodeURIComponent(layer)}/cells`, { from: span.from, to: span.to, res });

/** Everything at one point; six decimals are a tenth of a metre. */
export const getPlace = (lon: number, lat: number, span: Span) =>
  getJson<Place>("/place", { lon: lon.toFixed(6), lat: lat.toFixed(6), from: span.from, to: span.to });

/** The layers that this audience may read: one that it may not is not listed. */
export async function getReadable(): Promise<ReadonlySet<string>> {
  const { collections } = await getJson<Collections>("/collections");
  return new Set(collections.map(({ id }) => id));
}
