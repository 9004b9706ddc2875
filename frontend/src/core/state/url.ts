import { isWindowName, type WindowName } from "./window";

export type Lang = "zh" | "en";

/** What a person can switch off. */
export const PARTS = ["heat", "zones", "labels"] as const;
export type Part = (typeof PARTS)[number];

export interface Camera {
  lat: number;
  lon: number;
  zoom: number;
}

/** Everything that an address says; null where it is silent and the default holds. */
export interface Address {
  lang: Lang | null;
  layer: string | null;
  window: WindowName | null;
  camera: Camera | null;
  hidden: ReadonlySet<Part>;
}

const within = (value: number, low: number, high: number) => value >= low && value <= high;

function cameraOf(query: URLSearchParams): Camera | null {
  const [lat, lon, zoom] = ["lat", "lon", "zoom"].map((name) => Number.parseFloat(query.get(name) ?? "")) as [
    number,
    number,
    number,
  ];
  return within(lat, -85, 85) && within(lon, -180, 180) && within(zoom, 0, 22) ? { lat, lon, zoom } : null;
}

/** Reads an address. What makes no sense counts as not said: a wall never stops at a typing error. */
export function parseAddress(search: string): Address {
  const query = new URLSearchParams(search);
  const lang = query.get("lang");
  const window = query.get("window") ?? "";
  const hidden = (query.get("hide") ?? "").split(",");
  return {
    lang: lang === "zh" || lang === "en" ? lang : null,
    layer: query.get("layer"),
    window: isWindowName(window) ? window : null,
    camera: cameraOf(query),
    hidden: new Set(PARTS.filter((part) => hidden.includes(part))),
  };
}

/** The query that `parseAddress` reads back, empty for an address that says nothing. */
export function formatAddress({ lang, layer, window, camera, hidden }: Address): string {
  const query = new URLSearchParams();
  if (lang) query.set("lang", lang);
  if (layer) query.set("layer", layer);
  if (window) query.set("window", window);
  if (hidden.size) query.set("hide", PARTS.filter((part) => hidden.has(part)).join(","));
  if (camera) {
    query.set("lat", camera.lat.toFixed(5));
    query.set("lon", camera.lon.toFixed(5));
    query.set("zoom", camera.zoom.toFixed(2));
  }
  const text = query.toString().replaceAll("%2C", ",");
  return text && `?${text}`;
}
