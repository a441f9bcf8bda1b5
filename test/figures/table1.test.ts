import { describe, expect, it } from 'vitest';
import { describeTable1, formatTable1 } from '../../src/figures/index.ts';
import { aggregate } from '../../src/study/aggregate.ts';
import { row } from '../study/resultRows.ts';

const axes = { data: ['skin'], models: ['resnet18'], inits: ['wt', 'st', 'ri'], seeds: [0, 1, 2] };
const rows = [
  ...[0.4, 0.5, 0.45].map((testMetric, seed) =>
    row({ init: 'ri', seed, testMetric, iterationsToReference: 100 }),
  ),
  ...[0.5, 0.55, 0.6].map((testMetric, seed) => row({ init: 'st', seed, testMetric })),
  ...[0.7, 0.8, 0.75].map((testMetric, seed) =>
    row({
      init: 'wt',
      seed,
      testMetric,
      iterationsToBest: 60 + 10 * seed,
      // Only two of the three reach what RI reached.
      iterationsToReference: seed < 2 ? 40 : undefined,
    }),
  ),
];

describe('the table', () => {
  it('has the paper’s layout: RI, ST, WT, then the gains', () => {
    const { columns, rows: lines, notes } = describeTable1(aggregate(rows, axes));
    expect(columns).toEqual([
      'model',
      '',
      'skin, recall ↑, n = 2,000',
      'iterations to best (to RI’s best)',
    ]);
    expect(lines.map((line) => line.slice(0, 2))).toEqual([
      ['resnet18 (11M)', 'RI'],
      ['', 'ST'],
      ['', 'WT'],
      ['', 'WT/RI'],
      ['', '(WT−ST)/WT'],
    ]);
    expect(lines[0]?.slice(2)).toEqual(['0.450 ± 0.050', '100 ± 0 (100 ± 0)']);
    expect(lines[2]?.slice(2)).toEqual(['0.750 ± 0.050', '70 ± 10 (40 ± 0, 2 of 3 runs)']);
    expect(lines[1]?.[3]).toBe('100 ± 0 (never)');
    expect(lines[3]?.[2]).toMatch(/^1\.667 \[1\.\d{3}, 1\.\d{3}\]$/);
    expect(lines[4]?.[2]).toMatch(/^0\.267 \[0\.\d{3}, 0\.\d{3}\]$/);
    expect(notes).toEqual([]);
  });

  it('marks what is missing or undefined', () => {
    const partial = rows
      .filter(({ init, seed }) => init !== 'st' && !(init === 'ri' && seed === 2))
      .map((item) =>
        item.init === 'wt'
          ? { ...item, testMetric: undefined, undefinedReason: 'class DF is absent' }
          : item,
      );
    const { rows: lines, notes } = describeTable1(aggregate(partial, axes));
    expect(lines.map((line) => line[2])).toEqual([
      '0.450 ± 0.071 (2 runs)',
      '–',
      'undefined',
      '–',
      '–',
    ]);
    expect(notes).toEqual([
      'skin, resnet18, WT: undefined: seed 0, 1, 2 (class DF is absent)',
      'skin, resnet18, ST: not finished: seed 0, 1, 2',
      'skin, resnet18, RI: not finished: seed 2',
    ]);
  });

  it('says when runs were not computed alike', () => {
    const mixed = rows.map((item, at) => (at === 0 ? { ...item, precision: 'bf16' } : item));
    expect(describeTable1(aggregate(mixed, axes)).notes).toEqual([
      'runs differ in precision: bf16, fp32 (results.csv says which)',
    ]);
  });

  it('has WT-ST-n/m between ST and WT in order of n, for each model its own', () => {
    const partial = ['WT-ST-10/4', 'WT-ST-2/12', 'WT-ST-2/4'];
    const table = aggregate([...rows, row({ init: 'WT-ST-2/4', seed: 0, testMetric: 0.6 })], {
      ...axes,
      models: ['resnet18', 'deit_tiny'],
      inits: [...partial, ...axes.inits],
      initsOf: {
        resnet18: ['WT-ST-2/4', ...axes.inits],
        deit_tiny: ['WT-ST-10/4', 'wt', 'WT-ST-2/12', 'st'],
      },
    });
    const labels = describeTable1(table).rows.map((line) => line[1]);
    const gains = ['WT/RI', '(WT−ST)/WT'];
    expect(labels).toEqual([
      ...['RI', 'ST', 'WT-ST-2/4', 'WT', ...gains],
      ...['ST', 'WT-ST-2/12', 'WT-ST-10/4', 'WT', ...gains],
    ]);
    expect(describeTable1(table).rows[2]?.[2]).toBe('0.600 (1 run)');
    expect(formatTable1(table)).toContain('resnet18,11180103,WT-ST-2/4,2000,0.6,');
  });

  it('leaves out gains that the study does not measure', () => {
    const table = aggregate(
      rows.filter(({ init }) => init !== 'st'),
      { ...axes, inits: ['ri', 'wt'] },
    );
    expect(describeTable1(table).rows.map((line) => line[1])).toEqual(['RI', 'WT', 'WT/RI']);
  });

  it('is a CSV file with all digits', () => {
    const lines = formatTable1(aggregate(rows, axes)).trimEnd().split('\n');
    expect(lines[0]).toBe(
      'model,parameters,row,skin n,skin recall,skin sd,skin 95% low,skin 95% high,skin runs,skin note,' +
        'skin iterations to best,skin iterations to best sd,' +
        'skin iterations to RI best,skin iterations to RI best sd',
    );
    expect(lines.map((line) => line.split(',').slice(0, 3).join())).toEqual([
      'model,parameters,row',
      'resnet18,11180103,RI',
      'resnet18,11180103,ST',
      'resnet18,11180103,WT',
      'resnet18,11180103,WT/RI',
      'resnet18,11180103,(WT-ST)/WT',
      'resnet18,11180103,"(WT-ST)/WT',
    ]);
    const [, , , samples, mean, deviation, , , runs] = lines[3]?.split(',') ?? [];
    expect([Number(samples), Number(runs)]).toEqual([2000, 3]);
    expect(Number(mean)).toBeCloseTo(0.75, 12);
    expect(Number(deviation)).toBeCloseTo(0.05, 12);
    for (const line of lines.slice(1, 6)) expect(line.split(',')).toHaveLength(14);
  });
});
