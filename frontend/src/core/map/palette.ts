/** Colours of the map. The ground is nearly black, so that the heat is the only light on it. */
export const MAP_COLOURS = {
  ground: "#06080c",
  land: "#10161f",
  coast: "#33445a",
  border: "#5b6e88",
  grid: "#3b4a5e",
  label: "#bccadb",
  labelQuiet: "#8fa0b6",
  halo: "#05070b",
  zone: "#ffffff",
  zoneCasing: "#05070b",
  incident: "#8fd3ff",
} as const;

export type MapColours = Readonly<Record<keyof typeof MAP_COLOURS, string>>;

/** The same map by daylight, for screens on a desk. */
export const DAY_COLOURS: MapColours = {
  ground: "#dfe4ea",
  land: "#f6f7f9",
  coast: "#8b9bb0",
  border: "#aab6c6",
  grid: "#cbd3de",
  label: "#3f4d61",
  labelQuiet: "#566478",
  halo: "#ffffff",
  zone: "#10161f",
  zoneCasing: "#ffffff",
  incident: "#0b67a8",
};
