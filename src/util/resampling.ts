/** Uncertainty from repeats: bootstrap intervals, paired permutation tests, Holm's correction. */
import { RandomStream } from './random.ts';
import { mean } from './statistics.ts';

/** Fewer repeats say nothing of their own spread. */
export const FEWEST_REPEATS = 3;

const RESAMPLES = 10_000;

/** As many pairs as all whose signs are tried out: 2^16 sums. */
const MOST_EXACT_PAIRS = 16;

export interface Interval {
  low: number;
  high: number;
}

/** Quantile of sorted values by linear interpolation (numpy's default); NaN of an empty list. */
export function quantile(sorted: readonly number[], share: number): number {
  const position = share * (sorted.length - 1);
  const below = Math.floor(position);
  const low = sorted[below] ?? Number.NaN;
  const high = sorted[Math.min(below + 1, sorted.length - 1)] ?? Number.NaN;
  return low + (high - low) * (position - below);
}

/** Up to so many values, all resamples are gone through: 1,716 of seven. */
const MOST_EXACT_VALUES = 7;

/** How often each value is drawn in one resample, and how likely that is. */
export interface Resample {
  counts: readonly number[];
  probability: number;
}

const resamplesOf = new Map<number, readonly Resample[]>();

/**
 * All resamples of `size` values with replacement, those that differ in order alone as one: the whole
 * bootstrap distribution, which drawing at random only approximates. `undefined` for more values than
 * can be gone through.
 */
export function allResamples(size: number): readonly Resample[] | undefined {
  if (size > MOST_EXACT_VALUES) return undefined;
  let found = resamplesOf.get(size);
  if (!found) {
    const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1));
    found = compositions(size, size).map((counts) => {
      const orders = counts.reduce((left, count) => left / factorial(count), factorial(size));
      return { counts, probability: orders / size ** size };
    });
    resamplesOf.set(size, found);
  }
  return found;
}

/** All ways to write `total` as a sum of `parts` whole numbers from 0 on, in order. */
function compositions(total: number, parts: number): number[][] {
  if (parts === 0) return total === 0 ? [[]] : [];
  return Array.from({ length: total + 1 }, (_, first) =>
    compositions(total - first, parts - 1).map((rest) => [first, ...rest]),
  ).flat();
}

/** The 2.5 and 97.5 percentiles of values that have these probabilities: the least that reach them. */
export function intervalOf(values: readonly { value: number; probability: number }[]): Interval {
  const sorted = [...values].sort((a, b) => a.value - b.value);
  const reaching = (share: number): number => {
    let below = 0;
    for (const { value, probability } of sorted) {
      below += probability;
      // Probabilities add up with rounding errors.
      if (below >= share - 1e-12) return value;
    }
    return sorted.at(-1)?.value ?? Number.NaN;
  };
  return { low: reaching(0.025), high: reaching(0.975) };
}

/**
 * The 95 % interval of the mean by percentile bootstrap (Efron 1979): over all resamples up to seven
 * values, by 10,000 drawn ones above; `undefined` below three values.
 * @param keys what the drawing is seeded with: the same keys, the same interval
 */
export function bootstrapMean(
  values: readonly number[],
  keys: readonly (string | number)[],
): Interval | undefined {
  if (values.length < FEWEST_REPEATS) return undefined;
  const resamples = allResamples(values.length);
  if (resamples) {
    return intervalOf(
      resamples.map(({ counts, probability }) => ({
        value:
          counts.reduce((sum, count, at) => sum + count * (values[at] ?? Number.NaN), 0) /
          values.length,
        probability,
      })),
    );
  }
  const stream = new RandomStream('bootstrap', ...keys);
  const means = Array.from({ length: RESAMPLES }, () => {
    let sum = 0;
    for (let draw = 0; draw < values.length; draw++) {
      sum += values[stream.integer(values.length)] ?? Number.NaN;
    }
    return sum / values.length;
  }).sort((a, b) => a - b);
  return { low: quantile(means, 0.025), high: quantile(means, 0.975) };
}

export interface PairedTest {
  /** Pairs compared. */
  pairs: number;
  /** Mean of the differences. */
  difference: number;
  /** Of the mean difference, at 95 %; absent below three pairs. */
  interval?: Interval;
  /**
   * One-sided p: how often random signs of the differences give a mean at least as great. The least
   * that n pairs can give is 1/2^n: 1/32 for five.
   */
  p: number;
}

/**
 * Permutation test of "the first of each pair is greater" (Fisher 1935): exact over all signs up to 16
 * pairs, by 10,000 draws above. `undefined` without pairs.
 * @param differences first minus second, by pair
 */
export function pairedPermutationTest(
  differences: readonly number[],
  keys: readonly (string | number)[],
): PairedTest | undefined {
  const pairs = differences.length;
  if (pairs === 0) return undefined;
  const difference = mean(differences);
  const interval = bootstrapMean(differences, ['difference', ...keys]);
  // Sums in another order differ in their last bits; those are ties.
  const magnitude = differences.reduce((sum, value) => sum + Math.abs(value), 0);
  const least = difference * pairs - 1e-12 * magnitude;
  const p =
    pairs <= MOST_EXACT_PAIRS ? exactP(differences, least) : drawnP(differences, least, keys);
  return { pairs, difference, ...(interval ? { interval } : {}), p };
}

function exactP(differences: readonly number[], least: number): number {
  const patterns = 2 ** differences.length;
  let reached = 0;
  for (let pattern = 0; pattern < patterns; pattern++) {
    const sum = differences.reduce(
      (total, value, pair) => total + ((pattern >> pair) & 1 ? -value : value),
      0,
    );
    if (sum >= least) reached++;
  }
  return reached / patterns;
}

/** The observed signs count as one of the draws, so that p is never 0 (Phipson and Smyth 2010). */
function drawnP(
  differences: readonly number[],
  least: number,
  keys: readonly (string | number)[],
): number {
  const stream = new RandomStream('permutation', ...keys);
  let reached = 1;
  for (let draw = 0; draw < RESAMPLES; draw++) {
    const sum = differences.reduce(
      (total, value) => total + (stream.next() < 0.5 ? -value : value),
      0,
    );
    if (sum >= least) reached++;
  }
  return reached / (RESAMPLES + 1);
}

/**
 * Holm's step-down correction (1979): p values such that "below 0.05" holds for all of them together.
 * Undefined ones are no tests and stay undefined.
 */
export function holm(values: readonly (number | undefined)[]): (number | undefined)[] {
  const tests = values
    .flatMap((value, index) => (value === undefined ? [] : [{ value, index }]))
    .sort((a, b) => a.value - b.value);
  const adjusted = values.map((): number | undefined => undefined);
  let highest = 0;
  tests.forEach(({ value, index }, rank) => {
    highest = Math.max(highest, Math.min(1, value * (tests.length - rank)));
    adjusted[index] = highest;
  });
  return adjusted;
}
