/** Not in the paper: a linear probe beside k-NN by tap, a figure a model. */
import type { AnalysisRow, StudySummary } from '../results/index.ts';
import { leftOut, provenance, repeats, sentences } from './caption.ts';
import { aloneOf, type FigureKind, type FigureSpec } from './figure.ts';
import { panelTitle } from './grid.ts';
import { findingByTap } from './knnFindings.ts';
import { initLabel, metricLabel, modelLabel } from './labels.ts';
import { type LegendEntry, legendRow } from './legend.ts';
import { fileName } from './pages.ts';
import { colour } from './palette.ts';
import { distinct, findSettings } from './settings.ts';
import { initStyle, seriesEncoding } from './styles.ts';
import { spreadOf, spreadTold } from './sweeps.ts';
import { tapAxis } from './taps.ts';
import { told } from './told.ts';

const methods = [
  { measure: 'probe', label: 'linear probe', dash: [1, 0], shape: 'circle' },
  { measure: 'knn', label: 'k-NN', dash: [4, 3], shape: 'square' },
] as const;

const inits = ['ri', 'st', 'wt'];

export const extraLinearProbe: FigureKind = {
  id: 'extra-linear-probe',
  paper: 'beyond the paper',
  needs: 'the analysis knn with its linear probe',
  draw(summary) {
    return summary.axes.models.flatMap((model) => {
      const own = rowsOf(summary, model);
      if (!own.some(({ measure, value }) => measure === 'probe' && value)) return [];
      const sets = summary.data.filter(({ name }) => own.some((row) => row.data === name));
      const data = sets.map(({ name }) => name);
      const there = inits.filter((init) => own.some((row) => row.init === init));
      const missing = own.flatMap(({ data, init, of, value }) =>
        value ? [] : [`${of} on ${data} (${initLabel(init)})`],
      );
      const counts = own.flatMap(({ value }) => value?.count ?? []);
      const title = `Linear probe beside k-NN, ${modelLabel(model)}`;
      const width = Math.max(200, 14 * new Set(own.map(({ of }) => of)).size);
      return [
        {
          id: `${extraLinearProbe.id}-${fileName(model)}`,
          paper: extraLinearProbe.paper,
          title,
          ...aloneOf([model], data),
          caption: sentences(
            'Test metric of a logistic regression (L2, its strength chosen on the validation split) and of k-NN on the features of each tap of the best checkpoint, in the order of the network, a panel a data set.',
            `Points are means of ${repeats(counts)}.`,
            leftOut(missing),
            provenance(summary, data),
          ),
          spec: {
            title,
            vconcat: [
              legendRow(legendOf(there), 2 * width + 60),
              {
                concat: sets.map(({ name, metric }) =>
                  panel(
                    own.filter(({ data }) => data === name),
                    there,
                    { title: name, y: `test ${metricLabel(metric)}`, width },
                  ),
                ),
                columns: 2,
                spacing: 22,
              },
            ],
            spacing: 12,
          },
        },
      ];
    });
  },
};

/** RI, ST and WT of a model, a finding a tap of each method. */
function rowsOf(summary: StudySummary, model: string): AnalysisRow[] {
  const settings = findSettings(
    summary,
    (row) =>
      row.model === model &&
      inits.includes(row.init) &&
      methods.some(({ measure }) => measure === row.measure),
  );
  return settings.flatMap(({ rows }) =>
    methods.flatMap(({ measure }) => findingByTap(rows, measure)),
  );
}

function legendOf(there: readonly string[]): LegendEntry[] {
  return [
    ...there.map((init) => ({
      label: initLabel(init),
      style: { ...initStyle(init), dash: [], shape: 'circle' },
      symbol: 'point' as const,
    })),
    ...methods.map(({ label, dash, shape }) => ({
      label,
      style: { color: colour('muted'), dash, shape },
    })),
  ];
}

function panel(
  rows: readonly AnalysisRow[],
  there: readonly string[],
  about: { title: string; y: string; width: number },
): FigureSpec {
  const values = rows.flatMap(({ measure, of, init, value }) => {
    const method = methods.find((one) => one.measure === measure);
    return value && method
      ? [
          {
            tap: of,
            init: initLabel(init),
            method: method.label,
            value: value.mean,
            ...spreadOf(value),
          },
        ]
      : [];
  });
  const { color } = seriesEncoding(
    'init',
    there.map((init) => ({ label: initLabel(init), style: initStyle(init) })),
  );
  const byMethod = (range: readonly unknown[]): FigureSpec => ({
    field: 'method',
    type: 'nominal',
    scale: { domain: methods.map(({ label }) => label), range },
    legend: null,
  });
  const taps = distinct(rows.map(({ of }) => of));
  const encoding = {
    x: tapAxis({ taps, step: about.width / Math.max(1, taps.length), channel: 'x', field: 'tap' }),
    y: {
      field: 'value',
      type: 'quantitative',
      title: about.y,
      scale: { zero: false },
      axis: { tickCount: 5 },
    },
    color,
  };
  const { description, tooltip } = told([
    { field: 'init', title: 'initialisation' },
    { field: 'method', title: 'method' },
    { field: 'tap', title: 'tap' },
    { field: 'value', title: about.y, format: '.4~g' },
    ...spreadTold(),
  ]);
  return {
    title: panelTitle(about.title, about.width),
    width: about.width,
    height: 170,
    data: { values },
    layer: [
      {
        mark: { type: 'line', aria: false },
        encoding: { ...encoding, strokeDash: byMethod(methods.map(({ dash }) => dash)) },
      },
      {
        mark: { type: 'point', size: 20, description },
        encoding: { ...encoding, tooltip, shape: byMethod(methods.map(({ shape }) => shape)) },
      },
    ],
  };
}
