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
