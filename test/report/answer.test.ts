/** The answer of a report: what is said of numbers, by the rules that it states. */
import { describe, expect, it } from 'vitest';
import { answer, limits, methods } from '../../src/report/index.ts';
import type { ResultRow, StudySummary } from '../../src/results/index.ts';
// From their own files: the whole of src/study takes LibTorch with it.
import { aggregate } from '../../src/study/aggregate.ts';
import { compareInits, studyCurves } from '../../src/study/comparisons.ts';
import { sourcesSummary } from '../figures/otherFixtures.ts';
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
      'Transfer helps, and that is established: on skin, ResNet18 scores 0.400 higher in macro recall from pretrained weights than from random ones (95 % interval +0.400 to +0.400) over 5 seeds.',
    );
    // One setting, five seeds: p = 1/32.
    expect(findings[0]?.answer).toBe(
      'WT against RI: +0.400 (95 % interval +0.400 to +0.400) over 5 seeds: established.',
    );
    expect(findings[0]?.details[0]?.text).toContain('established (Holm-corrected p 0.031)');
    // (0.9 − 0.6)/(0.9 − 0.5), the same in every resample.
    expect(findings[1]?.details[0]?.text).toContain(
      '75 % goes when features are taken away (95 % interval 75 % to 75 %)',
    );
    expect(advice(summary)).toMatch(
      /^Transfer, with ResNet18: established\. The best mean is that of ResNet18 WT/,
    );
    expect(advice(summary)).toContain('takes WT-ST-n/m runs, which the study has not');
  });

  it('says that a difference is not beyond chance', () => {
    const summary = study({ ri: [0.7, 0.8, 0.6], wt: [0.8, 0.6, 0.72] });
    expect(answer(summary).headline).toMatch(
      /^Transfer makes no difference beyond chance: on skin, ResNet18 scores 0\.007 higher/,
    );
    expect(advice(summary)).toMatch(/^With ResNet18 transfer brings nothing beyond chance\./);
  });

  it('says where random weights did better', () => {
    const summary = study({ ri: [0.7, 0.8, 0.75], wt: [0.5, 0.6, 0.56] });
    expect(advice(summary)).toContain('Do not transfer with ResNet18');
  });

  it('gives no answer from two seeds', () => {
    const summary = study({ ri: [0.5, 0.5], st: [0.6, 0.6], wt: [0.9, 0.9] });
    expect(answer(summary).headline).toContain('over 2 seeds: too few to tell');
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
    expect(advice(summary)).toContain('Worth keeping: the first 2 of 3 modules of ResNet18');
  });

  it('says of several settings how many are how sure, and how far they differ', () => {
    const levels: Record<string, Record<string, number[]>> = {
      sure: { ri: five(0.5), st: five(0.4), wt: [0.9, 0.92, 0.91, 0.88, 0.9] },
      worse: { ri: five(0.5), st: five(0.4), wt: five(0.4) },
      few: { ri: [0.5, 0.5], wt: [0.6, 0.7] },
    };
    const rows = Object.entries(levels).flatMap(([data, metrics]) =>
      Object.entries(metrics).flatMap(([init, values]) =>
        values.map((testMetric, seed) => row({ data, init, seed, testMetric })),
      ),
    );
    const axes = {
      data: Object.keys(levels),
      models: ['resnet18'],
      inits: ['ri', 'st', 'wt'],
      seeds: [0, 1, 2, 3, 4],
    };
    const { headline, findings } = answer(
      study(
        {},
        {
          axes,
          rows,
          planned: rows.length,
          table: aggregate(rows, axes),
          comparisons: compareInits(rows, axes),
        },
      ),
    );
    expect(headline).toBe(
      'Of 3 combinations of data set and model, transfer helps in 1 (1 likely), likely hurts in 1 and has too few seeds to judge in 1: WT − RI from −0.100 to +0.402 in the metric.',
    );
    expect(findings[0]?.answer).toBe(
      'WT against RI: +0.151 on average (−0.100 to +0.402) over 3 combinations of data set and model. Better in 1 (1 likely), likely worse in 1 and too few seeds to say in 1.',
    );
    // ST is below RI: all of the gain and more goes with the features.
    expect(findings[1]?.answer).toMatch(
      / Where transfer and feature reuse both hold up, all and more \(ST does worse than RI\) is feature reuse \(95 % interval 12\d % to 12\d %\)\.$/,
    );
  });

  it('says of a model with a source of its own no other source', () => {
    const summary = sourcesSummary();
    for (const { text } of answer(summary).recommendations) {
      expect(text).toMatch(/The best mean is that of \S+ from [a-z-]+ \S+, 0/);
      expect(text).not.toContain('natural-images, textures');
    }
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
