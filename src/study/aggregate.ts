/** Finished runs brought together over seeds: one cell a data set, model and initialisation. */
import type { Aggregate, Axes, Cell, ResultRow, Spread } from '../results/index.ts';
import { bootstrapMean, mean, sampleDeviation } from '../util/index.ts';
import { type BySeed, gainOf, normalise, reuseShare, transferGain } from './gains.ts';

/** Mean and deviation of the values that are there; `undefined` where none is. */
export function spread(values: readonly (number | undefined)[]): Spread | undefined {
  const present = values.filter((value) => value !== undefined);
  if (present.length === 0) return undefined;
  return { mean: mean(present), deviation: sampleDeviation(present), count: present.length };
}

/** The cell of one data set, model and initialisation, of its runs. */
function aggregateCell(
  own: readonly ResultRow[],
  { data, model, init }: { data: string; model: string; init: string },
  seeds: readonly number[],
): Cell {
  const finishedSeeds = own.map((row) => row.seed);
  const metrics = own.map((row) => row.testMetric);
  return {
    data,
    model,
    init,
    metric: spread(metrics),
    metricInterval: bootstrapMean(
      metrics.filter((value) => value !== undefined),
      [data, model, init],
    ),
    iterationsToBest: spread(own.map((row) => row.iterationsToBest)),
    iterationsToReference: spread(own.map((row) => row.iterationsToReference)),
    imagesPerSecond: spread(own.map((row) => row.imagesPerSecond)),
    finishedSeeds,
    missingSeeds: seeds.filter((seed) => !finishedSeeds.includes(seed)),
    undefinedRuns: own
      .filter((row) => row.testMetric === undefined)
      .map((row) => ({ seed: row.seed, reason: row.undefinedReason ?? 'no reason given' })),
  };
}

function metricBySeed(rows: readonly ResultRow[]): BySeed {
  return new Map(
    rows.flatMap((row) => (row.testMetric === undefined ? [] : [[row.seed, row.testMetric]])),
  );
}

/** The runs of one data set, model and initialisation, looked up in one step. */
function groupRows(
  rows: readonly ResultRow[],
): (data: string, model: string, init: string) => readonly ResultRow[] {
  const groups = new Map<string, ResultRow[]>();
  const key = (...names: string[]): string => names.join('\n');
  for (const row of rows) {
    const name = key(row.data, row.model, row.init);
    const group = groups.get(name);
    if (group) group.push(row);
    else groups.set(name, [row]);
  }
  return (data, model, init) => groups.get(key(data, model, init)) ?? [];
}

/**
 * All cells and gains of a study. Cells without a run are there too, with all their seeds missing.
 * Pure: the same rows in any order give the same numbers.
 */
export function aggregate(unordered: readonly ResultRow[], axes: Axes): Aggregate {
  const rows = [...unordered].sort((a, b) => a.seed - b.seed || (a.runId < b.runId ? -1 : 1));
  const rowsOf = groupRows(rows);
  const settings = axes.data.flatMap((data) => axes.models.map((model) => ({ data, model })));
  const comparisons = settings.map(({ data, model }) => {
    const wt = metricBySeed(rowsOf(data, model, 'wt'));
    const transfer = gainOf(wt, metricBySeed(rowsOf(data, model, 'ri')), transferGain, [
      data,
      model,
      'transfer',
    ]);
    const reuse = gainOf(wt, metricBySeed(rowsOf(data, model, 'st')), reuseShare, [
      data,
      model,
      'reuse',
    ]);
    return { data, model, transfer, reuse };
  });
  const normalised = normalise(comparisons.map(({ reuse }) => reuse.value));
  return {
    axes,
    data: axes.data.map((name) => {
      const row = rows.find((candidate) => candidate.data === name);
      return { name, metric: row?.metric, samples: row?.samples };
    }),
    models: axes.models.map((id) => ({
      id,
      parameters: rows.find((row) => row.model === id)?.parameters,
    })),
    precisions: [...new Set(rows.map(({ precision }) => precision))].sort(),
    cells: settings.flatMap(({ data, model }) =>
      (axes.initsOf?.[model] ?? axes.inits).map((init) =>
        aggregateCell(rowsOf(data, model, init), { data, model, init }, axes.seeds),
      ),
    ),
    comparisons: comparisons.map((comparison, index) => ({
      ...comparison,
      reuseNormalised: normalised[index],
    })),
  };
}
