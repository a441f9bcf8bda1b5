/**
 * Figure 6: k-NN by tap for several WT fractions of a ResNet and a vision transformer (top), and the best
 * of all depths by WT fraction for every model (bottom), by data set.
 */
import type { StudySummary } from '../results/index.ts';
import { listed } from '../util/index.ts';
import { leftOut, provenance, sentences } from './caption.ts';
import { aloneOf, type Figure, type FigureKind, type FigureSpec } from './figure.ts';
import { panelGrid } from './grid.ts';
import { bestDepth, knnByTap, knnWords } from './knnFindings.ts';
import { byInductiveBias, initLabel, metricLabel, modelLabel } from './labels.ts';
import { legendRow } from './legend.ts';
import { lineCell, lineGrid, lineWords } from './lineGrid.ts';
import { chosenModels, distinct, findSettings, type Setting } from './settings.ts';
import { explainShown, shownInits } from './shownInits.ts';
import { fractionOf, modelEncoding, modelStyles, seriesStyle } from './styles.ts';
import { spreadOf, spreadTold } from './sweeps.ts';
import { told } from './told.ts';

const WIDTH = 180;

/** Where RI stands, left of the fractions. */
const RI_PLACE = -0.12;

export const figure06: FigureKind = {
  id: 'figure-06-knn',
  paper: 'Figure 6',
  needs: 'k-NN of finished runs',
  draw: (summary) => {
    const settings = findSettings(summary, ({ measure }) => measure === 'knn');
    return settings.length === 0 ? [] : [draw(summary, settings)];
  },
};

function draw(summary: StudySummary, settings: readonly Setting[]): Figure {
  const chosen = chosenModels(settings).reverse();
  const models = byInductiveBias(distinct(settings.map(({ model }) => model)));
  const data = summary.axes.data.filter((name) => settings.some((one) => one.data === name));
  const styles = modelStyles(models);
  const shown = shownInits(summary.axes, chosen);
  const title = 'Predictive performance of features at different depths (k-NN)';
  const gaps: string[] = [];
  const metricOf = (name: string | undefined): string =>
    metricLabel(summary.data.find((set) => set.name === name)?.metric);
  const cells = chosen.map((model) =>
    data.map((name) => {
      const cell = lineCell(settings, { data: name, model, shown, gaps, pick: knnByTap });
      return cell && { ...cell, yTitle: metricOf(name), valueTitle: `k-NN ${metricOf(name)}` };
    }),
  );
  const top = lineGrid({
    rows: chosen.map(modelLabel),
    columns: data,
    cell: (row, column) => cells[row]?.[column],
    shown,
    shared: 'column',
    tapLabels: 'all',
    width: WIDTH,
    height: 120,
  });
  const best = data.map((name) => bestPoints(settings.filter((setting) => setting.data === name)));
  const bottom = panelGrid({
    rows: ['best of all depths'],
    columns: data,
    hasColumnLabels: false,
    emptySize: { width: WIDTH, height: 120 },
    panel: (_, column) => bestPanel(best[column] ?? [], models, metricOf(data[column])),
  });
  const apart = { color: 'independent', shape: 'independent', strokeDash: 'independent' };
  const legend = legendRow(
    models.map((model) => ({
      label: modelLabel(model),
      style: styles.get(model) ?? seriesStyle(0),
    })),
    Math.max(data.length * (WIDTH + 40), 260),
    'model',
  );
  return {
    id: figure06.id,
    paper: figure06.paper,
    title,
    ...aloneOf(models, data),
    // Initialisations have one set of colours, models another.
    spec: { title, vconcat: [top, legend, bottom], spacing: 14, resolve: { scale: apart } },
    caption: sentences(
      `Top: ${listed(chosen.map(modelLabel))} by tap, from the input to the output, after fine-tuning from different initialisations. Bottom: the highest of the taps’ means against the share of modules that keep their weights (0 is ST, 1 is WT), every model${models.some((model) => hasRandom(settings, model)) ? '; RI stands at the left' : ''}. Columns are data sets.`,
      knnWords,
      explainShown(shown, chosen),
      lineWords(cells.flat().flatMap((cell) => cell?.points ?? [])),
      leftOut(gaps),
      provenance(summary, data),
    ),
  };
}

function hasRandom(settings: readonly Setting[], model: string): boolean {
  return settings.some((setting) => setting.model === model && setting.init === 'ri');
}

interface BestPoint {
  model: string;
  init: string;
  /** Share of modules that keep their weights. */
  fraction: number;
  tap: string;
  value: number;
  low?: number;
  high?: number;
  interval?: string;
  deviation?: string;
  runs: number;
}

/** The best depth of every model and initialisation of one data set. */
function bestPoints(settings: readonly Setting[]): BestPoint[] {
  return settings.flatMap(({ model, init, rows }) => {
    const best = bestDepth(rows);
    const fraction = init === 'ri' ? RI_PLACE : fractionOf(init);
    if (!best?.value || fraction === undefined) return [];
    const { mean, deviation } = best.value;
    return [
      {
        model: modelLabel(model),
        init: initLabel(init),
        fraction,
        tap: best.of,
        value: mean,
        ...(deviation === undefined ? {} : { low: mean - deviation, high: mean + deviation }),
        ...spreadOf(best.value),
      },
    ];
  });
}

function bestPanel(
  points: readonly BestPoint[],
  models: readonly string[],
  metric: string,
): FigureSpec | undefined {
  if (points.length === 0) return undefined;
  const { color, strokeDash, shape } = modelEncoding('model', models);
  const hasRi = points.some(({ fraction }) => fraction < 0);
  const x = {
    field: 'fraction',
    type: 'quantitative',
    title: 'WT fraction',
    scale: { domain: [hasRi ? RI_PLACE - 0.06 : -0.05, 1.05], nice: false },
    axis: {
      values: [...(hasRi ? [RI_PLACE] : []), 0, 0.25, 0.5, 0.75, 1],
      labelExpr: 'datum.value < 0 ? "RI" : format(datum.value, "~g")',
      grid: false,
    },
  };
  const y = {
    field: 'value',
    type: 'quantitative',
    title: metric,
    scale: { zero: false },
    axis: { tickCount: 4 },
  };
  const { description, tooltip } = told([
    { field: 'model', title: 'model' },
    { field: 'init', title: 'initialisation' },
    { field: 'tap', title: 'best tap' },
    { field: 'value', title: `k-NN ${metric}`, format: '.4~g' },
    ...spreadTold(),
  ]);
  return {
    width: WIDTH,
    height: 120,
    layer: [
      {
        data: { values: points.filter(({ low }) => low !== undefined) },
        mark: { type: 'rule', opacity: 0.5, strokeWidth: 1, aria: false },
        encoding: {
          x,
          y: { ...y, field: 'low' },
          y2: { field: 'high' },
          color,
        },
      },
      {
        data: { values: points.filter(({ fraction }) => fraction >= 0) },
        mark: { type: 'line', strokeWidth: 1.5, aria: false },
        encoding: { x, y, color, strokeDash },
      },
      {
        data: { values: points },
        mark: { type: 'point', size: 22, filled: true, description },
        encoding: {
          x,
          y,
          color,
          shape,
          tooltip,
        },
      },
    ],
  };
}
