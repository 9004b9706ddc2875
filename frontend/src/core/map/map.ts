import "maplibre-gl/dist/maplibre-gl.css";
import {
  Map as GlMap,
  type LngLatBoundsLike,
  type PaddingOptions,
  ScaleControl,
  type StyleSpecification,
  setWorkerUrl,
} from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
import type { Camera } from "../state/url";

setWorkerUrl(workerUrl);

/** Twice the default, or a wall of 7680 pixels is silently drawn at half its width. */
const CANVAS_LIMIT: [number, number] = [8192, 8192];

export interface MapOptions {
  container: HTMLElement;
  style: StyleSpecification;
  extent: LngLatBoundsLike;
  camera: Camera | null;
  padding: PaddingOptions;
  pixelRatio: number;
  label: string;
}

/** The one map of a page. North stays up: a governance map is read against names and borders. */
export function createMap({
  container,
  style,
  extent,
  camera,
  padding,
  pixelRatio,
  label,
}: MapOptions): GlMap {
  const map = new GlMap({
    container,
    style,
    pixelRatio,
    maxCanvasSize: CANVAS_LIMIT,
    canvasContextAttributes: { antialias: true },
    attributionControl: false,
    renderWorldCopies: false,
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    minZoom: 5,
    maxZoom: 18,
    fadeDuration: 150,
    // All text comes from the style's own font files.
    localIdeographFontFamily: false,
    locale: { "Map.Title": label },
  });
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  map.setPadding(padding);
  if (camera) map.jumpTo({ center: [camera.lon, camera.lat], zoom: camera.zoom });
  else map.fitBounds(extent, { animate: false });
  map.addControl(new ScaleControl({ maxWidth: 120, unit: "metric" }), "bottom-left");
  return map;
}
