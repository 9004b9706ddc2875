import { type FontFacesSpecification, type Map as GlMap, Marker } from "maplibre-gl";
import type { City } from "../../core/data/types";
import { createMap } from "../../core/map/map";
import { MAP_COLOURS as C } from "../../core/map/palette";
import { baseStyle, FONT_STACK, nameIn, tileSource, tileUrls } from "../../core/map/style";
import type { Lang } from "../../core/state/url";

const LABELS = ["area-label", "grid-label", "road-label"] as const;
const ROADS_ZOOM = 11;
/** A pin that is set farther out than this could be anywhere. */
const NEAR_ZOOM = 14;

export interface Point {
  lon: number;
  lat: number;
}

/** A map on which a person sets one pin: by a tap, or from the keyboard at the middle of the map. */
export class PlacingMap {
  private readonly map: GlMap;
  private readonly pin: Marker;

  constructor(
    container: HTMLElement,
    city: City,
    lang: Lang,
    fontFaces: FontFacesSpecification,
    label: string,
    roads: boolean,
    private readonly placed: (point: Point) => void,
  ) {
    this.map = createMap({
      container,
      style: styleOf(city, lang, fontFaces, roads),
      extent: city.extent,
      camera: null,
      padding: { top: 0, right: 0, bottom: 0, left: 0 },
      pixelRatio: window.devicePixelRatio,
      label,
    });
    const element = document.createElement("div");
    element.className = "pin";
    this.pin = new Marker({ element });
    this.map.on("error", ({ error }) => console.warn(`map: ${error.message}`));
    this.map.on("click", ({ lngLat }) => this.set({ lon: lngLat.lng, lat: lngLat.lat }));
    this.map.getCanvas().addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      const { lng, lat } = this.map.getCenter();
      this.set({ lon: lng, lat });
    });
  }

  /** Sets the pin, and comes near enough to see whether it stands where it should. */
  set(point: Point): void {
    this.pin.setLngLat([point.lon, point.lat]).addTo(this.map);
    this.map.easeTo({ center: [point.lon, point.lat], zoom: Math.max(this.map.getZoom(), NEAR_ZOOM) });
    this.placed(point);
  }

  speak(lang: Lang): void {
    const say = () => {
      for (const id of LABELS.filter((label) => this.map.getLayer(label)))
        this.map.setLayoutProperty(id, "text-field", nameIn(lang));
    };
    if (this.map.isStyleLoaded()) say();
    else this.map.once("style.load", say);
  }
}

/** The base map, with the city's roads where it has them: a place is found by its streets. */
function styleOf(city: City, lang: Lang, fontFaces: FontFacesSpecification, roads: boolean) {
  const style = baseStyle(city, lang, fontFaces);
  if (!roads) return style;
  style.sources.roads = tileSource(ROADS_ZOOM, tileUrls("roads", undefined));
  const drawn = { source: "roads", "source-layer": "roads" };
  style.layers.push(
    {
      id: "road",
      type: "line",
      ...drawn,
      paint: { "line-color": C.border, "line-width": ["interpolate", ["linear"], ["zoom"], 11, 0.4, 16, 3] },
    },
    {
      id: "road-label",
      type: "symbol",
      ...drawn,
      minzoom: NEAR_ZOOM,
      layout: {
        "symbol-placement": "line",
        "text-field": nameIn(lang),
        "text-font": FONT_STACK,
        "text-size": 12,
      },
      paint: { "text-color": C.label, "text-halo-color": C.halo, "text-halo-width": 1.5 },
    },
  );
  return style;
}
