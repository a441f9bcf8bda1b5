/**
 * The two gains of table 1 and figure 1 (METHODS: gains): transfer gain WT/RI and feature-reuse share
 * (WT − ST)/WT, with 95 % intervals by bootstrap over repeats.
 */
import type { Gain } from '../results/index.ts';
import {
  allResamples,
  FEWEST_REPEATS,
  intervalOf,
  mean,
  quantile,
  RandomStream,
} from '../util/index.ts';

/** Metric by seed; a run that is missing or whose metric is undefined has no entry. */
export type BySeed = ReadonlyMap<number, number>;

/** WT/RI. */
export const transferGain = (wt: number, ri: number): number => wt / ri;

/** (WT − ST)/WT. */
export const reuseShare = (wt: number, st: number): number => (wt - st) / wt;

const RESAMPLES = 10_000;

/**
 * A gain of the means of two groups of runs. Where at least three seeds are in both groups the
 * bootstrap resamples those seeds, so that what a seed does to both sides cancels (all resamples up to
 * seven seeds); otherwise it resamples each side by itself, if each has at least three.
 *
 * @param formula from the two means
 * @param keys what the drawing is seeded with: the same keys, the same interval
 */
export function gainOf(
  left: BySeed,
  right: BySeed,
  formula: (left: number, right: number) => number,
  keys: readonly (string | number)[],
): Gain {
  if (left.size === 0 || right.size === 0) return { reason: 'no runs to compare' };
  const leftValues = [...left.values()];
  const rightValues = [...right.values()];
  const value = formula(mean(leftValues), mean(rightValues));
  if (!Number.isFinite(value)) return { reason: 'division by zero' };
  const stream = new RandomStream('bootstrap', ...keys);
  const pairs = [...left].flatMap(([seed, first]) => {
    const second = right.get(seed);
    return second === undefined ? [] : [{ first, second }];
  });
  if (pairs.length >= FEWEST_REPEATS) {
    const resamples = allResamples(pairs.length);
    if (resamples) {
      const values = resamples.map(({ counts, probability }) => {
        const sums = counts.reduce(
          (sum, count, at) => ({
            first: sum.first + count * (pairs[at]?.first ?? Number.NaN),
            second: sum.second + count * (pairs[at]?.second ?? Number.NaN),
          }),
          { first: 0, second: 0 },
        );
        return {
          value: formula(sums.first / pairs.length, sums.second / pairs.length),
          probability,
        };
      });
      const finite = values.every(({ value: drawn }) => Number.isFinite(drawn));
      return { value, ...(finite ? intervalOf(values) : {}), resampling: 'paired' };
    }
    const draws = Array.from({ length: RESAMPLES }, () => {
      const drawn = resample(pairs, stream);
      return formula(
        mean(drawn.map(({ first }) => first)),
        mean(drawn.map(({ second }) => second)),
      );
    });
    return { value, ...interval(draws), resampling: 'paired' };
  }
  if (leftValues.length >= FEWEST_REPEATS && rightValues.length >= FEWEST_REPEATS) {
    const draws = Array.from({ length: RESAMPLES }, () =>
      formula(mean(resample(leftValues, stream)), mean(resample(rightValues, stream))),
    );
    return { value, ...interval(draws), resampling: 'independent' };
  }
  return { value };
}

function resample<T>(values: readonly T[], stream: RandomStream): T[] {
  return values.map(() => values[stream.integer(values.length)] as T);
}

/** The 2.5 and 97.5 percentiles; absent where a draw divided by zero. */
function interval(draws: number[]): { low?: number; high?: number } {
  if (!draws.every(Number.isFinite)) return {};
  const sorted = draws.sort((a, b) => a - b);
  return { low: quantile(sorted, 0.025), high: quantile(sorted, 0.975) };
}

/** Values brought to 0…1 between their least and greatest; undefined ones stay so; all equal: 0. */
export function normalise(values: readonly (number | undefined)[]): (number | undefined)[] {
  const defined = values.filter((value) => value !== undefined);
  const least = Math.min(...defined);
  const range = Math.max(...defined) - least;
  return values.map((value) => {
    if (value === undefined) return undefined;
    return range === 0 ? 0 : (value - least) / range;
  });
}
