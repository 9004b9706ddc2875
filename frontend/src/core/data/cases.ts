import { getJson, postJson, remove } from "./api";
import type { components } from "./api.gen";
import type { CaseFile, CaseRow, Choices, Duplicate, Resource, Workflow } from "./types";

/** Most cases of one answer. */
const PAGE = 200;

/**
 * A part of the queue from its beginning; `next` is where it goes on, null at its end. `total` is how many
 * cases the queue has, told with its first page; null where they are too many to count.
 */
export interface Queue {
  cases: CaseRow[];
  next: string | null;
  total: number | null;
}

/**
 * The queue, at least `count` cases of it where there are as many, from `after` on.
 *
 * @throws ApiProblem as `getJson` does
 */
export async function getQueue(
  asked: Readonly<Record<string, string>>,
  count = PAGE,
  after: string | null = null,
): Promise<Queue> {
  const cases = new Map<number, CaseRow>();
  let next = after;
  let total: number | null = null;
  do {
    const query = { ...asked, limit: PAGE, ...(next !== null && { after: next }) };
    const page = await getJson<Queue>("/cases", query);
    // A case that moved between two pages may stand on both.
    for (const each of page.cases) cases.set(each.id, each);
    next = page.next;
    total ??= page.total;
  } while (next !== null && cases.size < count);
  return { cases: [...cases.values()], next, total };
}

export const getCase = (id: number) => getJson<CaseFile>(`/cases/${id}`);

export const getChoices = () => getJson<Choices>("/cases/choices");

export type Area = components["schemas"]["NamedAreaShape"];

/** Areas whose name holds the text, or whose code begins with it, from the top of the tree down. */
export const getAreas = async (text: string) =>
  (await getJson<{ areas: Area[] }>("/cases/areas", { text })).areas;

export const photoOf = (id: number) => `/cases/${id}/photo`;

/** Removes the photo of a case for good. @throws ApiProblem as `getJson` does */
export const removePhoto = (id: number) => remove(photoOf(id));

export const getWorkflows = async () =>
  (await getJson<{ workflows: Workflow[] }>("/cases/workflows")).workflows;

/** What is told with a move; what it does not take is left out. */
export interface Told {
  reason?: string;
  unit?: string;
  rating?: number;
}

/** Makes a move from the version that was seen. @throws ApiProblem, 409 where the case has moved on */
export const postMove = (id: number, move: string, version: number, told: Told) =>
  postJson<CaseFile>(`/cases/${id}/moves`, { move, version, ...told });

export interface NewCase {
  source_key: string;
  category: string;
  lon: number;
  lat: number;
  workflow: string;
  origin: string;
  report?: string;
}

/** Registers a case; its number. @throws ApiProblem as `getJson` does */
export const postCase = async (given: NewCase) => (await postJson<{ id: number }>("/cases", given)).id;

/** Cases that may tell of the same thing, likeliest first. @throws ApiProblem as `getJson` does */
export const getDuplicates = async (id: number) =>
  (await getJson<{ duplicates: Duplicate[] }>(`/cases/${id}/duplicates`)).duplicates;

/** Most resources that the server tells of. */
const MOST_NEAR = 50;

/** Resources with a team that a case can be dispatched to, nearest first, each team once. @throws ApiProblem */
export async function getTeams(id: number): Promise<Resource[]> {
  const { resources } = await getJson<{ resources: Resource[] }>(`/cases/${id}/nearest`, {
    limit: MOST_NEAR,
  });
  const teams = new Map<string, Resource>();
  for (const each of resources) if (each.unit && !teams.has(each.unit)) teams.set(each.unit, each);
  return [...teams.values()];
}

export const mergeCase = (id: number, into: number) => postJson(`/cases/${id}/merge`, { into });

export const splitCase = (id: number) => postJson(`/cases/${id}/split`, {});
