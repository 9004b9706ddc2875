import type { Feature, FeatureCollection } from "geojson";
import type { FontFacesSpecification, Map as GlMap, StyleSpecification, VectorTileSource } from "maplibre-gl";
import "../../core/ui/map.css";
import { getCity, getJson } from "../../core/data/api";
import { createMap } from "../../core/map/map";
import { baseStyle } from "../../core/map/style";
import { type Bounds, boundsOf } from "./bounds";
import { drawn } from "./drawn";
import { joinRows } from "./rows";

/** The lowest of the labels: what a page is about lies below all of them. */
const LABELS = "grid-label";
const MARGIN_PX = 48;
const CLOSEST_ZOOM = 15;

interface TileJson {
  bounds: Bounds;
  minzoom: number;
  vector_layers: { id: string }[];
}

/**
 * The map of a page, above the city's areas: the features at `data-features`, or a layer whose TileJSON is at
 * `data-tiles`; or a whole style at `data-style` as it is.
 */
export async function showMap(container: HTMLElement, fontFaces: FontFacesSpecification): Promise<void> {
  const { features, tiles, style } = container.dataset;
  const city = await getCity();
  const lang = document.documentElement.lang.startsWith("zh") ? "zh" : "en";
  const whole = style ? await getJson<StyleSpecification>(style) : null;
  const map = createMap({
    container,
    style: whole ?? baseStyle(city, lang, fontFaces),
    extent: city.extent,
    camera: null,
    padding: { top: 0, right: 0, bottom: 0, left: 0 },
    pixelRatio: devicePixelRatio,
    label: container.getAttribute("aria-label") ?? "",
  });
  await map.once("load");
  if (features) await showFeatures(map, features);
  if (tiles) await showTiles(map, tiles);
  for (const id of Object.keys(whole?.sources ?? {})) {
    approach(map, map.getSource<VectorTileSource>(id)?.minzoom ?? 0);
  }
  map.triggerRepaint();
  await map.once("idle");
  // For those who wait for the picture: a test, or a program that prints the page.
  container.dataset.shown = "";
}

async function showFeatures(map: GlMap, href: string): Promise<void> {
  const found = await getJson<FeatureCollection | Feature>(href);
  const bounds = boundsOf(
    "features" in found ? found.features.map(({ geometry }) => geometry) : [found.geometry],
  );
  map.addSource("features", { type: "geojson", data: found });
  const layers = drawn({ source: "features" });
  for (const layer of layers) map.addLayer(layer, LABELS);
  joinRows(
    map,
    "features",
    layers.map(({ id }) => id),
  );
  if (bounds) map.fitBounds(bounds, { padding: MARGIN_PX, maxZoom: CLOSEST_ZOOM, animate: false });
}

async function showTiles(map: GlMap, href: string): Promise<void> {
  const { bounds, minzoom, vector_layers } = await getJson<TileJson>(href);
  map.addSource("subject", { type: "vector", url: new URL(href, location.href).href });
  for (const { id } of vector_layers) {
    if (id.endsWith("_labels") || id === "summary") continue;
    for (const layer of drawn({ source: "subject", "source-layer": id })) map.addLayer(layer, LABELS);
  }
  map.fitBounds(bounds, { padding: MARGIN_PX / 2, animate: false });
  approach(map, minzoom);
}

/** A layer without tiles of the whole city is shown from as far off as it has some. */
function approach(map: GlMap, minzoom: number): void {
  if (map.getZoom() < minzoom) map.setZoom(minzoom);
}
