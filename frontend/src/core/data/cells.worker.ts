import { type Mesh, meshOf } from "../layers/mesh";
import { ApiProblem, getHeatCells } from "./api";
import { cellsOf } from "./arrow";
import type { HeatMeta, Span } from "./types";

/** What the page asks of the worker. */
export interface CellsRequest {
  id: number;
  layer: string;
  span: Span;
  res: number;
}

/** The answer without its ids, which stay in the worker. */
export interface CellsAnswer {
  id: number;
  meta: HeatMeta;
  /** null where the cells are those of the mesh that was sent last */
  mesh: Mesh | null;
  values: Uint32Array<ArrayBuffer>;
}

export interface CellsFailure {
  id: number;
  failure: { status: number; type: string; title: string };
}

/** The cells of the mesh that was sent last: news change their counts, and hardly ever which cells there are. */
let sent: string | null = null;

/** Fetch, decode and outline away from the main thread: 20 000 cells would cost it several frames. */
self.onmessage = async ({ data: { id, layer, span, res } }: MessageEvent<CellsRequest>) => {
  try {
    const { meta, ids, values } = cellsOf(await getHeatCells(layer, span, res));
    const mesh = meta.set === sent ? null : meshOf(ids);
    const answer: CellsAnswer = { id, meta, mesh, values: values.slice() };
    const outline = mesh ? [mesh.vertices, mesh.owners, mesh.triangles, mesh.areasKm2] : [];
    self.postMessage(answer, { transfer: [answer.values, ...outline].map((array) => array.buffer) });
    sent = meta.set;
  } catch (cause) {
    const problem = cause instanceof ApiProblem ? cause : new ApiProblem(0, "about:blank", String(cause));
    const { status, type, message: title } = problem;
    self.postMessage({ id, failure: { status, type, title } } satisfies CellsFailure);
  }
};
