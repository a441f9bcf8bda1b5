import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  classCounts,
  type DataSet,
  describeSplits,
  makeSplits,
  readSplits,
  type Sample,
  type Splits,
  splitNames,
  splitsIdentity,
  writeSplits,
} from '../../src/data/index.ts';
import { MersenneTwister } from '../../src/data/splits/mersenneTwister.ts';
import { messageOf, readGolden, temporaryFolder, writeText } from './pictures.ts';

interface Golden {
  shuffles: { seed: number; count: number; order: number[] }[];
  long: { count: number; sha256: string };
  splits: ({ name: string; total: number; ratios: [number, number, number] } & Record<
    'train' | 'val' | 'test',
    { count: number; sha256: string }
  >)[];
}

const golden = readGolden<Golden>('shuffle');
const folder = temporaryFolder();
const digest = (values: number[]): string =>
  createHash('sha256').update(values.join(',')).digest('hex');
const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** A data set in memory; samples need only what matters. */
function setOf(
  samples: (Partial<Sample> & { label: number | number[] })[],
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
    split: { ratios: [0.8, 0.1, 0.1], method: 'balanced', leakage: 'error' },
    notes: [],
    identity: 'made',
    ...settings,
  };
}

const sizes = (splits: Splits): number[] => splitNames.map((name) => splits[name].length);
const all = (splits: Splits): number[] =>
  splitNames.flatMap((name) => splits[name]).sort((a, b) => a - b);

describe("Python's random", () => {
  it.each(golden.shuffles)('shuffles $count with seed $seed alike', ({ seed, count, order }) => {
    expect(new MersenneTwister(seed).shuffle(numbers(count))).toEqual(order);
  });

  it('shuffles a long list alike', () => {
    const { count, sha256 } = golden.long;
    expect(digest(new MersenneTwister(42).shuffle(numbers(count)))).toBe(sha256);
  });

  it.each(golden.splits)('splits as the released code: $name', ({ total, ratios, ...parts }) => {
    const dataset = setOf(numbers(total).map((index) => ({ label: index % 3 })));
    const splits = makeSplits(dataset, { seed: 0, ratios, method: 'released-code' });
    for (const name of splitNames) {
      expect(splits[name]).toHaveLength(parts[name].count);
      expect(digest(splits[name])).toBe(parts[name].sha256);
    }
    expect(makeSplits(dataset, { seed: 9, ratios, method: 'released-code' })).toEqual(splits);
  });
});

describe('stratified splits', () => {
  it('hold every class in its proportion, and the seed decides', () => {
    const dataset = setOf(numbers(1000).map((index) => ({ label: index < 700 ? 0 : 1 })));
    const splits = makeSplits(dataset, { seed: 3 });
    expect(sizes(splits)).toEqual([800, 100, 100]);
    for (const [name, counts] of [
      ['train', [560, 240]],
      ['val', [70, 30]],
      ['test', [70, 30]],
    ] as const) {
      expect(classCounts(dataset, splits[name])).toEqual(counts);
    }
    expect(makeSplits(dataset, { seed: 3 })).toEqual(splits);
    expect(makeSplits(dataset, { seed: 4 }).test).not.toEqual(splits.test);
    const other = makeSplits(dataset, { seed: 3, ratios: [70, 15, 15] });
    expect(sizes(other)).toEqual([700, 150, 150]);
  });

  it('come out right in sum over many small classes', () => {
    const dataset = setOf(numbers(500).map((index) => ({ label: index % 100 })));
    const [train = 0, val = 0, test = 0] = sizes(makeSplits(dataset, { seed: 0 }));
    expect(train + val + test).toBe(500);
    expect(Math.abs(val - 50)).toBeLessThanOrEqual(2);
    expect(Math.abs(test - 50)).toBeLessThanOrEqual(2);
  });

  it('are a partition, filled, near their ratios, whatever the classes', () => {
    const labels = fc.array(fc.nat({ max: 4 }), { minLength: 30, maxLength: 200 });
    fc.assert(
      fc.property(labels, fc.nat(), (list, seed) => {
        const dataset = setOf(list.map((label) => ({ label })));
        const splits = makeSplits(dataset, { seed });
        expect(all(splits)).toEqual(numbers(list.length));
        const shares = sizes(splits).map((size) => size / list.length);
        expect(shares).toBeAllclose([0.8, 0.1, 0.1], { absolute: 5 / list.length });
        for (const name of splitNames) {
          classCounts(dataset, splits[name]).forEach((count, index) => {
            const total = classCounts(dataset)[index] ?? 0;
            const exact = total * (name === 'train' ? 0.8 : 0.1);
            if (total > 1) expect(Math.abs(count - exact)).toBeLessThan(1 + 1e-9);
          });
        }
      }),
      { numRuns: 60, seed: 1 },
    );
  });

  it('put a single sample into training and say so', () => {
    const dataset = setOf([...numbers(40).map((k) => ({ label: k % 2 })), { label: 2 }]);
    const splits = makeSplits(dataset, { seed: 0 });
    expect(splits.train).toContain(40);
    expect(splits.notes).toEqual([
      'a single sample of class2: it can only be in one split',
      'val has no sample of class2: left out of means over classes',
      'test has no sample of class2: left out of means over classes',
    ]);
  });

  it('are refused where one would be empty', async () => {
    const few = setOf([{ label: 0 }, { label: 1 }, { label: 0 }, { label: 1 }]);
    const message = await messageOf(() => makeSplits(few, { seed: 0 }));
    expect(message).toMatch(/^made: splits: expected at least one sample in each of train, val/);
    expect(message).toContain('of 4 samples');
  });
});

describe('grouped splits', () => {
  it('never divide a group and are balanced by class', () => {
    // Patients of 1 to 7 pictures, graded alike within a patient.
    const samples = numbers(400).flatMap((patient) =>
      numbers(1 + (patient % 7)).map(() => ({ label: patient % 5, group: `p${patient}` })),
    );
    const dataset = setOf(samples);
    const splits = makeSplits(dataset, { seed: 5 });
    expect(all(splits)).toEqual(numbers(samples.length));
    const total = classCounts(dataset);
    for (const [name, share] of [
      ['train', 0.8],
      ['val', 0.1],
      ['test', 0.1],
    ] as const) {
      classCounts(dataset, splits[name]).forEach((count, index) => {
        expect(Math.abs(count / (total[index] ?? 1) - share)).toBeLessThan(0.02);
      });
      // Large and small patients are in every split.
      const groups = new Set(splits[name].map((index) => dataset.samples[index]?.group));
      const mean = splits[name].length / groups.size;
      expect(mean).toBeGreaterThan(2.5);
      expect(mean).toBeLessThan(5.5);
    }
  });

  it('are a partition that divides no group, whatever the groups', () => {
    const sample = fc.record({ label: fc.nat({ max: 3 }), group: fc.nat({ max: 30 }) });
    fc.assert(
      fc.property(fc.array(sample, { minLength: 40, maxLength: 120 }), fc.nat(), (list, seed) => {
        const dataset = setOf(list.map(({ label, group }) => ({ label, group: `g${group}` })));
        const splits = makeSplits(dataset, { seed });
        expect(all(splits)).toEqual(numbers(list.length));
        const splitOf = new Map<string | undefined, string>();
        for (const name of splitNames) {
          for (const index of splits[name]) {
            const { group } = dataset.samples[index] ?? {};
            expect(splitOf.get(group) ?? name).toBe(name);
            splitOf.set(group, name);
          }
        }
      }),
      { numRuns: 60, seed: 2 },
    );
  });

  it('fill every split from as few as three groups, and refuse two', async () => {
    const groups = (count: number) =>
      setOf(numbers(30).map((k) => ({ label: k % 2, group: `g${k % count}` })));
    expect(sizes(makeSplits(groups(3), { seed: 0 }))).toEqual([10, 10, 10]);
    expect(await messageOf(() => makeSplits(groups(2), { seed: 0 }))).toContain('in 2 groups');
  });

  it('keep byte-identical files together, also across groups', () => {
    const samples = numbers(60).map((k) => ({ label: k % 2, hash: `h${Math.floor(k / 4)}` }));
    const dataset = setOf(samples);
    const splits = makeSplits(dataset, { seed: 0 });
    const inSplit = (index: number): string | undefined =>
      splitNames.find((name) => splits[name].includes(index));
    for (let k = 0; k < 60; k += 4) {
      expect(new Set([0, 1, 2, 3].map((more) => inSplit(k + more))).size).toBe(1);
    }
  });

  it('balance labels that occur together', () => {
    const samples = numbers(300).map((k) => ({
      label: [k % 2, k % 3 === 0 ? 1 : 0, k % 10 === 0 ? 1 : 0],
    }));
    const dataset = setOf(samples, { task: 'multilabel', classes: ['a', 'b', 'c'] });
    const splits = makeSplits(dataset, { seed: 0 });
    expect(sizes(splits)).toBeAllclose([240, 30, 30], { absolute: 2 });
    expect(classCounts(dataset, splits.test)).toBeAllclose([15, 10, 3], { absolute: 2 });
    expect(classCounts(dataset, splits.val)).toBeAllclose([15, 10, 3], { absolute: 2 });
  });
});

describe('given splits', () => {
  const given = (count: Record<'train' | 'val' | 'test', number>, settings = {}) =>
    setOf(
      splitNames.flatMap((split) => numbers(count[split]).map((k) => ({ label: k % 2, split }))),
      settings,
    );

  it('are kept; what is missing comes from training', () => {
    const whole = makeSplits(given({ train: 6, val: 2, test: 4 }), { seed: 0 });
    expect(sizes(whole)).toEqual([6, 2, 4]);
    const withoutVal = makeSplits(given({ train: 90, val: 0, test: 4 }), { seed: 0 });
    expect(sizes(withoutVal)).toEqual([80, 10, 4]);
    const withoutTest = makeSplits(given({ train: 90, val: 10, test: 0 }), { seed: 0 });
    expect(sizes(withoutTest)).toEqual([80, 10, 10]);
    expect(withoutTest.val).toEqual(whole.val.length ? numbers(10).map((k) => 90 + k) : []);
    const alone = makeSplits(given({ train: 100, val: 0, test: 0 }), { seed: 0 });
    expect(sizes(alone)).toEqual([80, 10, 10]);
  });

  it('are refused without training samples, or for some samples only', async () => {
    const message = await messageOf(() =>
      makeSplits(given({ train: 0, val: 3, test: 3 }), { seed: 0 }),
    );
    expect(message).toContain('none in train');
    const half = given({ train: 8, val: 2, test: 2 });
    half.samples.push({ id: 'loose', path: '/x', label: 0, hash: 'x' });
    expect(await messageOf(() => makeSplits(half, { seed: 0 }))).toContain('none for loose');
  });

  it('are refused where they leak, with the pairs', async () => {
    const leaking = given({ train: 6, val: 2, test: 4 });
    Object.assign(leaking.samples[0] ?? {}, { hash: 'same', group: 'p1' });
    Object.assign(leaking.samples[7] ?? {}, { hash: 'same' });
    Object.assign(leaking.samples[9] ?? {}, { group: 'p1' });
    const message = await messageOf(() => makeSplits(leaking, { seed: 0 }));
    expect(message).toContain('2 pairs:');
    expect(message).toContain('the same bytes: s0 (train) and s7 (val)');
    expect(message).toContain('group p1: s0 (train) and s9 (test)');
    const reported = makeSplits(leaking, { seed: 0, leakage: 'report' });
    expect(reported.notes[0]).toContain('2 leaks between splits:');
  });
});

describe('splits on disk', () => {
  const dataset = setOf(
    numbers(60).map((k) => ({
      label: k % 3,
      id: k === 7 ? 'odd, "name".png' : `${k}.png`,
      ...(k % 2 ? { group: `g${k % 10}` } : {}),
    })),
  );
  const splits = makeSplits(dataset, { seed: 1 });
  const path = join(folder, 'splits', 'made.csv');

  it('are read as they were written', async () => {
    await writeSplits(path, dataset, splits);
    const text = readFileSync(path, 'utf8');
    expect(text.split('\n').slice(0, 2)).toEqual([
      'sample,group,class,split',
      `0.png,,class0,${splitNames.find((name) => splits[name].includes(0))}`,
    ]);
    const read = await readSplits(path, dataset);
    expect({ ...read, notes: [] }).toEqual({ ...splits, notes: [] });
    expect(splitsIdentity(dataset, read)).toBe(splitsIdentity(dataset, splits));
    const other = makeSplits(dataset, { seed: 2 });
    expect(splitsIdentity(dataset, other)).not.toBe(splitsIdentity(dataset, splits));
  });

  it('are refused for another data set, with the rows', async () => {
    const wrong = writeText(
      join(folder, 'wrong.csv'),
      'sample,group,class,split\n0.png,,class0,train\n0.png,,class0,val\n1.png,,class2,test\nnone.png,,class0,val\n2.png,,class2,fourth\n',
    );
    const message = await messageOf(() => readSplits(wrong, dataset));
    expect(message).toContain('row 3: 0.png again, as in row 2');
    expect(message).toContain('row 4: 1.png is of class class1, not class2');
    expect(message).toContain('row 5: no sample none.png in made');
    expect(message).toContain('row 6: unknown split "fourth"');
  });

  it('tell the samples that are in none, and refuse empty ones', async () => {
    const part = writeText(
      join(folder, 'part.csv'),
      'sample,split\n0.png,train\n2.png,val\n4.png,test\n',
    );
    const read = await readSplits(part, dataset);
    expect(read.notes[0]).toContain('57 samples are in no split of');
    const empty = writeText(join(folder, 'empty.csv'), 'sample,split\n0.png,train\n2.png,val\n');
    expect(await messageOf(() => readSplits(empty, dataset))).toContain('none in test');
  });

  it('are printed with their classes', () => {
    const lines = describeSplits(dataset, splits).split('\n');
    expect(lines[0]).toMatch(/^class +train +val +test +all$/);
    expect(lines[1]).toMatch(/^class0 +\d+ +\d+ +\d+ +20$/);
    expect(lines[4]).toMatch(/^samples +\d+ +\d+ +\d+ +60$/);
  });
});
