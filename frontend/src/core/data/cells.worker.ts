import { type Mesh, meshOf } from "../layers/mesh";
import { ApiProblem, getHeatCells } from "./api";
import type { HeatCells, Span } from "./types";

/** What the page asks of the worker. */
export interface CellsRequest {
  id: number;
  layer: string;
  span: Span;
  res: number;
}

/** The answer without its list of ids, which stays in the worker, plus the mesh made from it. */
export interface CellsAnswer {
  id: number;
  meta: Omit<HeatCells, "cells" | "values">;
  mesh: Mesh;
  values: Float32Array<ArrayBuffer>;
}

export interface CellsFailure {
  id: number;
  failure: { status: number; type: string; title: string };
}

/** Fetch, parse and outline away from the main thread: 20 000 cells would cost it several frames. */
self.onmessage = async ({ data: { id, layer, span, res } }: MessageEvent<CellsRequest>) => {
  try {
    const { cells, values, ...meta } = await getHeatCells(layer, span, res);
    const mesh = meshOf(cells);
    const answer: CellsAnswer = { id, meta, mesh, values: Float32Array.from(values) };
    const { vertices, owners, triangles, areasKm2 } = mesh;
    self.postMessage(answer, {
      transfer: [vertices, owners, triangles, areasKm2, answer.values].map((array) => array.buffer),
    });
  } catch (cause) {
    const problem = cause instanceof ApiProblem ? cause : new ApiProblem(0, "about:blank", String(cause));
    const { status, type, message: title } = problem;
    self.postMessage({ id, failure: { status, type, title } } satisfies CellsFailure);
  }
};
