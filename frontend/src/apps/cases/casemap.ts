import type { Feature, FeatureCollection, Point } from "geojson";
import { type FontFacesSpecification, type GeoJSONSource, type Map as GlMap, Marker } from "maplibre-gl";
import type { CaseRow, City } from "../../core/data/types";
import { createMap } from "../../core/map/map";
import { DAY_COLOURS, MAP_COLOURS, type MapColours } from "../../core/map/palette";
import { baseStyle, nameIn } from "../../core/map/style";
import type { Lang } from "../../core/state/url";
import { type Colour, colourAt } from "./terms";

const LABELS = ["area-label", "grid-label"];
const NEAR_ZOOM = 13;
const FIT_ZOOM = 14;
const MARGIN_PX = 48;
const EASE_MS = 500;

type Place = Readonly<{ lon: number; lat: number }>;

/** Fill of a case by the colour of its term; the latest are drawn above the others. */
const TONES: Readonly<Record<"night" | "day", Readonly<Record<Colour, string>>>> = {
  night: { green: "#9fb4cc", warn: "#ffb547", overdue: "#ff6b57", red: "#c5331f", none: "#6d7b8f" },
  day: { green: "#5d7088", warn: "#c77700", overdue: "#d2402f", red: "#8f130a", none: "#8a97a8" },
};
const ORDER: readonly Colour[] = ["none", "green", "warn", "overdue", "red"];

export interface CaseMapOptions {
  container: HTMLElement;
  city: City;
  lang: Lang;
  label: string;
  fontFaces: FontFacesSpecification;
  tiles: string | undefined;
}

export interface CaseMapEvents {
  /** a case was clicked */
  pick(id: number): void;
  /** a place was clicked, whatever stands there */
  place(at: Place): void;
}

/** The map beside the queue: each case where it is, the chosen one ringed. */
export class CaseMap {
  private readonly map: GlMap;
  private readonly pin: Marker;
  private readonly night: MediaQueryList;
  private shown = collected([]);
  /** moment in ms that colours are told of */
  private at = 0;
  private chosen: CaseRow | null = null;
  private lang: Lang;
  private ready = false;

  constructor(
    private readonly options: CaseMapOptions,
    events: CaseMapEvents,
  ) {
    this.lang = options.lang;
    this.night = matchMedia("(prefers-color-scheme: dark)");
    this.map = createMap({
      ...options,
      style: this.style(),
      extent: options.city.extent,
      camera: null,
      padding: { top: 0, right: 0, bottom: 0, left: 0 },
      pixelRatio: devicePixelRatio,
    });
    const element = document.createElement("div");
    element.className = "pin";
    this.pin = new Marker({ element });
    this.map.on("style.load", () => this.furnish());
    this.map.on("error", ({ error }) => console.warn(`map: ${error.message}`));
    this.map.on("click", ({ point, lngLat }) => {
      events.place({ lon: lngLat.lng, lat: lngLat.lat });
      if (!this.ready) return;
      const reach = 5;
      const box: [[number, number], [number, number]] = [
        [point.x - reach, point.y - reach],
        [point.x + reach, point.y + reach],
      ];
      const [hit] = this.map.queryRenderedFeatures(box, { layers: ["case"] });
      if (hit) events.pick(Number(hit.properties.id));
    });
    this.map.on("mousemove", "case", () => this.cursor("pointer"));
    this.map.on("mouseleave", "case", () => this.cursor(""));
    this.night.addEventListener("change", () => {
      this.ready = false;
      this.map.setStyle(this.style());
    });
  }

  /** The cases of the queue, coloured as their terms stand at a moment in ms. */
  show(cases: readonly CaseRow[], at: number): void {
    this.at = at;
    this.shown = collected(cases.map((each) => featureOf(each, at)));
    if (this.ready) this.map.getSource<GeoJSONSource>("cases")?.setData(this.shown);
  }

  /** Rings a case and brings it into the picture; `near`: close enough to see its streets. */
  choose(one: CaseRow | null, near: boolean): void {
    this.chosen = one;
    this.ring();
    if (!one) return;
    const inside = this.map.getBounds().contains([one.lon, one.lat]);
    const zoom = near ? Math.max(NEAR_ZOOM, this.map.getZoom()) : this.map.getZoom();
    if (!inside || near) this.map.easeTo({ center: [one.lon, one.lat], zoom, duration: EASE_MS });
  }

  /** All cases that are shown, or the whole city where there are none. */
  fit(): void {
    const points = this.shown.features.map(({ geometry }) => geometry.coordinates as [number, number]);
    const [lons, lats] = [points.map(([lon]) => lon), points.map(([, lat]) => lat)];
    if (!points.length) this.map.fitBounds(this.options.city.extent, { duration: EASE_MS });
    else {
      const box: [number, number, number, number] = [
        Math.min(...lons),
        Math.min(...lats),
        Math.max(...lons),
        Math.max(...lats),
      ];
      this.map.fitBounds(box, { padding: MARGIN_PX, maxZoom: FIT_ZOOM, duration: EASE_MS });
    }
  }

  /** Marks the place of a case that is being registered. */
  mark(place: Place | null): void {
    if (place) this.pin.setLngLat([place.lon, place.lat]).addTo(this.map);
    else this.pin.remove();
  }

  middle(): Place {
    const { lng, lat } = this.map.getCenter();
    return { lon: lng, lat };
  }

  focus(): void {
    this.map.getCanvas().focus();
  }

  speak(lang: Lang): void {
    this.lang = lang;
    if (this.ready) for (const id of LABELS) this.map.setLayoutProperty(id, "text-field", nameIn(lang));
  }

  private style() {
    const { city, fontFaces, tiles } = this.options;
    return baseStyle(city, this.lang, fontFaces, tiles, this.colours());
  }

  private colours(): MapColours {
    return this.night.matches ? MAP_COLOURS : DAY_COLOURS;
  }

  private furnish(): void {
    const tones = TONES[this.night.matches ? "night" : "day"];
    const { ground, halo, label } = this.colours();
    this.map.addSource("cases", { type: "geojson", data: this.shown });
    const dots = (id: string, source: string) =>
      this.map.addLayer({
        id,
        type: "circle",
        source,
        layout: { "circle-sort-key": ["get", "order"] },
        paint: {
          "circle-color": [
            "match",
            ["get", "colour"],
            ...(Object.entries(tones).flat() as [string, string]),
            tones.none,
          ],
          "circle-radius": ["interpolate", ["linear"], ["zoom"], 10, 2.6, 13, 4.5, 16, 7],
          // What is long overdue has a rim, so that it does not depend on two reds.
          "circle-stroke-color": ["match", ["get", "colour"], "red", label, ground],
          "circle-stroke-width": ["interpolate", ["linear"], ["zoom"], 10, 0.8, 13, 1.2],
        },
      });
    dots("case", "cases");
    this.map.addSource("chosen", { type: "geojson", data: collected([]) });
    // An open case need not be in the queue that is shown.
    dots("chosen-dot", "chosen");
    const chosen = (width: number, colour: string, id: string) =>
      this.map.addLayer({
        id,
        type: "circle",
        source: "chosen",
        paint: {
          "circle-radius": ["interpolate", ["linear"], ["zoom"], 10, 9, 13, 11, 16, 14],
          "circle-color": "transparent",
          "circle-stroke-color": colour,
          "circle-stroke-width": width,
        },
      });
    chosen(5, halo, "chosen-rim");
    chosen(2.5, label, "chosen");
    this.ready = true;
    this.ring();
  }

  private ring(): void {
    if (!this.ready) return;
    const chosen = this.chosen ? [featureOf(this.chosen, this.at)] : [];
    this.map.getSource<GeoJSONSource>("chosen")?.setData(collected(chosen));
  }

  private cursor(cursor: string): void {
    this.map.getCanvas().style.cursor = cursor;
  }
}

function featureOf(one: CaseRow, at: number): Feature<Point> {
  const colour = one.open ? colourAt(one, at) : "none";
  return {
    type: "Feature",
    geometry: { type: "Point", coordinates: [one.lon, one.lat] },
    properties: { id: one.id, colour, order: ORDER.indexOf(colour) },
  };
}

const collected = (features: Feature<Point>[]): FeatureCollection<Point> => ({
  type: "FeatureCollection",
  features,
});
