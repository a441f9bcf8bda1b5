/** The statistics that stats transfer carries over, and draws from them. */
import { RandomStream } from '../util/index.ts';

export interface NormalStatistics {
  mean: number;
  /** Unbiased standard deviation (n − 1). */
  deviation: number;
}

/** Mean and unbiased standard deviation of two values or more, summed in float64 in two passes. */
export function statisticsOf(values: ArrayLike<number>): NormalStatistics {
  let sum = 0;
  for (let index = 0; index < values.length; index++) sum += values[index] ?? 0;
  const mean = sum / values.length;
  let squares = 0;
  for (let index = 0; index < values.length; index++) {
    squares += ((values[index] ?? 0) - mean) ** 2;
  }
  return { mean, deviation: Math.sqrt(squares / (values.length - 1)) };
}

/**
 * `count` values of N(mean, deviation²) for the tensor `name`: a pure function of its arguments, whose
 * standard normal numbers depend on seed and name alone. Computed here and not by LibTorch, whose normal
 * numbers differ with its version and the processor's vector instructions.
 */
export function drawNormal(
  { mean, deviation }: NormalStatistics,
  count: number,
  { seed, name }: { seed: number; name: string },
): Float32Array {
  const stream = new RandomStream('stats transfer', seed, name);
  const values = new Float32Array(count);
  for (let index = 0; index < count; index++) values[index] = mean + deviation * stream.normal();
  return values;
}
