import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

/** Paths of the server, for `npm run dev` beside a running `onemap serve`. */
const SERVED =
  /^\/(city|cases(?!\.)|measures(?!\.)|service-load|heat|tiles|summary|place|live|collections|conformance|styles|tileMatrixSets|open311|api|docs|enter|healthz)\b/;

export default defineConfig({
  plugins: [svelte()],
  build: {
    target: "es2023",
    // No file is turned into a data: address, so that a strict content policy holds.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1600,
    // The server writes the pages of its interfaces itself, and reads there which files they load.
    manifest: "assets/manifest.json",
    rolldownOptions: {
      input: {
        hub: "index.html",
        wall: "wall.html",
        report: "report.html",
        cases: "cases.html",
        measures: "measures.html",
        pages: "src/apps/pages/main.ts",
      },
    },
  },
  worker: { format: "es" },
  // Style sheets are read as they are, for the test of their contrasts.
  test: { css: true },
  server: { proxy: { [SERVED.source]: { target: "http://127.0.0.1:8360" } } },
});
