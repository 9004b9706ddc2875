import { getJson, postJson } from "./api";
import type { Campaign, Coverage, Measure, MeasureFile, ServiceLoad } from "./types";

type Asked = Readonly<Record<string, string>>;

const PAGE = 100;

/** A page of measures; `next` is where it goes on, null at its end. */
export interface Measures {
  measures: Measure[];
  next: number | null;
}

/** @throws ApiProblem as `getJson` does */
export const getMeasures = (asked: Asked, after = 0) =>
  getJson<Measures>("/measures", { ...asked, limit: PAGE, ...(after > 0 && { after }) });

export const getMeasure = (id: number) => getJson<MeasureFile>(`/measures/${id}`);

/** What is covered and overdue, by zone type or by campaign, in an area or in the city. */
export const getCoverage = (by: "zone_type" | "campaign", area: string) =>
  getJson<Coverage>("/measures/coverage", { by, ...(area && { area }) });

export const getCampaigns = async () =>
  (await getJson<{ campaigns: Campaign[] }>("/measures/campaigns")).campaigns;

/** Says that a measure was done so often; `at` is now where it is not given. */
export const postEvidence = (id: number, told: { key: string; count: number; at?: string }) =>
  postJson<{ period: number; fresh: boolean }>(`/measures/${id}/evidence`, told);

/** What registers a measure: bound to one of a zone type, an area and a campaign at least; days are the city's. */
export interface NewMeasure {
  key: string;
  name_zh: string;
  name_en: string;
  zone_type?: string;
  area?: number;
  campaign?: string;
  unit: string;
  every: Measure["every"];
  target: number;
  first_day: string;
  last_day: string;
}

/** Registers a measure; its number. */
export const postMeasure = async (given: NewMeasure) =>
  (await postJson<{ id: number }>("/measures", given)).id;

export const getServiceLoad = (asked: Asked) => getJson<ServiceLoad>("/service-load", asked);
