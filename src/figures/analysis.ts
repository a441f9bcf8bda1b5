/** Figures of analyses as Vega-Lite specifications, their data inside: one function a measure. */
import type {
  AnalysisDocument,
  AttentionDocument,
  CalibrationDocument,
  CkaDocument,
  ConvergenceDocument,
  KnnDocument,
  L2Document,
  ReinitDocument,
} from '../results/index.ts';
import type { FigureSpec } from './figure.ts';

type Datum = Record<string, string | number>;

const schema = 'https://vega.github.io/schema/vega-lite/v6.json';

const metricTitles: Record<string, string> = { kappa: 'κ', recall: 'macro recall', auc: 'ROC-AUC' };

/** The figure of a document. Numbers that are undefined are left out of it. */
export function analysisFigure(document: AnalysisDocument): FigureSpec {
  const { run } = document;
  const title = `${run.model}, ${run.init.toUpperCase()}, seed ${run.seed}, ${run.data}`;
  return { $schema: schema, title, ...partsOf(document) };
}

function partsOf(document: AnalysisDocument): FigureSpec {
  switch (document.measure) {
    case 'knn':
      return knnFigure(document);
    case 'cka':
      return ckaFigure(document);
    case 'l2':
      return l2Figure(document);
    case 'reinit':
      return reinitFigure(document);
    case 'attention':
      return attentionFigure(document);
    case 'convergence':
      return convergenceFigure(document);
    case 'calibration':
      return calibrationFigure(document);
  }
}

/** Taps along the x axis, in the network's order and not the alphabet's. */
function tapAxis(taps: readonly string[]): FigureSpec {
  const sort = [...new Set(taps)];
  return { field: 'tap', type: 'nominal', sort, title: null, axis: { labelAngle: -60 } };
}

const value = (title: string): FigureSpec => ({
  field: 'value',
  type: 'quantitative',
  title,
  scale: { zero: false },
});

function rule(at: number, label: string): FigureSpec {
  return {
    data: { values: [{ at, label }] },
    mark: { type: 'rule', strokeDash: [4, 3] },
    encoding: { y: { field: 'at', type: 'quantitative' }, tooltip: { field: 'label' } },
  };
}

function knnFigure({ taps }: KnnDocument): FigureSpec {
  const metric = taps.find(({ knn }) => knn)?.knn?.metric ?? 'metric';
  const values = taps.flatMap(({ tap, embedding, knn, probe }): Datum[] =>
    [
      { by: 'k-NN', value: knn?.primary.value },
      { by: 'linear probe', value: probe?.test.primary.value },
    ].flatMap(({ by, value: found }) =>
      found === undefined ? [] : [{ tap, by: `${by}, ${embedding}`, value: found }],
    ),
  );
  return {
    data: { values },
    mark: { type: 'line', point: true },
    encoding: {
      x: tapAxis(taps.map(({ tap }) => tap)),
      y: value(metricTitles[metric] ?? metric),
      color: { field: 'by', type: 'nominal', title: null },
    },
  };
}

function ckaFigure({ matrices, taps }: CkaDocument): FigureSpec {
  const panels = matrices.map((matrix) => {
    const { tokens, left, right } = matrix;
    const sides = left.run === right.run ? [left, right].map((side) => side.checkpoint) : null;
    const name = sides ? sides.join(' / ') : 'run / against';
    return { matrix, name: tokens === 'all' ? name : `${name}, ${tokens}` };
  });
  const values = panels.flatMap(({ matrix, name }) =>
    matrix.values.flatMap((row, at) =>
      row.flatMap((found, other): Datum[] => {
        const [tap = '', second = ''] = [matrix.taps[at], matrix.taps[other]];
        return found === null ? [] : [{ panel: name, tap, other: second, value: found }];
      }),
    ),
  );
  return {
    data: { values },
    facet: {
      field: 'panel',
      type: 'nominal',
      title: null,
      sort: [...new Set(panels.map(({ name }) => name))],
    },
    columns: 3,
    spec: {
      width: 260,
      height: 260,
      mark: 'rect',
      encoding: {
        x: { ...tapAxis(taps), field: 'other' },
        y: { field: 'tap', type: 'nominal', sort: [...taps].reverse(), title: null },
        color: {
          field: 'value',
          type: 'quantitative',
          title: 'CKA',
          scale: { domain: [0, 1], clamp: true, scheme: 'inferno' },
        },
      },
    },
  };
}

function l2Figure({ taps }: L2Document): FigureSpec {
  return {
    data: { values: taps.map(({ tap, distance }) => ({ tap, value: distance })) },
    mark: 'bar',
    encoding: {
      x: tapAxis(taps.map(({ tap }) => tap)),
      y: {
        field: 'value',
        type: 'quantitative',
        title: 'ℓ2 distance per weight',
        axis: { format: '~e' },
      },
    },
  };
}

function reinitFigure({ taps, trained }: ReinitDocument): FigureSpec {
  const values = taps.flatMap(({ tap, evaluation }): Datum[] =>
    evaluation?.primary.value === undefined ? [] : [{ tap, value: evaluation.primary.value }],
  );
  const before = trained.primary.value;
  return {
    layer: [
      {
        data: { values },
        mark: { type: 'line', point: true },
        encoding: {
          x: tapAxis(taps.map(({ tap }) => tap)),
          y: value(`${metricTitles[trained.metric]} with the tap put back`),
        },
      },
      ...(before === undefined ? [] : [rule(before, 'as trained')]),
    ],
  };
}

function attentionFigure({ layers, uniform }: AttentionDocument): FigureSpec {
  const values = layers.flatMap(({ tap, heads }) =>
    heads.flatMap((found, head): Datum[] =>
      found === null ? [] : [{ tap, head: `head ${head + 1}`, value: found }],
    ),
  );
  const means = layers.flatMap(({ tap, mean }): Datum[] =>
    mean === null ? [] : [{ tap, value: mean }],
  );
  const encoding = {
    x: tapAxis(layers.map(({ tap }) => tap)),
    y: value('mean attended distance, pixels'),
  };
  return {
    layer: [
      { data: { values }, mark: { type: 'point', opacity: 0.6 }, encoding },
      { data: { values: means }, mark: 'line', encoding },
      rule(uniform, 'attention to all patches alike'),
    ],
  };
}

function convergenceFigure({ subject, other }: ConvergenceDocument): FigureSpec {
  const values = [subject, ...(other ? [other] : [])].flatMap(({ init, runId, curve }) =>
    curve.flatMap(({ iteration, value: found }): Datum[] =>
      found === null ? [] : [{ iteration, value: found, run: `${init.toUpperCase()} ${runId}` }],
    ),
  );
  return {
    data: { values },
    mark: { type: 'line', point: true },
    encoding: {
      x: { field: 'iteration', type: 'quantitative' },
      y: value(`validation ${metricTitles[subject.metric]}`),
      color: { field: 'run', type: 'nominal', title: null },
    },
  };
}

function calibrationFigure({ overall }: CalibrationDocument): FigureSpec {
  const values = overall.bins.flatMap(({ low, high, count, frequency }): Datum[] =>
    frequency === undefined ? [] : [{ low, high, count, value: frequency }],
  );
  return {
    layer: [
      {
        data: { values },
        mark: { type: 'bar', opacity: 0.7 },
        encoding: {
          x: {
            field: 'low',
            type: 'quantitative',
            bin: { binned: true },
            title: 'confidence',
            scale: { domain: [0, 1] },
          },
          x2: { field: 'high' },
          y: {
            field: 'value',
            type: 'quantitative',
            title: 'came true',
            scale: { domain: [0, 1] },
          },
          tooltip: [{ field: 'count', title: 'images' }],
        },
      },
      {
        data: {
          values: [
            { low: 0, value: 0 },
            { low: 1, value: 1 },
          ],
        },
        mark: { type: 'line', strokeDash: [4, 3], color: 'black' },
        encoding: {
          x: { field: 'low', type: 'quantitative' },
          y: { field: 'value', type: 'quantitative' },
        },
      },
    ],
  };
}
