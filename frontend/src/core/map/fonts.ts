import latinExt from "@fontsource-variable/inter/files/inter-latin-ext-opsz-normal.woff2?url";
import latin from "@fontsource-variable/inter/files/inter-latin-opsz-normal.woff2?url";
import interRanges from "@fontsource-variable/inter/unicode.json";
import hanRangesUrl from "@fontsource-variable/noto-sans-sc/unicode.json?url";
import type { FontFacesSpecification } from "maplibre-gl";

/** Noto Sans SC comes in about a hundred slices; a page fetches those whose characters it shows. */
const HAN_SLICES = import.meta.glob<string>(
  "/node_modules/@fontsource-variable/noto-sans-sc/files/*-wght-normal.woff2",
  { eager: true, query: "?url", import: "default" },
);

export const LATIN = "Inter";
export const HAN = "Noto Sans SC";

interface Face {
  url: string;
  /** entries such as `U+4E00-4E1F` */
  ranges: string[];
}

const face = (url: string, ranges: string): Face => ({
  url: new URL(url, location.href).href,
  ranges: ranges.split(",").map((range) => range.trim()),
});

const LATIN_FACES = [face(latin, interRanges.latin), face(latinExt, interRanges["latin-ext"])];

/** The list of ranges is data of 30 kB: fetched beside the fonts, it stays out of the script. */
async function hanFaces(): Promise<Face[]> {
  const ranges = (await (await fetch(hanRangesUrl)).json()) as Record<string, string>;
  return Object.entries(HAN_SLICES).flatMap(([path, url]) => {
    const slice = /noto-sans-sc-(.+)-wght-normal/.exec(path)?.[1] ?? "";
    const covered = ranges[slice] ?? ranges[`[${slice}]`];
    return covered ? [face(url, covered)] : [];
  });
}

/**
 * Gives the same files to the page and to the map, so that no text depends on fonts of the machine.
 *
 * @returns the `font-faces` of a map style
 */
export async function loadFonts(): Promise<FontFacesSpecification> {
  const families = { [LATIN]: LATIN_FACES, [HAN]: await hanFaces() };
  for (const [family, faces] of Object.entries(families)) {
    for (const { url, ranges } of faces) {
      document.fonts.add(
        new FontFace(family, `url(${url})`, {
          weight: "100 900",
          unicodeRange: ranges.join(","),
          display: "swap",
        }),
      );
    }
  }
  return Object.fromEntries(
    Object.entries(families).map(([family, faces]) => [
      family,
      faces.map(({ url, ranges }) => ({ url, "unicode-range": ranges })),
    ]),
  );
}
