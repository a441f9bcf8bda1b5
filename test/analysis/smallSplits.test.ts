/** Runs whose test split is of one class alone, or smaller than anything that is counted over it. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allMeasures, analyse, defaultMeasureOptions, Subject } from '../../src/analysis/index.ts';
import type { AnalysisDocument, MeasureName } from '../../src/results/index.ts';
import { trainRun } from '../../src/train/index.ts';
import { shortRun, Workplace, writePicture } from '../train/fixture.ts';

type Document<M extends MeasureName> = Extract<AnalysisDocument, { measure: M }>;

const place = new Workplace();
afterAll(() => place.remove());

/** A run of a DeiT over a table that says which pictures are tested. */
async function runTestedOn(name: string, tested: readonly string[]): Promise<string> {
  const splits: [string, readonly string[]][] = [
    ['train', Array.from({ length: 16 }, (_, at) => (at % 2 === 0 ? 'no' : 'yes'))],
    ['val', ['no', 'yes', 'no', 'yes']],
    ['test', tested],
  ];
  mkdirSync(place.path(name));
  const rows = ['path,label,split'];
  for (const [split, labels] of splits) {
    for (const [at, label] of labels.entries()) {
      const file = `${split}-${at}.png`;
      await writePicture(place.path(name, file), label === 'no' ? 80 : 150, `${name} ${file}`);
      rows.push(`${file},${label},${split}`);
    }
  }
  const path = place.path(name, 'table.csv');
  writeFileSync(path, `${rows.join('\n')}\n`);
  const folder = place.path(`run ${name}`);
  const data = { kind: 'csv', path, splitColumn: 'split' };
  const training = { maxEpochs: 1, warmupIterations: 1, augment: false };
  await trainRun(shortRun(data, { model: 'deit_micro', training }), folder);
  return folder;
}

/** Every measure's document, after the round through JSON that a file is. */
async function documentsOf(folder: string): Promise<Map<MeasureName, AnalysisDocument>> {
  const subject = await Subject.open(folder, undefined, { device: 'cpu', workers: 0 });
  try {
    const options = { ...defaultMeasureOptions, probe: true };
    const outcomes = await analyse(subject, allMeasures(), options);
    return new Map(
      outcomes.map(({ document }, at) => {
        // A table is made of whatever there is.
        allMeasures()[at]?.table(document);
        return [document.measure, JSON.parse(JSON.stringify(document))] as const;
      }),
    );
  } finally {
    subject.dispose();
  }
}

function of<M extends MeasureName>(
  documents: ReadonlyMap<MeasureName, AnalysisDocument>,
  measure: M,
): Document<M> {
  return documents.get(measure) as Document<M>;
}

describe('a test split of one class', () => {
  let documents: Map<MeasureName, AnalysisDocument>;
  beforeAll(async () => {
    documents = await documentsOf(await runTestedOn('one class', new Array(6).fill('yes')));
  });

  it('has no AUC at any tap, after any reset or of the network, and says why', () => {
    const undefinedAuc = { reason: 'no negative samples' };
    const knnTaps = of(documents, 'knn').taps;
    expect(knnTaps.length).toBeGreaterThan(0);
    for (const { knn, probe } of knnTaps) {
      expect(knn?.primary).toEqual(undefinedAuc);
      expect(probe?.test.primary).toEqual(undefinedAuc);
    }
    const { trained, taps } = of(documents, 'reinit');
    expect(trained.primary).toEqual(undefinedAuc);
    expect(taps.length).toBeGreaterThan(0);
    for (const { evaluation, drop } of taps) {
      expect(evaluation?.primary).toEqual(undefinedAuc);
      expect(drop).toBeNull();
    }
    expect(of(documents, 'calibration').evaluation.primary).toEqual(undefinedAuc);
  });

  it('still has what needs no second class', () => {
    expect(of(documents, 'calibration').overall.expectedError.value).toBeGreaterThanOrEqual(0);
    expect(of(documents, 'calibration').evaluation.metrics.accuracy?.value).toBeDefined();
    expect(of(documents, 'cka').batches).toBe(1);
    expect(of(documents, 'cka').taps.length).toBeGreaterThan(0);
    expect(of(documents, 'cka').matrices[0]?.values.flat()).not.toContain(null);
  });
});

describe('a test split of three images', () => {
  let documents: Map<MeasureName, AnalysisDocument>;
  beforeAll(async () => {
    documents = await documentsOf(await runTestedOn('three', ['no', 'yes', 'yes']));
  });

  it('has no CKA, which needs four, and says so of every tap', () => {
    const { batches, batchesLeftOut, matrices, taps } = of(documents, 'cka');
    expect([batches, batchesLeftOut]).toEqual([0, 1]);
    const [first] = matrices;
    expect(taps.length).toBeGreaterThan(0);
    expect(first?.values.flat().every((value) => value === null)).toBe(true);
    const reasons = new Set(first?.undefinedTaps.map(({ reason }) => reason));
    expect([...reasons]).toEqual(['no batch of at least 4 images']);
    expect(first?.undefinedTaps).toHaveLength(2 * taps.length);
  });

  it('is voted on by the whole bank where that is smaller than k', () => {
    const { settings, bank, queries } = of(documents, 'knn');
    expect([settings.neighbours, settings.used, bank, queries]).toEqual([200, 16, 16, 3]);
  });

  it('has metrics, attention and calibration over three images', () => {
    expect(of(documents, 'reinit').trained.primary.value).toBeDefined();
    expect(of(documents, 'attention').images).toBe(3);
    const { bins } = of(documents, 'calibration').overall;
    expect(bins.reduce((sum, { count }) => sum + count, 0)).toBe(3);
  });
});
