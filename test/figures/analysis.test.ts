/** Figures of analyses: what they show of a document, and that undefined numbers are left out. */
import { describe, expect, it } from 'vitest';
import { analysisFigure } from '../../src/figures/index.ts';
import type { AnalysisDocument } from '../../src/results/index.ts';

const run = {
  runId: 'a',
  model: 'deit_micro',
  init: 'wt',
  seed: 0,
  data: 'skin',
  checkpoints: [],
};
const head = { format: 1 as const, run, versions: {}, warnings: [] };
const evaluation = (value?: number) => ({
  metric: 'recall' as const,
  primary: value === undefined ? { reason: 'no samples' } : { value },
  metrics: {},
  perClass: {},
});

const documents: AnalysisDocument[] = [
  {
    ...head,
    measure: 'knn',
    settings: { neighbours: 200, used: 9, weights: 'exponential', temperature: 0.1 },
    bank: 9,
    queries: 4,
    taps: [
      { tap: 'b', embedding: 'spatial', features: 3, knn: evaluation(0.5) },
      { tap: 'a', embedding: 'spatial', features: 3, reason: 'constant' },
    ],
  },
  {
    ...head,
    measure: 'cka',
    settings: { batch: 128, estimator: 'ratio-of-means' },
    images: 9,
    batches: 1,
    batchesLeftOut: 0,
    taps: ['b', 'a'],
    matrices: [
      {
        tokens: 'all',
        left: { run: 'a', checkpoint: 'initial' },
        right: { run: 'a', checkpoint: 'best' },
        taps: ['b', 'a'],
        values: [
          [1, null],
          [0.2, 0.9],
        ],
        undefinedTaps: [],
      },
    ],
  },
  {
    ...head,
    measure: 'reinit',
    images: 9,
    trained: evaluation(0.7),
    taps: [
      { tap: 'b', tensors: 1, evaluation: evaluation(0.6), drop: 0.1 },
      { tap: 'a', tensors: 1, evaluation: evaluation(), drop: null },
    ],
  },
];

describe('figures of analyses', () => {
  it.each(documents)('of $measure hold the numbers that there are', (document) => {
    const figure = analysisFigure(document);
    const text = JSON.stringify(figure);
    expect(text).toContain('vega-lite/v6.json');
    expect(text).toContain('deit_micro, WT, seed 0, skin');
    expect(text).not.toMatch(/undefined|NaN/);
    expect(text).not.toContain('"value":null');
    // In the network's order, not the alphabet's.
    expect(text).toContain('"sort":["b","a"]');
  });

  it('leave taps without a value out', () => {
    const [knn, cka] = documents.map(analysisFigure);
    expect(knn).toMatchObject({
      data: { values: [{ tap: 'b', by: 'k-NN, spatial', value: 0.5 }] },
    });
    expect(cka).toHaveProperty('data.values.length', 3);
  });
});
