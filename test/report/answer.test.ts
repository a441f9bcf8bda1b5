/** The answer of a report: what is said of numbers, by the rules that it states. */
import { describe, expect, it } from 'vitest';
import { answer, limits, methods } from '../../src/report/index.ts';
import type { ResultRow, StudySummary } from '../../src/results/index.ts';
// From their own files: the whole of src/study takes LibTorch with it.
import { aggregate } from '../../src/study/aggregate.ts';
import { compareInits, studyCurves } from '../../src/study/comparisons.ts';
import { smallSummary } from '../figures/summaryFixture.ts';
import { row } from '../study/resultRows.ts';

/** A study of one setting with these metrics by seed. */
function study(metrics: Record<string, number[]>, more: Partial<StudySummary> = {}): StudySummary {
  const rows: ResultRow[] = Object.entries(metrics).flatMap(([init, values]) =>
    values.map((testMetric, seed) => row({ init, seed, testMetric })),
  );
  const seeds = [...new Set(rows.map(({ seed }) => seed))];
  const axes = { data: ['skin'], models: ['resnet18'], inits: Object.keys(metrics), seeds };
  return {
    ...smallSummary(),
    axes,
    rows,
    planned: rows.length,
    data: [{ name: 'skin', metric: 'recall', samples: 2000 }],
    table: aggregate(rows, axes),
    comparisons: compareInits(rows, axes),
    curves: studyCurves(rows),
    findings: [],
    learningCurves: [],
    unfinished: [],
    ...more,
  };
}

const five = (centre: number): number[] =>
  [-0.02, 0.01, 0, 0.02, -0.01].map((noise) => centre + noise);
const advice = (summary: StudySummary): string => answer(summary).recommendations[0]?.text ?? '';

describe('the answer', () => {
  it('recommends transfer where five seeds agree, and says what of it is feature reuse', () => {
    const summary = study({ ri: five(0.5), st: five(0.6), wt: five(0.9) });
    const { headline, findings } = answer(summary);
    expect(headline).toBe(
      'Transfer helps in 1 of 1 combination of data set and model (by +0.400 in the metric).',
    );
    // One setting, five seeds: p = 1/32.
    expect(findings[0]?.answer).toBe('WT against RI: +0.400. Better (1 established).');
    expect(findings[0]?.details[0]?.text).toContain('established (Holm-corrected p 0.031)');
    // (0.9 − 0.6)/(0.9 − 0.5), the same in every resample.
    expect(findings[1]?.details[0]?.text).toContain(
      '75 % goes when features are taken away (95 % interval 75 % to 75 %)',
    );
    expect(advice(summary)).toMatch(
      /^Transfer, with resnet18: established\. The best mean is that of resnet18 WT/,
    );
    expect(advice(summary)).toContain('takes WT-ST-n/m runs, which the study has not');
  });

  it('says that a difference is not beyond chance', () => {
    const summary = study({ ri: [0.7, 0.8, 0.6], wt: [0.8, 0.6, 0.72] });
    expect(answer(summary).headline).toContain('makes no difference beyond chance in 1 of 1');
    expect(advice(summary)).toMatch(/^With resnet18 transfer brings nothing beyond chance\./);
  });

  it('says where random weights did better', () => {
    const summary = study({ ri: [0.7, 0.8, 0.75], wt: [0.5, 0.6, 0.56] });
    expect(advice(summary)).toContain('Do not transfer with resnet18');
  });

  it('gives no answer from two seeds', () => {
    const summary = study({ ri: [0.5, 0.5], st: [0.6, 0.6], wt: [0.9, 0.9] });
    expect(answer(summary).headline).toContain('cannot be said whether that is more than chance');
    expect(advice(summary)).toContain('the data does not allow an answer: run at least 3 seeds');
    expect(answer(summary).sureness).toContain('nothing can be established at 0.05');
    expect(limits(summary)[0]).toMatch(/^2 seeds: no intervals/);
  });

  it('names the fewest modules that bring back what feature reuse brings', () => {
    const summary = study({
      ri: five(0.5),
      st: five(0.6),
      'WT-ST-1/2': five(0.7),
      'WT-ST-2/1': five(0.895),
      wt: five(0.9),
    });
    expect(answer(summary).findings[2]?.details[0]?.text).toContain('The first 2 of 3 modules');
    expect(advice(summary)).toContain('Worth keeping: the first 2 of 3 modules of resnet18');
  });

  it('has nothing to say of nothing', () => {
    const summary = study(
      {},
      { axes: { data: ['skin'], models: ['m'], inits: ['wt'], seeds: [0] } },
    );
    expect(answer(summary).headline).toBe('No run has finished yet: nothing can be said.');
    expect(advice(summary)).toBe('No finished run with a defined metric: no answer.');
  });
});

describe('the methods', () => {
  const settings = {
    training: { batchSize: 32, optimizer: 'auto', beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
    overrides: [{ model: ['deit_micro'], training: { learningRate: 0.0005 } }],
    analyses: ['l2', { knn: { k: 100, embeddings: null } }],
  };

  it('say what the settings say', () => {
    const text = (title: string): string =>
      methods({ ...smallSummary(), settings }).find((one) => one.title === title)?.text ?? '';
    expect(text('Training')).toContain('For deit_micro: learningRate 0.0005.');
    expect(text('Analyses')).toContain('as the bank) (k 100)');
    // weightDecay is not among these settings: the sentence that needs it is left out, not made up.
    expect(text('Training')).not.toContain('weight decay');
    expect(text('Images')).toBe('');
  });
});
