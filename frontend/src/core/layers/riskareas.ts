import type { ExpressionSpecification, Map as GlMap, LayerSpecification } from "maplibre-gl";
import type { ZoneType } from "../data/types";
import { MAP_COLOURS as C } from "../map/palette";
import { ABOVE_ZONES, FONT_STACK, nameIn, tileSource, tileUrls } from "../map/style";
import type { Lang } from "../state/url";

const OUTLINES = ["zone-casing", "zone-line"] as const;
const MARKS = ["zone-chip", "zone-label"] as const;

const TILE_MIN_ZOOM = 8;

/** Names stand beside their chips from here on; a chosen zone type has few, so it names them earlier. */
const NAME_ZOOM = 12.5;

/** Farther off, a hundred chips would hide the hottest cells. */
const CHIP_ZOOM = 11.2;

/** Colour of the zone type: it is given to the chip beside the name only, never to an area of the map. */
const colourOf = (types: readonly ZoneType[]): ExpressionSpecification | string =>
  types.length
    ? ([
        "match",
        ["get", "zone_type"],
        ...types.flatMap(({ code, colour }) => [code, colour]),
        C.zone,
      ] as unknown as ExpressionSpecification)
    : C.zone;

/** Reach of the risk areas: a dashed white line on a dark casing, which reads on any heat. */
export function addRiskAreas(
  map: GlMap,
  types: readonly ZoneType[],
  lang: Lang,
  v: string | undefined,
): void {
  map.addSource("risk_areas", tileSource(TILE_MIN_ZOOM, tileUrls("risk_areas", v)));
  // biome-ignore format: zoom and value in pairs
  const width = (px: number): ExpressionSpecification => [
    "interpolate", ["linear"], ["zoom"], 9, 0.6 * px, 12, px, 15, 1.5 * px,
  ];
  const outline = { source: "risk_areas", "source-layer": "risk_areas", type: "line" } as const;
  const mark = { source: "risk_areas", "source-layer": "risk_area_labels" } as const;
  const layers: LayerSpecification[] = [
    { ...outline, id: "zone-casing", paint: { "line-color": C.zoneCasing, "line-width": width(3.6) } },
    {
      ...outline,
      id: "zone-line",
      paint: { "line-color": C.zone, "line-width": width(1.5), "line-dasharray": [2.6, 1.8] },
    },
    {
      ...mark,
      id: "zone-chip",
      type: "circle",
      minzoom: CHIP_ZOOM,
      paint: {
        "circle-color": colourOf(types),
        "circle-radius": ["interpolate", ["linear"], ["zoom"], 9, 2.4, 12, 4, 15, 5],
        "circle-stroke-color": C.halo,
        "circle-stroke-width": 1.6,
      },
    },
    {
      ...mark,
      id: "zone-label",
      type: "symbol",
      layout: {
        "text-field": nameIn(lang),
        "text-font": FONT_STACK,
        "text-size": ["interpolate", ["linear"], ["zoom"], 10, 12, 15, 15],
        "text-variable-anchor-offset": [
          "left",
          [0.7, 0],
          "right",
          [-0.7, 0],
          "top",
          [0, 0.7],
          "bottom",
          [0, -0.7],
        ],
        "text-justify": "auto",
        "text-max-width": 9,
      },
      paint: { "text-color": C.zone, "text-halo-color": C.halo, "text-halo-width": 2, "text-halo-blur": 0.4 },
    },
  ];
  // Names of risk areas come last and so win the room that names of areas would take.
  for (const layer of layers) map.addLayer(layer, layer.type === "symbol" ? undefined : ABOVE_ZONES);
}

/** All risk areas together stand back while the whole city is in view. */
const FADE: ExpressionSpecification = ["interpolate", ["linear"], ["zoom"], 10, 0.45, 12, 0.9];

/** Shows the risk areas of one zone type in full, or all of them quietly (`null`). */
export function chooseZoneType(map: GlMap, code: string | null): void {
  const filter: ExpressionSpecification | null = code ? ["==", ["get", "zone_type"], code] : null;
  for (const id of [...OUTLINES, ...MARKS]) map.setFilter(id, filter);
  // One type needs no chips to tell it from others, and they would hide the cells it is about.
  map.setPaintProperty("zone-chip", "circle-opacity", code ? 0 : 1);
  map.setPaintProperty("zone-chip", "circle-stroke-opacity", code ? 0 : 1);
  map.setPaintProperty("zone-line", "line-opacity", code ? 1 : FADE);
  map.setPaintProperty("zone-casing", "line-opacity", code ? 0.8 : 0.5);
  map.setLayerZoomRange("zone-label", code ? 0 : NAME_ZOOM, 24);
}

export const RISK_AREA_LAYERS: readonly string[] = [...OUTLINES, ...MARKS];
