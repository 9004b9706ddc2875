import type { MultiPolygon } from "geojson";
import type { Areas, City, Collections, HeatCatalog, Place, Span, Summary } from "./types";

const TIMEOUT_MS = 20_000;

/** Few cities have more areas at the top of their tree. */
const OUTLINES_A_PAGE = 10;

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

/** What went wrong, as the server's "no" where it is none. */
export const problemOf = (cause: unknown): ApiProblem =>
  cause instanceof ApiProblem ? cause : new ApiProblem(0, "about:blank", String(cause));

type Query = Record<string, string | number>;

/** Path with its query, in the order given, so that equal questions have equal addresses. */
export function pathOf(path: string, query: Query = {}): string {
  const text = new URLSearchParams(Object.entries(query).map(([k, v]) => [k, String(v)])).toString();
  return text ? `${path}?${text}` : path;
}

/**
 * An answer of this origin that is no refusal.
 *
 * `no-cache` asks the server whether a stored answer still holds, so a refetch after a live event
 * can never show the frame before it.
 *
 * @throws ApiProblem where the server refused or was silent
 */
async function answerOf(
  path: string,
  query: Query,
  accept: string,
  init: RequestInit = {},
): Promise<Response> {
  const answer = await fetch(pathOf(path, query), {
    ...init,
    headers: { Accept: accept, ...(init.body && { "Content-Type": "application/json" }) },
    credentials: "same-origin",
    cache: "no-cache",
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).catch(silent);
  if (answer.ok) return answer;
  const problem = ((await answer.json().catch(() => null)) ?? {}) as { type?: string; title?: string };
  throw new ApiProblem(answer.status, problem.type ?? "about:blank", problem.title ?? answer.statusText);
}

function silent(cause: unknown): never {
  throw new ApiProblem(0, "urn:onemap:unreachable", String(cause));
}

/** @throws ApiProblem where the server refused, was silent or answered something else than JSON */
export async function getJson<T>(path: string, query: Query = {}): Promise<T> {
  return bodyOf<T>(await answerOf(path, query, "application/json"));
}

/** What the server makes of a body that is sent to it. @throws ApiProblem as `getJson` does */
export async function postJson<T>(path: string, body: unknown): Promise<T> {
  return bodyOf<T>(
    await answerOf(path, {}, "application/json", { method: "POST", body: JSON.stringify(body) }),
  );
}

/** Removes what is at a path. @throws ApiProblem where the server refused or was silent */
export async function remove(path: string): Promise<void> {
  await answerOf(path, {}, "application/json", { method: "DELETE" });
}

async function bodyOf<T>(answer: Response): Promise<T> {
  const body: unknown = await answer.json().catch(() => null);
  if (body !== null) return body as T;
  throw new ApiProblem(answer.status, "about:blank", answer.statusText);
}

export const getCity = () => getJson<City>("/city");

export const getHeatCatalog = () => getJson<HeatCatalog>("/heat");

export const getSummary = (span: Span) => getJson<Summary>("/summary", { from: span.from, to: span.to });

/** An Arrow stream, which `cellsOf` reads. @throws ApiProblem where the server refused or was silent */
export async function getHeatCells(layer: string, { from, to }: Span, res: number): Promise<ArrayBuffer> {
  const path = `/heat/${encodeURIComponent(layer)}/cells`;
  const answer = await answerOf(path, { from, to, res, f: "arrow" }, "application/vnd.apache.arrow.stream");
  return answer.arrayBuffer().catch(silent);
}

/** Everything at one point; six decimals are a tenth of a metre. */
export const getPlace = (lon: number, lat: number, span: Span) =>
  getJson<Place>("/place", { lon: lon.toFixed(6), lat: lat.toFixed(6), from: span.from, to: span.to });

/**
 * Shapes of the areas at the top of the tree, whose level is `top`. Areas are numbered from the top down, so
 * these are the first.
 */
export async function getOutlines(top: string | undefined): Promise<MultiPolygon[]> {
  const outlines: MultiPolygon[] = [];
  for (let after = 0; ; ) {
    const { features } = await getJson<Areas>("/collections/areas/items", { after, limit: OUTLINES_A_PAGE });
    const found = features.filter(({ properties }) => properties.level === top);
    outlines.push(...found.map(({ geometry }) => geometry));
    if (found.length < OUTLINES_A_PAGE) return outlines;
    after = found.at(-1)?.id ?? after;
  }
}

/** What the addresses of a layer's tiles name now. */
export interface TileVersion {
  /** the `v` of their query */
  v: string;
  /** how often the layer had changed, as its event says it too */
  number: number;
}

/** @throws ApiProblem as `getJson` does */
export async function getTileVersion(layer: string): Promise<TileVersion> {
  const { tiles, version } = await getJson<{ tiles: string[]; version: string }>(`/tiles/${layer}.json`);
  const [, query] = (tiles[0] ?? "").split("?");
  return { v: new URLSearchParams(query).get("v") ?? "", number: Number(version.split(".")[1]) };
}

/** The layers that this audience may read: one that it may not is not listed. */
export async function getReadable(): Promise<ReadonlySet<string>> {
  const { collections } = await getJson<Collections>("/collections");
  return new Set(collections.map(({ id }) => id));
}
