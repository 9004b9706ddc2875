import type { Geometry, Position } from "geojson";

/** west, south, east, north in degrees */
export type Bounds = [number, number, number, number];

/** The smallest box around all positions of `geometries`; null where there is none. */
export function boundsOf(geometries: Iterable<Geometry | null>): Bounds | null {
  const box: Bounds = [Infinity, Infinity, -Infinity, -Infinity];
  for (const geometry of geometries) if (geometry) widen(box, geometry);
  return box[0] <= box[2] ? box : null;
}

function widen(box: Bounds, geometry: Geometry): void {
  if (geometry.type === "GeometryCollection") for (const part of geometry.geometries) widen(box, part);
  else widenBy(box, geometry.coordinates);
}

type Nested = Position | Nested[];

function widenBy(box: Bounds, nested: Nested): void {
  if (typeof nested[0] !== "number") {
    for (const part of nested as Nested[]) widenBy(box, part);
    return;
  }
  const [lon, lat] = nested as [number, number];
  box[0] = Math.min(box[0], lon);
  box[1] = Math.min(box[1], lat);
  box[2] = Math.max(box[2], lon);
  box[3] = Math.max(box[3], lat);
}
