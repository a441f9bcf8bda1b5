/** Metrics against scikit-learn (scripts/golden/eval_metrics.py), and their undefined cases. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  accuracy,
  confusionMatrix,
  macroRecall,
  perClassRecall,
  quadraticKappa,
} from '../../src/eval/confusion.ts';
import { meanOverNamed } from '../../src/eval/metricValue.ts';
import { averagePrecision, rocAuc } from '../../src/eval/ranking.ts';

interface ClassCase {
  name: string;
  classes: number;
  labels: number[];
  predictions: number[];
  kappa: number | null;
  recall: number;
  present: number;
  perClass: (number | null)[];
  accuracy: number;
  confusion: number[][];
}

interface ScoreCase {
  name: string;
  labels: number[];
  scores: number[];
  auc: number | null;
  averagePrecision: number | null;
}

const golden: { class: ClassCase[]; score: ScoreCase[] } = JSON.parse(
  readFileSync(new URL('../golden/eval/metrics.json', import.meta.url), 'utf8'),
);

/** Equal to within 1e-9, or both without a value and ours with a reason. */
function expectSame(
  ours: { value?: number; reason?: string },
  theirs: number | null | undefined,
): void {
  if (theirs === null || theirs === undefined) {
    expect(ours.value).toBeUndefined();
    expect(ours.reason).toBeTruthy();
  } else {
    expect(Math.abs((ours.value ?? Number.NaN) - theirs)).toBeLessThanOrEqual(1e-9);
  }
}

describe('class metrics equal scikit-learn', () => {
  it.each(golden.class)('$name', (theirs) => {
    const matrix = confusionMatrix(theirs.labels, theirs.predictions, theirs.classes);
    expect(matrix).toEqual(theirs.confusion);
    expectSame(accuracy(matrix), theirs.accuracy);
    expectSame(quadraticKappa(matrix), theirs.kappa);
    const recall = macroRecall(matrix);
    expectSame(recall, theirs.recall);
    expect(recall.over).toBe(theirs.present);
    expect(recall.of).toBe(theirs.classes);
    const recalls = perClassRecall(matrix);
    for (const [index, value] of theirs.perClass.entries()) expectSame(recalls[index] ?? {}, value);
  });

  it('names the classes that a mean recall leaves out', () => {
    const recall = macroRecall(confusionMatrix([0, 0], [0, 1], 3), ['a', 'b', 'c']);
    expect(recall).toEqual({ value: 0.5, over: 1, of: 3, reason: 'b: no samples; c: no samples' });
  });

  it('has no value without samples', () => {
    const empty = confusionMatrix([], [], 3);
    for (const metric of [accuracy(empty), macroRecall(empty), quadraticKappa(empty)]) {
      expect(metric.value).toBeUndefined();
      expect(metric.reason).toContain('no samples');
    }
  });

  it('rejects lists of different lengths and unknown classes', () => {
    expect(() => confusionMatrix([0, 1], [0], 2)).toThrow(RangeError);
    expect(() => confusionMatrix([2], [0], 2)).toThrow(RangeError);
    expect(() => confusionMatrix([0], [5], 2)).toThrow(RangeError);
  });
});

describe('score metrics equal scikit-learn', () => {
  it.each(golden.score)('$name', (theirs) => {
    expectSame(rocAuc(theirs.labels, theirs.scores), theirs.auc);
    expectSame(averagePrecision(theirs.labels, theirs.scores), theirs.averagePrecision);
  });

  it('is undefined, not a half, where a class is absent', () => {
    expect(rocAuc([1, 1], [0.1, 0.2])).toEqual({ reason: 'no negative samples' });
    expect(rocAuc([0, 0], [0.1, 0.2])).toEqual({ reason: 'no positive samples' });
    expect(rocAuc([], [])).toEqual({ reason: 'no negative samples' });
    expect(rocAuc([0, 1], [0.1, Number.NaN]).reason).toContain('not a number');
  });

  it('ranks infinite scores', () => {
    const scores = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    expect(rocAuc([0, 1, 1], scores)).toEqual({ value: 0.75 });
  });

  it('is the share of ordered pairs, for any scores', () => {
    const sample = fc.tuple(fc.integer({ min: 0, max: 1 }), fc.integer({ min: -3, max: 3 }));
    fc.assert(
      fc.property(fc.array(sample, { maxLength: 40 }), (samples) => {
        const positives = samples.filter(([label]) => label === 1).map(([, score]) => score);
        const negatives = samples.filter(([label]) => label === 0).map(([, score]) => score);
        let wins = 0;
        for (const p of positives) for (const n of negatives) wins += p > n ? 1 : p === n ? 0.5 : 0;
        const pairs = positives.length * negatives.length;
        const ours = rocAuc(
          samples.map(([label]) => label),
          samples.map(([, score]) => score),
        );
        expectSame(ours, pairs === 0 ? null : wins / pairs);
      }),
    );
  });
});

describe('mean over names', () => {
  it('says over how many, and never averages nothing', () => {
    const parts = [
      { name: 'oedema', metric: { value: 0.8 } },
      { name: 'fracture', metric: { reason: 'no positive samples' } },
      { name: 'pneumonia', metric: { value: 0.6 } },
    ];
    const result = meanOverNamed(parts);
    expect(result.value).toBeCloseTo(0.7, 12);
    expect(result).toMatchObject({ over: 2, of: 3, reason: 'fracture: no positive samples' });
    expect(meanOverNamed([]).value).toBeUndefined();
    expect(meanOverNamed([]).reason).toBeTruthy();
  });
});
