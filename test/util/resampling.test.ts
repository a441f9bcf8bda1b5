/** Bootstrap, permutation test and Holm's correction against values worked out by hand and by scipy. */
import { describe, expect, it } from 'vitest';
import {
  allResamples,
  bootstrapMean,
  holm,
  pairedPermutationTest,
  quantile,
} from '../../src/util/index.ts';

describe('bootstrap interval of a mean', () => {
  it('needs three values', () => {
    expect(bootstrapMean([1, 2], ['few'])).toBe(undefined);
  });

  it('is about ±1.96 standard errors of many values, and the same for the same keys', () => {
    const values = Array.from({ length: 400 }, (_, at) => (at % 20) / 20);
    const interval = bootstrapMean(values, ['a']);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    const half = 1.96 * Math.sqrt(variance / values.length);
    expect(interval?.low).toBeAllclose(mean - half, { absolute: 0.1 * half });
    expect(interval?.high).toBeAllclose(mean + half, { absolute: 0.1 * half });
    expect(bootstrapMean(values, ['a'])).toEqual(interval);
    expect(bootstrapMean([3, 3, 3], ['equal'])).toEqual({ low: 3, high: 3 });
  });
});

describe('the whole bootstrap distribution of few values', () => {
  it('has every resample once, with its probability', () => {
    const resamples = allResamples(5) ?? [];
    expect(resamples).toHaveLength(126);
    expect(resamples.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 12);
    const once = resamples.find(({ counts }) => counts.every((count) => count === 1));
    expect(once?.probability).toBeCloseTo(120 / 3125, 12);
    expect(allResamples(8)).toBe(undefined);
  });

  it('gives the interval that all 3,125 draws of five values give', () => {
    // numpy.quantile([mean(draw) for draw in itertools.product(values, repeat=5)],
    //   [0.025, 0.975], method='inverted_cdf')
    const interval = bootstrapMean([0.61, 0.7, 0.66, 0.81, 0.74], ['any']);
    expect(interval?.low).toBeAllclose(0.646, { absolute: 1e-9 });
    expect(interval?.high).toBeAllclose(0.766, { absolute: 1e-9 });
  });

  it('is what drawing approximates', () => {
    const seven = [3, 1, 4, 1, 5, 9, 2];
    // scipy.stats.bootstrap((seven,), mean, method='percentile', n_resamples=1_000_000)
    const interval = bootstrapMean(seven, ['any']);
    expect(interval?.low).toBeAllclose(1.857142857, { absolute: 1e-6 });
    expect(interval?.high).toBeAllclose(5.714285714, { absolute: 1e-6 });
  });
});

describe('paired permutation test', () => {
  it('is exact for few pairs', () => {
    // scipy.stats.permutation_test(([.1, .2, .3, .4, .5],), mean, permutation_type='samples',
    //   alternative='greater'): 1/32
    expect(pairedPermutationTest([0.1, 0.2, 0.3, 0.4, 0.5], ['x'])?.p).toBe(1 / 32);
    // Of −1, 2, 2 and all their signs, two of eight sums reach 3.
    expect(pairedPermutationTest([-1, 2, 2], ['x'])?.p).toBe(2 / 8);
    expect(pairedPermutationTest([1, 1, -2], ['x'])?.p).toBe(5 / 8);
    expect(pairedPermutationTest([0, 0, 0], ['x'])?.p).toBe(1);
    expect(pairedPermutationTest([], ['x'])).toBe(undefined);
  });

  it('draws signs for many, and never says 0', () => {
    const clear = Array.from({ length: 40 }, (_, at) => 1 + (at % 3));
    expect(pairedPermutationTest(clear, ['clear'])?.p).toBeAllclose(1 / 10001, { relative: 1e-9 });
    const even = Array.from({ length: 40 }, (_, at) => (at % 2 === 0 ? 1 : -1));
    // Half of the sums lie above 0, and 0 itself counts: (1 + C(40, 20)/2^40) / 2.
    expect(pairedPermutationTest(even, ['even'])?.p).toBeAllclose(0.5627, { absolute: 0.02 });
  });
});

describe('Holm’s correction', () => {
  it('equals statsmodels’ multipletests(method="holm"), tests that are none left out', () => {
    expect(holm([0.01, undefined, 0.04, 0.03, 0.005])).toEqual([
      expect.closeTo(0.03, 12),
      undefined,
      expect.closeTo(0.06, 12),
      expect.closeTo(0.06, 12),
      expect.closeTo(0.02, 12),
    ]);
    expect(holm([0.9, 0.8])).toEqual([1, 1]);
    expect(holm([])).toEqual([]);
  });
});

describe('quantile', () => {
  it('interpolates as numpy does', () => {
    // numpy.quantile([1, 2, 4, 8], [0, 0.25, 0.5, 0.9, 1])
    const values = [1, 2, 4, 8];
    expect([0, 0.25, 0.5, 0.9, 1].map((share) => quantile(values, share))).toEqual([
      1,
      1.75,
      3,
      expect.closeTo(6.8, 12),
      8,
    ]);
  });
});
