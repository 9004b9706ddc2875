/** Inferno at ten even steps (matplotlib, CC0): perceptually even, and safe for colour blindness. */
// biome-ignore format: a table
const INFERNO = [
  "#000004", "#1b0c41", "#4a0c6b", "#781c6d", "#a52c60", "#cf4446", "#ed6925", "#fb9b06", "#f7d13d", "#fcffa4",
].map(channels);

export const STEPS = 256;

/** The darkest part of the ramp would vanish in the dark ground, so it is cut off. */
const DARK_CUT = 0.18;
/** Opacity rises over this share of the scale, so that a lone incident does not look like a wall. */
const KNEE = 0.42;
/** Below 0.85, or no label colour keeps its contrast on the hottest cells. */
const OPACITY = 0.8;

export type Rgb = [number, number, number];

/** Red, green and blue, 0..255, of `#rrggbb`. */
export function channels(hex: string): Rgb {
  return [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)) as Rgb;
}

/** Colour at `t` in 0..1 of the uncut ramp. */
export function inferno(t: number): Rgb {
  const last = INFERNO.length - 1;
  const below = Math.min(last - 1, Math.floor(t * last));
  const share = t * last - below;
  const a = INFERNO[below] as Rgb;
  const b = INFERNO[below + 1] as Rgb;
  return a.map((value, k) => value + ((b[k] as number) - value) * share) as Rgb;
}

/**
 * The heat's look-up table: uint8[256 * 4], straight (not premultiplied) RGBA.
 * Step 0 is "no incidents" and fully transparent.
 */
export function heatRamp(): Uint8Array<ArrayBuffer> {
  const table = new Uint8Array(STEPS * 4);
  for (let step = 1; step < STEPS; step++) {
    const t = step / (STEPS - 1);
    const [r, g, b] = inferno(DARK_CUT + (1 - DARK_CUT) * t);
    table.set([r, g, b, 255 * OPACITY * Math.min(1, t / KNEE)], step * 4);
  }
  return table;
}

/** The ramp as CSS colour stops for a gradient that runs along the scale's own axis. */
export function rampStops(count = 24): string {
  const table = heatRamp();
  return Array.from({ length: count }, (_, i) => {
    const t = i / (count - 1);
    const at = Math.max(1, Math.round(t * (STEPS - 1))) * 4;
    const [r, g, b, a] = table.subarray(at, at + 4) as unknown as [number, number, number, number];
    return `rgba(${r}, ${g}, ${b}, ${(a / 255).toFixed(3)}) ${(t * 100).toFixed(1)}%`;
  }).join(", ");
}
