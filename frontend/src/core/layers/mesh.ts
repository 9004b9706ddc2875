import { cellArea, cellToBoundary, cellToLatLng } from "h3-js";

/** Outlines of a set of H3 cells as one indexed triangle mesh, ready for the graphics card. */
export interface Mesh {
  /** number of cells */
  count: number;
  /** Web Mercator position of the mesh's origin, world = 0..1, kept in double precision */
  anchor: [number, number];
  /** x, y of each vertex relative to `anchor`: near the origin 32 bits are exact to millimetres */
  vertices: Float32Array<ArrayBuffer>;
  /** the cell that each vertex belongs to */
  owners: Uint32Array<ArrayBuffer>;
  /** three vertex numbers for each triangle */
  triangles: Uint32Array<ArrayBuffer>;
  /** area of each cell in km2, its own and not the published average */
  areasKm2: Float32Array<ArrayBuffer>;
  /** coarsest and finest resolution in the set */
  resolutions: [number, number];
}

/** A cell has 5 or 6 corners, and up to 10 where it crosses an edge of the icosahedron. */
const MOST_CORNERS = 10;

const mercatorX = (lon: number) => (lon + 180) / 360;

function mercatorY(lat: number): number {
  const s = Math.sin((lat * Math.PI) / 180);
  return 0.5 - Math.log((1 + s) / (1 - s)) / (4 * Math.PI);
}

/** Bits 52 to 55 of an id are its resolution. */
const resolutionOf = (upper: number) => (upper >>> 20) & 15;

/**
 * Mesh of cells of one resolution or of several.
 *
 * Each outline is a fan of triangles around its first corner, which is right for any convex ring.
 *
 * @param ids uint32[2n], each cell's id as its lower and its upper half
 */
export function meshOf(ids: Uint32Array): Mesh {
  const count = ids.length / 2;
  const vertices = new Float32Array(count * MOST_CORNERS * 2);
  const owners = new Uint32Array(count * MOST_CORNERS);
  const triangles = new Uint32Array(count * (MOST_CORNERS - 2) * 3);
  const areasKm2 = new Float32Array(count);
  const anchor = anchorOf(ids);
  let vertex = 0;
  let corner = 0;
  let coarsest = 15;
  let finest = 0;

  for (let owner = 0; owner < count; owner++) {
    const cell = cellAt(ids, owner);
    const ring = cellToBoundary(cell);
    for (let k = 1; k < ring.length - 1; k++) {
      triangles[corner++] = vertex;
      triangles[corner++] = vertex + k;
      triangles[corner++] = vertex + k + 1;
    }
    for (const [lat, lon] of ring) {
      vertices[2 * vertex] = mercatorX(lon) - anchor[0];
      vertices[2 * vertex + 1] = mercatorY(lat) - anchor[1];
      owners[vertex++] = owner;
    }
    areasKm2[owner] = cellArea(cell, "km2");
    const res = resolutionOf(cell[1]);
    coarsest = Math.min(coarsest, res);
    finest = Math.max(finest, res);
  }

  return {
    count,
    anchor,
    vertices: vertices.slice(0, 2 * vertex),
    owners: owners.slice(0, vertex),
    triangles: triangles.slice(0, corner),
    areasKm2,
    resolutions: [Math.min(coarsest, finest), finest],
  };
}

/** A cell as h3 takes it; a place beyond the end is no cell. */
const cellAt = (ids: Uint32Array, at: number): [number, number] => [ids[2 * at] ?? 0, ids[2 * at + 1] ?? 0];

function anchorOf(ids: Uint32Array): [number, number] {
  if (ids.length === 0) return [0, 0];
  const [lat, lon] = cellToLatLng(cellAt(ids, ids.length >> 2));
  return [mercatorX(lon), mercatorY(lat)];
}
