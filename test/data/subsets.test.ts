import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  classCounts,
  type DataSet,
  makeSplits,
  parseDataSpec,
  readSplits,
  type Sample,
  type SplitSettings,
  splitNames,
  writeSplits,
} from '../../src/data/index.ts';
import { splitSettings } from '../../src/data/splitSettings.ts';
import { messageOf, temporaryFolder } from './pictures.ts';

const folder = temporaryFolder();
const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** A data set in memory; samples need only what matters. */
function setOf(
  samples: (Partial<Sample> & { label: number | number[] })[],
  split: Partial<SplitSettings> = {},
  settings: Partial<DataSet> = {},
): DataSet {
  const highest = Math.max(...samples.flatMap(({ label }) => (Array.isArray(label) ? [] : label)));
  return {
    name: 'made',
    kind: 'folder',
    root: '/made',
    task: 'multiclass',
    metric: 'recall',
    classes: numbers(highest + 1).map((index) => `class${index}`),
    samples: samples.map((sample, index) => ({
      id: `s${index}`,
      path: `/made/s${index}`,
      hash: `hash${index}`,
      ...sample,
    })),
    split: { ratios: [0.8, 0.1, 0.1], method: 'balanced', leakage: 'error', ...split },
    notes: [],
    identity: 'made',
    ...settings,
  };
}

describe('a subset of the training split', () => {
  const labels = numbers(1000).map((k) => ({ label: k % 100 < 70 ? 0 : k % 100 < 98 ? 1 : 2 }));
  const whole = makeSplits(setOf(labels), { seed: 1 });

  it('has the size asked for, its classes in proportion, and leaves the other splits alone', () => {
    const dataset = setOf(labels, { subset: { fraction: 0.25 } });
    const splits = makeSplits(dataset, { seed: 1 });
    expect(splits.train).toHaveLength(200);
    expect(classCounts(dataset, splits.train)).toBeAllclose([140, 56, 4], { absolute: 2 });
    expect([splits.val, splits.test]).toEqual([whole.val, whole.test]);
    expect([...splits.train, ...splits.unused].sort((a, b) => a - b)).toEqual(whole.train);
    expect(splits.notes).toContain('training on 200 of 800 samples (fraction 0.25)');
  });

  it('holds every class where it has room for them', () => {
    const dataset = setOf(labels, { subset: { samples: 3 } });
    expect(classCounts(dataset, makeSplits(dataset, { seed: 4 }).train)).toEqual([1, 1, 1]);
  });

  it('lies inside every larger one, with and without groups, whatever the data', () => {
    const sample = fc.record({ label: fc.nat({ max: 4 }), group: fc.nat({ max: 25 }) });
    fc.assert(
      fc.property(
        fc.array(sample, { minLength: 60, maxLength: 120 }),
        fc.boolean(),
        fc.nat(),
        (list, isGrouped, seed) => {
          const samples = list.map(({ label, group }) =>
            isGrouped ? { label, group: `g${group}` } : { label },
          );
          const full = makeSplits(setOf(samples), { seed }).train;
          let inner = new Set<number>();
          for (const fraction of [0.05, 0.1, 0.3, 0.5, 0.9, 1]) {
            const dataset = setOf(samples, { subset: { fraction } });
            const { train, unused } = makeSplits(dataset, { seed });
            const outer = new Set(train);
            expect([...inner].every((index) => outer.has(index))).toBe(true);
            const wanted = Math.max(1, Math.round(fraction * full.length));
            if (!isGrouped) expect(train).toHaveLength(wanted);
            const kept = new Set(train.map((index) => dataset.samples[index]?.group));
            const left = unused.filter((index) => kept.has(dataset.samples[index]?.group));
            if (isGrouped) expect(left).toEqual([]);
            inner = outer;
          }
          expect(inner).toEqual(new Set(full));
        },
      ),
      { numRuns: 30, seed: 3 },
    );
  });

  it('balances rare labels of a multi-label task, unknown ones aside', () => {
    const samples = numbers(400).map((k) => ({
      label: [k % 2, k % 20 === 0 ? 1 : 0, k % 3 === 0 ? -1 : 0],
    }));
    const dataset = setOf(
      samples,
      { subset: { fraction: 0.25 } },
      { task: 'multilabel', classes: ['common', 'rare', 'doubtful'] },
    );
    const { train } = makeSplits(dataset, { seed: 0 });
    expect(train).toHaveLength(80);
    const [common = 0, rare = 0, doubtful] = classCounts(dataset, train);
    expect([common, rare]).toBeAllclose([40, 4], { absolute: 4 });
    expect(doubtful).toBe(0);
  });

  it('of more samples than there are is refused', async () => {
    const dataset = setOf(labels, { subset: { samples: 801 } });
    const message = await messageOf(() => makeSplits(dataset, { seed: 0 }));
    expect(message).toContain('at most the 800 samples of the training split, got 801');
  });

  it('is written with what it leaves out, and read as written', async () => {
    const dataset = setOf(labels, { subset: { fraction: 0.1 } });
    const path = join(folder, 'part.csv');
    const splits = makeSplits(dataset, { seed: 1 });
    await writeSplits(path, dataset, splits);
    const read = await readSplits(path, dataset);
    expect({ ...read, notes: [] }).toEqual({ ...splits, notes: [] });
    expect(read.notes).toEqual([`720 training samples are left unused by ${path}`]);
    // A file of whole splits is cut down.
    const other = join(folder, 'whole.csv');
    await writeSplits(other, setOf(labels), whole);
    expect((await readSplits(other, dataset, { seed: 1 })).train).toEqual(splits.train);
  });

  it('is asked for in the entry of a data set', async () => {
    const entry = (settings: Record<string, unknown>) =>
      parseDataSpec({ kind: 'folder', path: '/x', ...settings });
    expect(entry({ fraction: 0.5 })).toMatchObject({ fraction: 0.5 });
    expect(entry({ nTrain: 10 })).toMatchObject({ nTrain: 10 });
    expect(entry({ n_train: 10 })).toMatchObject({ n_train: 10 });
    expect(await messageOf(() => entry({ fraction: 0 }))).toContain('more than 0');
    expect(await messageOf(() => entry({ fraction: 1.5 }))).toContain('at most 1');
    expect(await messageOf(() => entry({ nTrain: 0 }))).toContain('nTrain');
  });
});

describe('folds', () => {
  const samples = numbers(200).map((k) => ({ label: k % 4 }));

  it('are each the test split once, stratified, with validation from the rest', () => {
    const tests = numbers(5).map((at) => {
      const dataset = setOf(samples, { fold: { at, of: 5 } });
      const splits = makeSplits(dataset, { seed: 2 });
      expect(splits.test).toHaveLength(40);
      expect(classCounts(dataset, splits.test)).toEqual([10, 10, 10, 10]);
      expect(splits.val.length).toBeGreaterThan(15);
      const all = splitNames.flatMap((name) => splits[name]).sort((a, b) => a - b);
      expect(all).toEqual(numbers(200));
      return splits.test;
    });
    expect(tests.flat().sort((a, b) => a - b)).toEqual(numbers(200));
  });

  it('divide no group, and go with a subset', () => {
    const grouped = numbers(200).map((k) => ({ label: k % 4, group: `g${Math.floor(k / 5)}` }));
    const tests = numbers(4).map((at) => {
      const dataset = setOf(grouped, { fold: { at, of: 4 }, subset: { fraction: 0.5 } });
      const splits = makeSplits(dataset, { seed: 2 });
      expect(splits.unused.length).toBeGreaterThan(50);
      return splits.test;
    });
    expect(tests.flat().sort((a, b) => a - b)).toEqual(numbers(200));
  });

  it('keep a given test split and validate on the rest', () => {
    const given = samples.map((sample, k) => ({
      ...sample,
      split: k < 40 ? ('test' as const) : k < 80 ? ('val' as const) : ('train' as const),
    }));
    const { train, val, test } = makeSplits(setOf(given, { fold: { at: 1, of: 4 } }), { seed: 0 });
    expect(test).toEqual(numbers(40));
    expect([train.length, val.length]).toEqual([120, 40]);
  });

  it('are set with strict settings', async () => {
    const entry = (split: unknown) => parseDataSpec({ kind: 'folder', path: '/x', split });
    expect(splitSettings({ folds: 5, fold: 2 }).fold).toEqual({ at: 2, of: 5 });
    expect(splitSettings('released-code').method).toBe('released-code');
    expect(entry('released-code')).toMatchObject({ split: 'released-code' });
    expect(await messageOf(() => entry({ folds: 5 }))).toContain('a fold from 0 to 4');
    expect(await messageOf(() => entry({ folds: 5, fold: 5 }))).toContain('a fold from 0 to 4');
    expect(await messageOf(() => entry({ fold: 1 }))).toContain('folds');
    expect(await messageOf(() => entry({ folds: 1, fold: 0 }))).toContain('folds');
    expect(await messageOf(() => entry({ fods: 5 }))).toContain('folds');
  });
});
