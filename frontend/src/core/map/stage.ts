import type { MultiPolygon } from "geojson";
import type {
  FontFacesSpecification,
  GeoJSONSource,
  Map as GlMap,
  PaddingOptions,
  VectorTileSource,
} from "maplibre-gl";
import { Marker } from "maplibre-gl";
import type { City, Span } from "../data/types";
import { HeatMesh } from "../layers/heatmesh";
import { pulse, showIncidents } from "../layers/incidents";
import type { Mesh } from "../layers/mesh";
import { addRiskAreas, chooseZoneType, RISK_AREA_LAYERS } from "../layers/riskareas";
import { surroundingsOf } from "../layers/surroundings";
import type { View } from "../state/resolution";
import type { Camera, Lang, Part } from "../state/url";
import { createMap } from "./map";
import { ABOVE_HEAT, baseStyle, nameIn, tileUrls } from "./style";

const LABELS = ["area-label", "grid-label", "zone-label"] as const;
const EASE_MS = 900;

/** How the map lies on the screen. */
export interface Frame {
  /** pixels of the screen for one of the map, 1 on a screen of 1080 lines */
  scale: number;
  /** parts of the map that panels cover, in pixels of the screen */
  covered: Required<PaddingOptions>;
}

export interface StageOptions {
  container: HTMLElement;
  city: City;
  lang: Lang;
  label: string;
  fontFaces: FontFacesSpecification;
  camera: Camera | null;
  frame: Frame;
  /** versions of the layers' tiles, where they are known */
  versions: ReadonlyMap<string, string>;
}

export interface StageEvents {
  /** after the map has settled; `byHand` where a person moved it */
  view(view: View, camera: Camera, byHand: boolean): void;
  click(lon: number, lat: number): void;
}

/** The map of a page with its layers: the only place that a screen speaks to MapLibre through. */
export class Stage {
  private readonly map: GlMap;
  private readonly heat = new HeatMesh();
  private readonly pin: Marker;
  private ready = false;
  private hidden: ReadonlySet<Part> = new Set();
  private readonly later: (() => void)[] = [];
  private readonly versions: Map<string, string>;
  private incidentSpan: Span | null = null;

  constructor(
    private readonly options: StageOptions,
    events: StageEvents,
  ) {
    const { city, lang, fontFaces } = options;
    this.versions = new Map(options.versions);
    this.map = createMap({
      ...options,
      pixelRatio: pixelRatio(options.frame),
      padding: padding(options.frame),
      style: baseStyle(city, lang, fontFaces, this.versions.get("areas")),
      extent: city.extent,
    });
    const element = document.createElement("div");
    element.className = "pin";
    this.pin = new Marker({ element });

    // Fires at the start and after each loss of the WebGL context, from which the map restores its own
    // layers but no custom one.
    this.map.on("style.load", () => this.furnish());
    this.map.on("webglcontextlost", () => {
      this.ready = false;
    });
    // A tile that fails is asked for again when it comes into view; the frame that stands is kept.
    this.map.on("error", ({ error }) => console.warn(`map: ${error.message}`));
    this.map.on("moveend", (event) => {
      const byHand = "originalEvent" in event && event.originalEvent !== undefined;
      events.view(this.view(), this.camera(), byHand);
    });
    this.map.on("click", ({ lngLat }) => events.click(lngLat.lng, lngLat.lat));
  }

  /** Heat of one frame, `levels` being steps of the ramp for the cells of `mesh`. */
  showHeat(mesh: Mesh, levels: Uint8Array<ArrayBuffer>): void {
    this.heat.show(mesh, levels);
  }

  /** Covers what is drawn of heat outside these shapes: merged cells reach far beyond a city. */
  endHeatAt(shapes: readonly MultiPolygon[]): void {
    this.whenReady(() => {
      this.map.getSource<GeoJSONSource>("surroundings")?.setData(surroundingsOf(shapes));
    });
  }

  /** Risk areas of one zone type, or of all. */
  chooseZoneType(code: string | null): void {
    this.whenReady(() => chooseZoneType(this.map, code));
  }

  /** Incidents of a span as points; only for an audience that may read them. */
  showIncidents(span: Span): void {
    this.incidentSpan = span;
    this.whenReady(() => showIncidents(this.map, span, this.versions.get("incidents")));
  }

  speak(lang: Lang): void {
    this.whenReady(() => {
      for (const id of LABELS) this.map.setLayoutProperty(id, "text-field", nameIn(lang));
    });
  }

  hide(hidden: ReadonlySet<Part>): void {
    this.hidden = hidden;
    this.whenReady(() => this.applyHidden());
  }

  /** Takes the tiles of a layer in another version; those that stand are shown until the new ones are there. */
  renew(layer: string, v: string): void {
    this.versions.set(layer, v);
    if (layer === "incidents") {
      if (this.incidentSpan) this.showIncidents(this.incidentSpan);
      return;
    }
    this.whenReady(() => this.map.getSource<VectorTileSource>(layer)?.setTiles(tileUrls(layer, v)));
  }

  pulse(lon: number, lat: number): void {
    pulse(this.map, lon, lat);
  }

  /** Marks the place that a person asked about; `null` takes the mark away. */
  mark(place: { lon: number; lat: number } | null): void {
    if (place) this.pin.setLngLat([place.lon, place.lat]).addTo(this.map);
    else this.pin.remove();
  }

  /** Back to the whole city. */
  home(): void {
    this.map.fitBounds(this.options.city.extent, { duration: EASE_MS });
  }

  /** Fits the map to a changed screen. */
  setFrame(frame: Frame): void {
    this.map.setPixelRatio(pixelRatio(frame));
    this.map.resize();
    this.map.setPadding(padding(frame));
  }

  view(): View {
    const [west, south, east, north] = this.options.city.extent;
    const bounds = this.map.getBounds();
    const lat = this.map.getCenter().lat;
    const zoom = this.map.getZoom();
    const widthDeg = Math.min(east, bounds.getEast()) - Math.max(west, bounds.getWest());
    const heightDeg = Math.min(north, bounds.getNorth()) - Math.max(south, bounds.getSouth());
    const kmPerDegree = 111.32;
    const cityKm2 =
      Math.max(0, widthDeg) *
      kmPerDegree *
      Math.cos((lat * Math.PI) / 180) *
      Math.max(0, heightDeg) *
      kmPerDegree;
    return { zoom, lat, cityKm2 };
  }

  camera(): Camera {
    const { lat, lng } = this.map.getCenter();
    return { lat, lon: lng, zoom: this.map.getZoom() };
  }

  private furnish(): void {
    const { city, lang } = this.options;
    if (!this.map.getSource("risk_areas")) {
      addRiskAreas(this.map, city.zone_types, lang, this.versions.get("risk_areas"));
    }
    this.map.addLayer(this.heat, ABOVE_HEAT);
    this.applyHidden();
    this.ready = true;
    for (const act of this.later.splice(0)) act();
  }

  private applyHidden(): void {
    const show = (id: string, visible: boolean) =>
      this.map.setLayoutProperty(id, "visibility", visible ? "visible" : "none");
    for (const id of LABELS) show(id, !this.hidden.has("labels"));
    for (const id of RISK_AREA_LAYERS) {
      show(id, !this.hidden.has("zones") && !(id === "zone-label" && this.hidden.has("labels")));
    }
    show(this.heat.id, !this.hidden.has("heat"));
  }

  /** Runs now, or as soon as the style is there (again). */
  private whenReady(act: () => void): void {
    if (this.ready) act();
    else this.later.push(act);
  }
}

/**
 * The map is drawn as for a screen of 1080 lines, and its box is enlarged with the page: so text, lines
 * and the zooms at which things appear are the same on every wall, and none of the sharpness is lost.
 */
const pixelRatio = ({ scale }: Frame) => scale * devicePixelRatio;

const padding = ({ scale, covered: { top, right, bottom, left } }: Frame): PaddingOptions => ({
  top: top / scale,
  right: right / scale,
  bottom: bottom / scale,
  left: left / scale,
});
