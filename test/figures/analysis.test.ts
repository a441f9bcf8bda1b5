/** Figures of analyses: what they show of a document, and that undefined numbers are left out. */
import { describe, expect, it } from 'vitest';
import type { FigureSpec } from '../../src/figures/figure.ts';
import { analysisFigure, renderSvg, themed } from '../../src/figures/index.ts';
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

/** By measure. */
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
  {
    ...head,
    measure: 'l2',
    from: { run: 'a', checkpoint: 'initial' },
    to: { run: 'a', checkpoint: 'best' },
    taps: [
      { tap: 'b', weights: 9, norm: 9e-5, distance: 1e-5, initialNorm: 1 },
      { tap: 'a', weights: 9, norm: 0, distance: 0, initialNorm: 1 },
      { tap: 'c', weights: 9, norm: 9e-3, distance: 1e-3, initialNorm: 1 },
    ],
  },
  {
    ...head,
    measure: 'attention',
    images: 9,
    unit: 'pixels',
    grid: 8,
    patchSize: 8,
    uniform: 33.35,
    layers: [
      { tap: 'b', mean: 20, heads: [15, 25], skipped: [0, 0] },
      { tap: 'a', mean: 30, heads: [null, 30], skipped: [9, 0] },
    ],
  },
  {
    ...head,
    measure: 'convergence',
    subject: side('wt', [0.2, null, 0.6]),
    other: side('ri', [0.2, 0.3, 0.5]),
    speedUp: 1,
  },
  {
    ...head,
    measure: 'calibration',
    images: 9,
    evaluation: evaluation(0.5),
    overall: {
      expectedError: { value: 0.125 },
      greatestError: { value: 0.2 },
      bins: [
        { low: 0, high: 0.5, count: 0 },
        { low: 0.5, high: 1, count: 9, confidence: 0.75, frequency: 0.625 },
      ],
    },
  },
];

function side(init: string, values: (number | null)[]) {
  return {
    runId: init,
    init,
    schedule: 'plateau' as const,
    metric: 'recall' as const,
    iterations: 30,
    iterationsToBest: 30,
    best: values.at(-1) ?? null,
    curve: values.map((value, at) => ({
      iteration: 10 * (at + 1),
      epoch: at + 1,
      learningRate: 1e-3,
      value,
      loss: 1,
    })),
  };
}

/** All data of a specification, its parts' too, that has a field. */
function dataOf(spec: FigureSpec, field: string): Record<string, unknown>[] {
  const parts = [spec.vconcat, spec.concat, spec.layer].flatMap(
    (one) => (one ?? []) as FigureSpec[],
  );
  const own = (spec.data as { values: Record<string, unknown>[] } | undefined)?.values ?? [];
  const all = [
    ...own.filter((datum) => field in datum),
    ...parts.flatMap((one) => dataOf(one, field)),
  ];
  return [...new Set(all)];
}

function figureOf(measure: AnalysisDocument['measure']): FigureSpec {
  const document = documents.find((one) => one.measure === measure);
  if (!document) throw new Error(`no document of ${measure}`);
  return analysisFigure(document);
}

describe('figures of analyses', () => {
  it.each(documents)(
    'of $measure hold the numbers that there are, and can be drawn',
    async (document) => {
      const figure = analysisFigure(document);
      const text = JSON.stringify(figure);
      expect(themed(figure, 'light').$schema).toContain('vega-lite/v6.json');
      expect(text).toContain('deit_micro, WT, seed 0, skin');
      expect(text).not.toMatch(/undefined"|NaN/);
      expect(text).not.toContain('"value":null');
      const warnings: string[] = [];
      expect(await renderSvg(figure, { onWarning: (said) => warnings.push(said) })).toContain(
        '<path',
      );
      expect(warnings).toEqual([]);
    },
  );

  it.each(['knn', 'reinit', 'l2', 'attention'] as const)(
    'of %s have taps in the network’s order, not the alphabet’s',
    (measure) => {
      expect(JSON.stringify(figureOf(measure))).toContain('"domain":["b","a"');
    },
  );

  it('of k-NN leave taps without a value out and name them', () => {
    const figure = figureOf('knn');
    expect(dataOf(figure, 'tap')).toEqual([{ series: 'k-NN, spatial mean', tap: 'b', value: 0.5 }]);
    expect(JSON.stringify(figure.title)).toContain('a (spatial)');
  });

  it('of CKA have a square for every defined pair, the first tap at the lower left', () => {
    const figure = figureOf('cka');
    expect(dataOf(figure, 'cka')).toEqual([
      { left: 'b', right: 'b', cka: 1 },
      { left: 'a', right: 'b', cka: 0.2 },
      { left: 'a', right: 'a', cka: 0.9 },
    ]);
    expect(JSON.stringify(figure)).toContain('before training');
  });

  it('of re-initialisation have the metric as trained beside those put back', () => {
    const figure = figureOf('reinit');
    expect(dataOf(figure, 'tap')).toEqual([{ series: 'put back', tap: 'b', value: 0.6 }]);
    expect(dataOf(figure, 'at')).toEqual([{ at: 0.7, name: 'as trained' }]);
  });

  it('of drift say which taps did not move, where the axis is logarithmic', () => {
    const figure = figureOf('l2');
    expect(dataOf(figure, 'tap').map(({ value }) => value)).toEqual([1e-5, 1e-3]);
    expect(JSON.stringify(figure.title)).toContain('Not moved at all, and not on the axis: a.');
  });

  it('of attention have heads, means and attention to all alike', () => {
    const figure = figureOf('attention');
    expect(dataOf(figure, 'head')).toHaveLength(3 + 2);
    expect(dataOf(figure, 'at')).toEqual([{ at: 33.35, name: 'attention to all patches alike' }]);
  });

  it('of convergence have the curves of both runs, and the best of each', () => {
    const points = dataOf(figureOf('convergence'), 'iteration');
    expect(points.filter(({ series }) => series === 'WT')).toHaveLength(2 + 1);
    expect(points.filter(({ series }) => series === 'RI')).toHaveLength(3 + 1);
  });

  it('of calibration leave empty bins out but for their count', () => {
    const figure = figureOf('calibration');
    expect(dataOf(figure, 'confidence')).toHaveLength(1);
    expect(dataOf(figure, 'count')).toHaveLength(1 + 2);
    expect(JSON.stringify(figure.title)).toContain('0.125');
  });
});
