import { type Map as GlMap, Marker, type VectorTileSource } from "maplibre-gl";
import type { Span } from "../data/types";
import { MAP_COLOURS as C } from "../map/palette";
import { tileSource, tileUrls } from "../map/style";

/** Farther off, points would hide the heat. */
export const INCIDENT_ZOOM = 12;

const PULSE_MS = 4_200;
const MOST_PULSES = 24;

/**
 * Incidents of a half-open span as points, for the audiences that may read them: above the heat, below
 * the risk areas. The server's `datetime` is closed at both ends, and its incidents are known to the
 * second.
 */
export function showIncidents(map: GlMap, { from, to }: Span, v: string | undefined): void {
  const first = new Date(from).toISOString();
  const last = new Date(Date.parse(to) - 1000).toISOString();
  const urls = tileUrls("incidents", v, [`datetime=${first}/${last}`]);
  const source = map.getSource<VectorTileSource>("incidents");
  if (source) {
    source.setTiles(urls);
    return;
  }
  map.addSource("incidents", tileSource(INCIDENT_ZOOM, urls));
  map.addLayer(
    {
      id: "incident",
      type: "circle",
      source: "incidents",
      "source-layer": "incidents",
      minzoom: INCIDENT_ZOOM,
      paint: {
        "circle-color": C.incident,
        "circle-radius": ["interpolate", ["linear"], ["zoom"], 12, 1.1, 13.5, 2.6, 15, 4.5],
        "circle-stroke-color": C.halo,
        "circle-stroke-width": ["interpolate", ["linear"], ["zoom"], 12, 0, 13, 1.2],
        "circle-opacity": ["interpolate", ["linear"], ["zoom"], 12, 0.6, 13.5, 1],
      },
    },
    "zone-casing",
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
