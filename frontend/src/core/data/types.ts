/**
 * Names for the server's answers. Their shapes are generated from its OpenAPI document (`make types`);
 * only what a schema cannot say, and the events of `/live`, is written here.
 * Times are RFC 3339 in UTC, spans are half-open.
 */
import type { MultiPolygon } from "geojson";
import type { components } from "./api.gen";

type Shape = components["schemas"];

export type Bilingual = Shape["NameShape"];
export type Span = Shape["SpanShape"];
export type ZoneType = Shape["ZoneTypeShape"];
export type HeatCatalog = Shape["HeatCatalogShape"];
/** What is told of heat cells beside them: `set` names the list of cells, `as_of` is when nothing newer was known. */
export type HeatMeta = Omit<Shape["HeatCellsShape"], "cells" | "values">;
export type Summary = Shape["SummaryShape"];
export type Place = Shape["PlaceShape"];

export type CaseRow = Shape["CaseShape"];
export type CaseFile = Shape["CaseFileShape"];
export type CaseStep = Shape["StepShape"];
export type CaseTerm = Shape["TermShape"];
export type Move = Shape["MoveShape"];
export type Workflow = Shape["WorkflowShape"];
export type Choices = Shape["ChoicesShape"];
export type Resource = Shape["ResourceShape"];
export type Measure = Shape["MeasureShape"];
export type MeasureFile = Shape["MeasureFileShape"];
export type Campaign = Shape["CampaignShape"];
export type Coverage = Shape["CoverageShape"];
export type ServiceLoad = Shape["ServiceLoadShape"];
export type ServiceCount = Shape["ServiceCountShape"];
export type Duplicate = Shape["DuplicateShape"];

/** Audiences, the least first. */
export type Role = "public" | "room" | "analyst" | "planner" | "dispatcher" | "admin";

export type City = Omit<Shape["CityShape"], "extent" | "audience"> & {
  /** west, south, east, north in degrees */
  extent: [number, number, number, number];
  audience: { role: Role; area: number | null };
};

export interface Collections {
  collections: { id: string }[];
}

export interface Areas {
  features: { id: number; geometry: MultiPolygon; properties: { level: string } }[];
}

/** Events of `GET /live`, by name. */
export interface LiveEvents {
  hello: { now: string; replay: number | null; build: string; role: Role };
  beat: { now: string; replay: number | null };
  layer: { layer: string; version: number };
  /**
   * From now on heat is answered of this version, or of a later one. `cells` are those in which counts
   * have changed, as H3 text; null where they may be any.
   */
  heat: { version: number; at: string; cells: string[] | null };
  incident: LiveFeature;
  /** how a case stands after a move; it tells no text */
  case: { id: number; version: number };
  /** a term of a case has reached a colour; `to` is whose matter that is */
  reminder: Reminder;
  reset: Record<string, never>;
}

export interface Reminder {
  id: number;
  category: string;
  colour: "warn" | "overdue" | "red";
  due_at: string | null;
  to: "dispatcher" | "unit" | "supervisor";
}

/** An incident as the collection's item has it for this audience. */
export interface LiveFeature {
  type: "Feature";
  id: number;
  geometry: { type: "Point"; coordinates: [lon: number, lat: number] } | null;
  properties: { category: string; occurred_at: string; area: string | null } & Record<string, unknown>;
}
