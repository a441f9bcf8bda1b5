/** Colour pictures for networks of one channel. */

/** Red, green and blue in luminance, as ITU-R BT.601 and Pillow's mode `L` have it. */
export const luminanceWeights = [0.299, 0.587, 0.114] as const;

/**
 * Mean and deviation of the luminance from those of red, green and blue: exact for grey pictures, whose
 * channels are equal. Of colour pictures the deviation is that of channels in step, its upper bound.
 */
export function luminanceStatistics({
  mean,
  std,
}: {
  mean: readonly number[];
  std: readonly number[];
}): { mean: number[]; std: number[] } {
  const weighted = (values: readonly number[]): number[] => [
    luminanceWeights.reduce((sum, weight, channel) => sum + weight * (values[channel] ?? 0), 0),
  ];
  return { mean: weighted(mean), std: weighted(std) };
}
