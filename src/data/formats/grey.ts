/** Measured values as 8-bit pictures. */
import type { RgbImage } from '../images/rows.ts';

/**
 * Values as grey levels: `low` and below black, `high` and above white, linear between, rounded to the
 * nearest level (half to even). Values that are no numbers are black. Where `low` equals `high`, what
 * lies above is white.
 */
export function greyLevels(
  values: ArrayLike<number>,
  low: number,
  high: number,
): Uint8ClampedArray<ArrayBuffer> {
  const levels = new Uint8ClampedArray(values.length);
  const scale = high > low ? 255 / (high - low) : Number.POSITIVE_INFINITY;
  for (let index = 0; index < values.length; index++) {
    const above = (values[index] as number) - low;
    // Conversion to clamped bytes rounds half to even, and makes 0 of NaN.
    levels[index] = above <= 0 ? 0 : above * scale;
  }
  return levels;
}

/** The lowest and highest of the finite values; 0 and 0 where there are none. */
export function rangeOf(values: ArrayLike<number>): [number, number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let index = 0; index < values.length; index++) {
    const value = values[index] as number;
    if (!Number.isFinite(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low <= high ? [low, high] : [0, 0];
}

/** One level a pixel, repeated to three channels. */
export function greyImage(levels: ArrayLike<number>, width: number, height: number): RgbImage {
  const data = new Uint8Array(width * height * 3);
  for (let pixel = 0, at = 0; at < data.length; pixel++, at += 3) {
    const level = levels[pixel] as number;
    data[at] = level;
    data[at + 1] = level;
    data[at + 2] = level;
  }
  return { width, height, data };
}
