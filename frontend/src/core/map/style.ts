import type {
  ExpressionSpecification,
  FontFacesSpecification,
  LayerSpecification,
  StyleSpecification,
} from "maplibre-gl";
import type { City } from "../data/types";
import type { Lang } from "../state/url";
import { HAN, LATIN } from "./fonts";
import { MAP_COLOURS, type MapColours } from "./palette";

/** Fonts of all text on the map, in order of preference for each character. */
export const FONT_STACK = [LATIN, HAN];

/** Layers are put below these, so that order never depends on who comes first. */
export const ABOVE_HEAT = "surroundings";
export const ABOVE_ZONES = "area-label";

/** Grids appear where the finest of them is about a thumb wide. */
const GRID_ZOOM = 13;
const GRID_LABEL_ZOOM = 14.5;

/** The name in the language of the screen, or else in the other one. */
export const nameIn = (lang: Lang): ExpressionSpecification => [
  "coalesce",
  ["get", `name_${lang}`],
  ["get", `name_${lang === "zh" ? "en" : "zh"}`],
];

/** Addresses of a layer's tiles: of the version `v`, or where that is not known, of what is there now. */
export const tileUrls = (id: string, v: string | undefined, query: readonly string[] = []): string[] => {
  const given = [...query, ...(v ? [`v=${v}`] : [])].join("&");
  return [`${location.origin}/tiles/${id}/{z}/{x}/{y}.mvt${given && `?${given}`}`];
};

export const tileSource = (minzoom: number, tiles: string[]) => ({
  type: "vector" as const,
  tiles,
  minzoom,
  maxzoom: 14,
});

/**
 * The base map: nothing but the city's own areas. Levels of the tree become land (the top one),
 * borders (those between) and grid lines (the finest, near by only). `C`: what it is coloured by.
 */
export function baseStyle(
  city: City,
  lang: Lang,
  fontFaces: FontFacesSpecification,
  areasVersion?: string,
  C: MapColours = MAP_COLOURS,
): StyleSpecification {
  const codes = city.levels.map((level) => level.code);
  const [top, ...below] = codes;
  const grid = below.pop();
  const between: ExpressionSpecification = ["in", ["get", "level"], ["literal", below]];
  const layers: LayerSpecification[] = [
    { id: "ground", type: "background", paint: { "background-color": C.ground } },
    {
      id: "land",
      type: "fill",
      source: "areas",
      "source-layer": "areas",
      filter: ["==", ["get", "level"], top ?? ""],
      paint: { "fill-color": C.land },
    },
    // Empty, until heat is to end where the city does.
    { id: "surroundings", type: "fill", source: "surroundings", paint: { "fill-color": C.ground } },
    {
      id: "area-border",
      type: "line",
      source: "areas",
      "source-layer": "areas",
      filter: between,
      paint: {
        "line-color": C.border,
        "line-opacity": ["interpolate", ["linear"], ["zoom"], 9, 0.25, 12, 0.5, 14, 0.8],
        "line-width": ["interpolate", ["linear"], ["zoom"], 9, 0.5, 12, 1, 15, 1.6],
      },
    },
    {
      id: "grid-border",
      type: "line",
      source: "areas",
      "source-layer": "areas",
      minzoom: GRID_ZOOM,
      filter: ["==", ["get", "level"], grid ?? ""],
      paint: { "line-color": C.grid, "line-opacity": 0.55, "line-width": 0.6 },
    },
    {
      id: "coast",
      type: "line",
      source: "areas",
      "source-layer": "areas",
      filter: ["==", ["get", "level"], top ?? ""],
      paint: {
        "line-color": C.coast,
        "line-width": ["interpolate", ["linear"], ["zoom"], 9, 1, 14, 2],
      },
    },
    areaLabels("grid-label", ["==", ["get", "level"], grid ?? ""], lang, GRID_LABEL_ZOOM, {
      colour: C.labelQuiet,
      halo: C.halo,
      size: ["interpolate", ["linear"], ["zoom"], 14, 10.5, 17, 13],
      padding: 6,
    }),
    areaLabels("area-label", between, lang, 9, {
      colour: C.label,
      halo: C.halo,
      size: ["interpolate", ["linear"], ["zoom"], 9, 11, 11, 12.5, 14, 17],
      padding: 10,
    }),
  ];
  const sources: StyleSpecification["sources"] = {
    areas: tileSource(0, tileUrls("areas", areasVersion)),
    surroundings: { type: "geojson", data: { type: "FeatureCollection", features: [] } },
  };
  return { version: 8, "font-faces": fontFaces, sources, layers };
}

interface LabelLook {
  colour: string;
  halo: string;
  size: ExpressionSpecification;
  padding: number;
}

function areaLabels(
  id: string,
  filter: ExpressionSpecification,
  lang: Lang,
  minzoom: number,
  { colour, halo, size, padding }: LabelLook,
): LayerSpecification {
  return {
    id,
    type: "symbol",
    source: "areas",
    "source-layer": "area_labels",
    minzoom,
    filter,
    layout: {
      "text-field": nameIn(lang),
      "text-font": FONT_STACK,
      "text-size": size,
      "text-max-width": 8,
      "text-line-height": 1.15,
      "text-letter-spacing": 0.03,
      "text-padding": padding,
    },
    paint: {
      "text-color": colour,
      // The hottest cells are as light as the text: a dark rim of 1.8 px keeps it readable on them.
      "text-halo-color": halo,
      "text-halo-width": 1.8,
      "text-halo-blur": 0.4,
    },
  };
}
