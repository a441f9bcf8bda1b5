/** Normalisation of pixels that lie one after another, whole lines at a time. */

/** Of each channel, on a scale of 0 to 1: three, or one for networks that see luminance alone. */
export interface Normalisation {
  mean: readonly number[];
  std: readonly number[];
}

/**
 * A factor and an offset for every number in a line of so many pixels of three channels, [pixels * 3]: with x
 * from 0 to `top`, (x / top - mean) / std is x · factor - offset.
 */
export function lineOf(
  { mean, std }: Normalisation,
  pixels: number,
  top: number,
): { factors: Float32Array<ArrayBuffer>; offsets: Float32Array<ArrayBuffer> } {
  const line = (value: (channel: number) => number): Float32Array<ArrayBuffer> =>
    Float32Array.from({ length: pixels * 3 }, (_, at) => value(at % 3));
  return {
    factors: line((channel) => 1 / (top * (std[channel] ?? 1))),
    offsets: line((channel) => (mean[channel] ?? 0) / (std[channel] ?? 1)),
  };
}
