import { type Map as GlMap, Marker, type VectorTileSource } from "maplibre-gl";
import type { Span } from "../data/types";
import { MAP_COLOURS as C } from "../map/palette";
import { tileSource } from "../map/style";

const MIN_ZOOM = 12;

const PULSE_MS = 4_200;
const MOST_PULSES = 24;

/** Incidents as points, for the audiences that may read them, above the heat and below the zones. */
export function addIncidents(map: GlMap, scale: number): void {
  map.addSource("incidents", tileSource("incidents", MIN_ZOOM));
  map.addLayer(
    {
      id: "incident",
      type: "circle",
      source: "incidents",
      "source-layer": "incidents",
      minzoom: MIN_ZOOM,
      paint: {
        "circle-color": C.incident,
        "circle-radius": ["interpolate", ["linear"], ["zoom"], 12, 2 * scale, 15, 4.5 * scale],
        "circle-stroke-color": C.halo,
        "circle-stroke-width": 1.2 * scale,
        "circle-opacity": ["interpolate", ["linear"], ["zoom"], 12, 0.75, 14, 1],
      },
    },
    "zone-casing",
  );
}

/**
 * Asks for the tiles of a half-open span. The server's `datetime` is closed at both ends, and its
 * incidents are known to the second.
 */
export function chooseSpan(map: GlMap, { from, to }: Span): void {
  const first = new Date(from).toISOString();
  const last = new Date(Date.parse(to) - 1000).toISOString();
  const source = map.getSource<VectorTileSource>("incidents");
  source?.setTiles(
    tileSource("incidents", MIN_ZOOM).tiles.map((tiles) => `${tiles}?datetime=${first}/${last}`),
  );
}

let pulses = 0;

/** A short ring where an incident has just come in. CSS moves it, so the map need not repaint. */
export function pulse(map: GlMap, lon: number, lat: number): void {
  if (pulses >= MOST_PULSES) return;
  pulses += 1;
  const element = document.createElement("div");
  element.className = "pulse";
  const marker = new Marker({ element }).setLngLat([lon, lat]).addTo(map);
  setTimeout(() => {
    marker.remove();
    pulses -= 1;
  }, PULSE_MS);
}
