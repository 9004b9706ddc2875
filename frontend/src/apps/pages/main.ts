import "../../core/ui/tokens.css";
import "./pages.css";
import { loadFonts } from "../../core/map/fonts";

/** The pages work without a script; it adds the map, the API guide and shorter addresses. */
const fonts = loadFonts();

const container = document.querySelector<HTMLElement>(".map");
if (container) void import("./map").then(async ({ showMap }) => showMap(container, await fonts));

const docs = document.querySelector<HTMLElement>("#docs");
if (docs) void import("./docs").then(({ showDocs }) => showDocs(docs));

// An empty field asks for nothing, and the server rightly refuses an empty filter.
document.querySelector("form")?.addEventListener("submit", ({ currentTarget }) => {
  for (const field of currentTarget as HTMLFormElement) {
    if (field instanceof HTMLInputElement) field.disabled = field.value.trim() === "";
  }
});
