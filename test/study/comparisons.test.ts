/** Paired comparisons of initialisations and WT-ST curves, against numbers worked out by hand. */
import { describe, expect, it } from 'vitest';
import {
  compareInits,
  formatComparisons,
  formatCurves,
  formatModels,
  studyCurves,
} from '../../src/study/index.ts';
import { row } from './resultRows.ts';

const axes = { data: ['skin', 'eye'], models: ['resnet18'], inits: ['wt', 'st', 'ri'], seeds: [0] };
const seeds = [0, 1, 2, 3, 4];
const skin = seeds.flatMap((seed) => [
  row({ data: 'skin', init: 'wt', seed, testMetric: 0.8 + seed / 100 }),
  row({ data: 'skin', init: 'st', seed, testMetric: 0.6 - seed / 100 }),
]);
const eye = seeds
  .slice(0, 3)
  .flatMap((seed) => [
    row({ data: 'eye', init: 'wt', seed, testMetric: 0.7 }),
    row({ data: 'eye', init: 'st', seed, testMetric: seed === 0 ? undefined : 0.7 }),
  ]);

describe('paired comparisons', () => {
  it('pair by seed, and are corrected over the settings of the claim', () => {
    const [first, second] = compareInits([...skin, ...eye], axes).filter(
      ({ better, than }) => better === 'wt' && than === 'st',
    );
    expect(first).toMatchObject({ data: 'skin', test: { pairs: 5, p: 1 / 32 }, corrected: 2 / 32 });
    expect(first?.test?.difference).toBeCloseTo(0.24, 12);
    expect(first?.test?.interval?.low).toBeGreaterThan(0.2);
    expect(second).toMatchObject({ data: 'eye', test: { pairs: 2, p: 1 }, corrected: 1 });
    expect(second?.test).not.toHaveProperty('interval');
  });

  it('say nothing of initialisations that have no run', () => {
    const against = compareInits(skin, axes).find(({ than }) => than === 'ri');
    expect(against).toEqual({ data: 'skin', model: 'resnet18', better: 'wt', than: 'ri' });
    const text = formatComparisons(compareInits(skin, axes));
    expect(text.split('\n')[0]).toBe('data,model,better,than,pairs,difference,low,high,p,p_holm');
    expect(text).toContain('skin,resnet18,wt,ri,0,,,,,\n');
    expect(text).not.toContain('NaN');
  });
});

describe('WT-ST curves', () => {
  const sweep = ['skin', 'eye'].flatMap((data, at) =>
    ['st', 'WT-ST-2/4', 'wt'].flatMap((init, step) =>
      seeds.slice(0, 3).map((seed) =>
        row({
          data,
          init,
          seed,
          testMetric: 0.5 * (1 + step * (at + 1) * 0.1),
          iterationsToBest: 120 / (1 + step),
        }),
      ),
    ),
  );

  it('give gain and speed-up relative to none kept, and their mean over data sets', () => {
    const curves = studyCurves(sweep);
    expect(curves.map(({ data }) => data)).toEqual(['skin', 'eye', undefined]);
    const [first, , mean] = curves;
    expect(first?.points.map(({ kept, fraction }) => [kept, fraction])).toEqual([
      [0, 0],
      [2, 2 / 6],
      [6, 1],
    ]);
    const rounded = (values: (number | undefined)[] = []) =>
      values.map((value) => Number(value?.toFixed(9)));
    expect(rounded(first?.points.map(({ relativeGain }) => relativeGain))).toEqual([0, 0.1, 0.2]);
    expect(rounded(mean?.points.map(({ relativeGain }) => relativeGain))).toEqual([0, 0.15, 0.3]);
    expect(mean?.points.map(({ speedUp }) => speedUp)).toEqual([1, 2, 3]);
    expect(first?.points[1]?.metric).toMatchObject({ count: 3, deviation: 0 });
    expect(formatCurves(curves)).toContain('resnet18,mean over data sets,6,6,1,');
  });

  it('are none without WT-ST-n/m', () => {
    expect(studyCurves(skin)).toEqual([]);
  });

  it('stand beside a row for each model and initialisation', () => {
    const lines = formatModels(skin, axes).trim().split('\n');
    expect(lines).toHaveLength(3);
    expect(lines[1]).toMatch(/^skin,resnet18,wt,\d+,0\.82/);
  });
});
