import type { ExpressionSpecification, LayerSpecification } from "maplibre-gl";
import { MAP_COLOURS as C } from "../../core/map/palette";

const SUBJECT = "#6cc7ff";
const CHOSEN = "#ffb547";

const chosen = <T extends string | number>(yes: T, no: T): ExpressionSpecification => [
  "case",
  ["boolean", ["feature-state", "chosen"], false],
  yes,
  no,
];

const of = (...types: string[]): ExpressionSpecification => ["in", ["geometry-type"], ["literal", types]];

/** What a page is about, of any kind of geometry: `part` names its source, and its layer in there if it has some. */
export function drawn(part: { source: string; "source-layer"?: string }): LayerSpecification[] {
  const name = `subject-${part["source-layer"] ?? part.source}`;
  return [
    {
      ...part,
      id: `${name}-fill`,
      type: "fill",
      filter: of("Polygon", "MultiPolygon"),
      paint: { "fill-color": chosen(CHOSEN, SUBJECT), "fill-opacity": chosen(0.35, 0.1) },
    },
    {
      ...part,
      id: `${name}-line`,
      type: "line",
      filter: of("Polygon", "MultiPolygon", "LineString", "MultiLineString"),
      layout: { "line-join": "round" },
      paint: {
        "line-color": chosen(CHOSEN, SUBJECT),
        "line-width": chosen(2.4, 1.3),
        "line-opacity": 0.9,
      },
    },
    {
      ...part,
      id: `${name}-point`,
      type: "circle",
      filter: of("Point", "MultiPoint"),
      paint: {
        "circle-color": chosen(CHOSEN, SUBJECT),
        "circle-radius": ["interpolate", ["linear"], ["zoom"], 8, 2, 12, chosen(6, 4), 16, chosen(9, 7)],
        "circle-stroke-color": C.halo,
        "circle-stroke-width": 1.2,
      },
    },
  ];
}
