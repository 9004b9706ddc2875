import {
  cellArea,
  cellToBoundary,
  cellToChildren,
  getPentagons,
  getResolution,
  h3IndexToSplitLong,
  latLngToCell,
} from "h3-js";
import { describe, expect, it } from "vitest";
import { type Mesh, meshOf } from "./mesh";

const TORONTO = latLngToCell(43.655, -79.383, 9);

const idsOf = (...cells: string[]) => Uint32Array.from(cells.flatMap(h3IndexToSplitLong));

/** Longitude and latitude of a vertex, back from Web Mercator. */
function place({ anchor, vertices }: Mesh, vertex: number): [number, number] {
  const x = (vertices[2 * vertex] as number) + anchor[0];
  const y = (vertices[2 * vertex + 1] as number) + anchor[1];
  return [x * 360 - 180, (Math.atan(Math.sinh(Math.PI * (1 - 2 * y))) * 180) / Math.PI];
}

/** Sum of the triangles of one cell in Mercator units, without a sign. */
function area({ vertices, owners, triangles }: Mesh, owner: number): number {
  let sum = 0;
  for (let k = 0; k < triangles.length; k += 3) {
    const [a, b, c] = triangles.subarray(k, k + 3) as unknown as [number, number, number];
    if (owners[a] !== owner) continue;
    const at = (v: number) => [vertices[2 * v] as number, vertices[2 * v + 1] as number] as const;
    const [[ax, ay], [bx, by], [cx, cy]] = [at(a), at(b), at(c)];
    sum += ((bx - ax) * (cy - ay) - (cx - ax) * (by - ay)) / 2;
  }
  return Math.abs(sum);
}

describe("the mesh", () => {
  it("puts each corner within a centimetre of where h3 has it", () => {
    const mesh = meshOf(idsOf(TORONTO));
    cellToBoundary(TORONTO).forEach(([lat, lon], k) => {
      const [x, y] = place(mesh, k);
      expect(Math.abs(x - lon)).toBeLessThan(1e-7);
      expect(Math.abs(y - lat)).toBeLessThan(1e-7);
    });
  });

  it("covers a hexagon with four triangles and says whose they are", () => {
    const [first, second] = cellToChildren(TORONTO, 10) as [string, string];
    const mesh = meshOf(idsOf(first, second));
    expect(mesh.triangles).toHaveLength(2 * 4 * 3);
    expect([...mesh.owners]).toEqual([...Array(6).fill(0), ...Array(6).fill(1)]);
  });

  it("fills cells of one size alike", () => {
    const mesh = meshOf(idsOf(...cellToChildren(TORONTO, 10)));
    expect(area(mesh, 0) / area(mesh, 3)).toBeCloseTo(1, 2);
  });

  it("draws a pentagon and a cell that crosses an edge of the icosahedron with all their corners", () => {
    const pentagon = getPentagons(5)[0] as string;
    const crossing = cellToChildren(getPentagons(2)[0] as string, 3).find(
      (cell) => cellToBoundary(cell).length > 6,
    );
    for (const cell of [pentagon, crossing as string]) {
      const corners = cellToBoundary(cell).length;
      const mesh = meshOf(idsOf(cell));
      expect(corners).not.toBe(6);
      expect(mesh.owners).toHaveLength(corners);
      expect(mesh.triangles).toHaveLength(3 * (corners - 2));
    }
  });

  it("knows the area of each cell and the resolutions in the set", () => {
    const coarse = latLngToCell(43.7, -79.4, 6);
    const mesh = meshOf(idsOf(TORONTO, coarse));
    expect(mesh.resolutions).toEqual([6, 9]);
    expect(mesh.areasKm2[1]).toBeCloseTo(cellArea(coarse, "km2"), 4);
  });

  it.each([0, 1, 6, 9, 15])("reads the resolution %d from the id itself", (res) => {
    const cell = latLngToCell(43.7, -79.4, res);
    expect(meshOf(idsOf(cell)).resolutions).toEqual([getResolution(cell), res]);
  });

  it("is empty for no cells", () => {
    const mesh = meshOf(idsOf());
    expect([mesh.count, mesh.triangles.length, ...mesh.resolutions]).toEqual([0, 0, 0, 0]);
  });
});
