import type { Mesh } from "../layers/mesh";
import { ApiProblem } from "./api";
import type { CellsAnswer, CellsFailure, CellsRequest } from "./cells.worker";
import CellsWorker from "./cells.worker?worker";
import type { HeatMeta, Span } from "./types";

/** One frame of heat: what was asked, the mesh of its cells and a count for each. */
export interface CellSet {
  meta: HeatMeta;
  /** the same object as in the set before, where its cells are the same */
  mesh: Mesh;
  values: Uint32Array<ArrayBuffer>;
}

interface Waiting {
  resolve(set: CellSet): void;
  reject(problem: ApiProblem): void;
}

/** Loads heat cells through one worker that lives as long as the page. */
export class CellLoader {
  private readonly worker = new CellsWorker();
  private readonly waiting = new Map<number, Waiting>();
  private mesh: Mesh | null = null;
  private nextId = 0;

  constructor() {
    this.worker.onmessage = ({ data }: MessageEvent<CellsAnswer | CellsFailure>) => {
      const waiting = this.waiting.get(data.id);
      this.waiting.delete(data.id);
      if ("failure" in data) {
        const { status, type, title } = data.failure;
        waiting?.reject(new ApiProblem(status, type, title));
        return;
      }
      this.mesh = data.mesh ?? this.mesh;
      if (this.mesh) waiting?.resolve({ meta: data.meta, mesh: this.mesh, values: data.values });
    };
  }

  /** @throws ApiProblem (as a rejection) where the server refused or was silent */
  load(layer: string, span: Span, res: number): Promise<CellSet> {
    const id = this.nextId++;
    this.worker.postMessage({ id, layer, span, res } satisfies CellsRequest);
    return new Promise((resolve, reject) => this.waiting.set(id, { resolve, reject }));
  }
}
