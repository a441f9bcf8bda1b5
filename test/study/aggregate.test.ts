import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ResultRow } from '../../src/results/index.ts';
import { aggregate, firstToReach } from '../../src/study/index.ts';
import { row } from './resultRows.ts';

const axes = { data: ['skin'], models: ['resnet18'], inits: ['ri', 'st', 'wt'], seeds: [0, 1, 2] };

/** Metric of each initialisation by seed. */
const metrics: Record<string, number[]> = {
  ri: [0.4, 0.5, 0.45],
  st: [0.5, 0.55, 0.6],
  wt: [0.7, 0.8, 0.75],
};
const complete: ResultRow[] = Object.entries(metrics).flatMap(([init, values]) =>
  values.map((testMetric, seed) => row({ init, seed, testMetric, iterationsToBest: 100 * seed })),
);

describe('aggregate', () => {
  it('gives mean, sample deviation and count of each cell', () => {
    const { cells } = aggregate(complete, axes);
    const wt = cells.find(({ init }) => init === 'wt');
    expect(wt?.metric).toEqual({
      mean: expect.closeTo(0.75, 12),
      deviation: expect.closeTo(0.05, 12),
      count: 3,
    });
    expect(wt?.iterationsToBest).toEqual({ mean: 100, deviation: 100, count: 3 });
    expect(wt?.missingSeeds).toEqual([]);
  });

  it('gives both gains, paired by seed', () => {
    const [comparison] = aggregate(complete, axes).comparisons;
    expect(comparison?.transfer.value).toBeCloseTo(0.75 / 0.45, 12);
    expect(comparison?.reuse.value).toBeCloseTo((0.75 - 0.55) / 0.75, 12);
    expect(comparison?.transfer.resampling).toBe('paired');
    const { low = 0, high = 0, value = 0 } = comparison?.transfer ?? {};
    expect(low).toBeLessThan(value);
    expect(high).toBeGreaterThan(value);
  });

  it('names missing runs and undefined metrics instead of hiding them', () => {
    const rows = complete
      .filter(({ init, seed }) => !(init === 'wt' && seed === 1))
      .map((item) =>
        item.init === 'wt' && item.seed === 2
          ? { ...item, testMetric: undefined, undefinedReason: 'class DF is absent' }
          : item,
      );
    const wt = aggregate(rows, axes).cells.find(({ init }) => init === 'wt');
    expect(wt?.metric).toEqual({ mean: 0.7, deviation: undefined, count: 1 });
    expect(wt?.missingSeeds).toEqual([1]);
    expect(wt?.undefinedRuns).toEqual([{ seed: 2, reason: 'class DF is absent' }]);
  });

  it('has a cell for every setting, run or not', () => {
    const { cells, comparisons } = aggregate([], axes);
    expect(cells.map(({ init, missingSeeds }) => [init, missingSeeds.length])).toEqual([
      ['ri', 3],
      ['st', 3],
      ['wt', 3],
    ]);
    expect(comparisons[0]?.transfer).toEqual({ reason: 'no runs to compare' });
    expect(comparisons[0]?.reuseNormalised).toBeUndefined();
  });

  it('normalises feature reuse over the settings of the study', () => {
    const rows = ['a', 'b', 'c'].flatMap((data, index) => [
      row({ data, init: 'wt', testMetric: 0.8 }),
      row({ data, init: 'st', testMetric: 0.8 - 0.1 * index }),
    ]);
    const { comparisons } = aggregate(rows, { ...axes, data: ['a', 'b', 'c'], seeds: [0] });
    expect(comparisons.map(({ reuseNormalised }) => reuseNormalised)).toEqual([
      0,
      expect.closeTo(0.5, 12),
      1,
    ]);
  });

  it('does not depend on the order of rows', () => {
    const expected = aggregate(complete, axes);
    fc.assert(
      fc.property(fc.shuffledSubarray(complete, { minLength: complete.length }), (rows) => {
        expect(aggregate(rows, axes)).toEqual(expected);
      }),
      { numRuns: 5 },
    );
  });
});

describe('firstToReach', () => {
  it('is the first evaluation at or above the level; undefined metrics reach nothing', () => {
    const evaluations = [
      { iteration: 10, value: 0.3 },
      { iteration: 20, value: undefined },
      { iteration: 30, value: 0.5 },
      { iteration: 40, value: 0.6 },
    ];
    expect(firstToReach(evaluations, 0.5)).toBe(30);
    expect(firstToReach(evaluations, 0.7)).toBeUndefined();
  });
});
