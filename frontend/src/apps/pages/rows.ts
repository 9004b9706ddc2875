import type { Map as GlMap } from "maplibre-gl";

/** Joins the rows of the page's table (`data-feature`) with the features of `source`: who points at one sees both. */
export function joinRows(map: GlMap, source: string, layers: string[]): void {
  const rows = new Map<string, HTMLElement>();
  for (const row of document.querySelectorAll<HTMLElement>("tr[data-feature]")) {
    const id = row.dataset.feature ?? "";
    rows.set(id, row);
    row.addEventListener("mouseenter", () => choose(id));
    row.addEventListener("mouseleave", () => choose(null));
  }
  let now: string | null = null;

  function choose(id: string | null): void {
    if (id === now) return;
    for (const [which, chosen] of [
      [now, false],
      [id, true],
    ] as const) {
      if (which === null) continue;
      map.setFeatureState({ source, id: which }, { chosen });
      rows.get(which)?.classList.toggle("chosen", chosen);
    }
    now = id;
  }

  const at = (point: { x: number; y: number }) => {
    const [found] = map.queryRenderedFeatures([point.x, point.y], { layers });
    return found ? String(found.id) : null;
  };
  map.on("mousemove", ({ point }) => {
    choose(at(point));
    map.getCanvas().style.cursor = now === null ? "" : "pointer";
  });
  map.on("mouseout", () => choose(null));
  map.on("click", ({ point }) => {
    const row = rows.get(at(point) ?? "");
    row?.scrollIntoView({ block: "center", behavior: "smooth" });
    row?.querySelector("a")?.focus({ preventScroll: true });
  });
}
