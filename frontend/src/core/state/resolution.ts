/** Average edge of an H3 cell in metres, by resolution (h3geo.org). */
// biome-ignore format: a table
export const EDGE_M: Readonly<Record<number, number>> = {
  4: 26_072, 5: 9_854, 6: 3_725, 7: 1_406, 8: 531.4, 9: 200.8, 10: 75.9,
};

export const COARSEST = 6;
export const FINEST = 10;

/** The edge that reads best on the screen: below 5 px cells are grain, above 13 px they are tiles. */
const WANTED_EDGE_PX = 8;
const MOST_CELLS = 30_000;
const EQUATOR_M = 40_075_016.686;
const TILE_PX = 512;

export interface View {
  zoom: number;
  /** latitude of the view's middle, degrees */
  lat: number;
  /** part of the view that lies over the city, km2 */
  cityKm2: number;
}

/** Metres on the ground that one CSS pixel covers. */
export const metresPerPixel = (zoom: number, lat: number) =>
  (EQUATOR_M * Math.cos((lat * Math.PI) / 180)) / (TILE_PX * 2 ** zoom);

/** Area of a regular hexagon, km2. */
const hexagonKm2 = (edgeM: number) => (1.5 * Math.sqrt(3) * edgeM ** 2) / 1e6;

/**
 * H3 resolution for a view: the one whose edge comes nearest to 8 px (on a logarithmic scale), but
 * coarser where the view would hold more than 30 000 cells or the audience may see nothing finer.
 */
export function resolutionFor({ zoom, lat, cityKm2 }: View, finestAllowed = FINEST): number {
  const scale = metresPerPixel(zoom, lat);
  const misfit = (res: number) => Math.abs(Math.log((EDGE_M[res] as number) / scale / WANTED_EDGE_PX));
  const cells = (res: number) => cityKm2 / hexagonKm2(EDGE_M[res] as number);
  const finest = Math.min(FINEST, Math.max(COARSEST, finestAllowed));
  let best = COARSEST;
  for (let res = COARSEST; res <= finest; res++) {
    if (misfit(res) < misfit(best) && cells(res) <= MOST_CELLS) best = res;
  }
  return best;
}
