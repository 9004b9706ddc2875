import { STEPS } from "./ramp";

/**
 * How values become colour: the square root of `value / top`, so that equal steps of colour are
 * equal steps of the deviation that chance alone gives a count.
 */
export interface Scale {
  /** values at or above it take the last colour */
  top: number;
  /** legend marks, ascending from 0 to `top`, evenly spaced along the ramp */
  ticks: number[];
}

/** Counts, or densities. */
export type Values = Uint32Array | Float32Array;

/** The scale ends at this share of the cells: a few extreme cells must not darken the rest. */
const TOP_SHARE = 0.995;
/** Densities come in 32 bits. */
const ROUNDING = 1e-6;
const NICE = [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10];

/** Value below which `share` of the sorted values lie (nearest rank). */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  if (sorted.length === 0) return 0;
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? 0;
}

/** The least number of the 1, 1.5, 2, ... 10 series, at any power of ten, that is not below `value`. */
export function niceCeil(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  const step = NICE.find((n) => n * power >= value * (1 - ROUNDING)) ?? 10;
  return step * power;
}

/**
 * Scale of a set of values, its end taken from their 99.5th percentile.
 *
 * The marks are `k * i * i`, which are even along a square root and, for counts, whole numbers.
 *
 * @param whole true where values are counts, so that no mark falls between two integers
 */
export function scaleOf(values: Values, whole: boolean): Scale {
  const sorted = values.filter((value) => value > 0).sort();
  const end = quantile(sorted, TOP_SHARE) || 1;
  const parts = whole && end <= 4 ? 2 : whole && end <= 9 ? 3 : 4;
  const least = niceCeil(end / parts ** 2);
  const k = whole ? Math.max(1, Math.ceil(least)) : least;
  const ticks = Array.from({ length: parts + 1 }, (_, i) => k * i * i);
  return { top: k * parts ** 2, ticks };
}

/** Place of a value along the ramp, 0..1. */
export const positionOf = (value: number, scale: Scale) => Math.sqrt(Math.min(1, value / scale.top));

/**
 * uint8[n] for the card. Any value above zero gets at least the first visible step.
 *
 * The server quantises its frames alike, bit for bit.
 */
export function quantise(values: Values, scale: Scale): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(values, (value) =>
    value > 0 ? Math.max(1, Math.round(positionOf(value, scale) * (STEPS - 1))) : 0,
  );
}
