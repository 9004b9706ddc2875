import type { MultiPolygon, Position } from "geojson";

type Ring = Position[];

/** As far north and south as the map reaches. */
const MOST_LAT = 85.0511;

const WORLD: Ring = [
  [-180, -MOST_LAT],
  [180, -MOST_LAT],
  [180, MOST_LAT],
  [-180, MOST_LAT],
  [-180, -MOST_LAT],
];

/**
 * All of the map that lies outside some shapes, in degrees.
 *
 * The world has their outer rings as its holes; a gap in a shape is a ground of its own, in which other shapes
 * may lie as islands. Shapes may share borders, and may not overlap.
 */
export function surroundingsOf(shapes: readonly MultiPolygon[]): MultiPolygon {
  const polygons = shapes.flatMap(({ coordinates }) => coordinates);
  const gaps = polygons.flatMap(([, ...inner]) => inner).sort((a, b) => sizeOf(a) - sizeOf(b));
  const world = [WORLD];
  const grounds = gaps.map((gap) => [gap]);
  for (const [outer] of polygons) {
    // The smallest gap around an island is the one that it lies in.
    if (outer) (grounds.find(([gap]) => gap && liesIn(outer, gap)) ?? world).push(outer);
  }
  return { type: "MultiPolygon", coordinates: [world, ...grounds] };
}

/** Area in square degrees, good for telling which of two rings is within the other. */
function sizeOf(ring: Ring): number {
  let twice = 0;
  eachEdge(ring, (ax, ay, bx, by) => {
    twice += ax * by - bx * ay;
  });
  return Math.abs(twice) / 2;
}

/** Rings do not cross but may touch, so that most of the corners tell, those on the border being inside. */
function liesIn(ring: Ring, other: Ring): boolean {
  return ring.filter((corner) => covers(other, corner)).length > ring.length / 2;
}

function covers(ring: Ring, [x = 0, y = 0]: Position): boolean {
  let inside = false;
  let corner = false;
  eachEdge(ring, (ax, ay, bx, by) => {
    corner ||= ax === x && ay === y;
    if (ay > y !== by > y && x < ax + ((y - ay) / (by - ay)) * (bx - ax)) inside = !inside;
  });
  return inside || corner;
}

function eachEdge(ring: Ring, visit: (ax: number, ay: number, bx: number, by: number) => void): void {
  let [ax = 0, ay = 0] = ring.at(-1) ?? [];
  for (const [bx = 0, by = 0] of ring) {
    visit(ax, ay, bx, by);
    ax = bx;
    ay = by;
  }
}
