/**
 * Whether one initialisation is better than another, setting by setting: differences paired by seed, with
 * a permutation test, Holm-corrected over the settings of the study.
 */
import {
  type Axes,
  type CsvCell,
  formatCsv,
  type PairedComparison,
  type ResultRow,
  type TransferCurve,
} from '../results/index.ts';
import { holm, pairedPermutationTest } from '../util/index.ts';
import { statistic, transferCurves } from './transferCurve.ts';

/** "The first is better than the second", the claims that are tested. */
const claims = [
  ['wt', 'st'],
  ['wt', 'ri'],
  ['st', 'ri'],
] as const;

/** Every claim in every setting (data set and model) of the study that has both initialisations. */
export function compareInits(rows: readonly ResultRow[], axes: Axes): PairedComparison[] {
  return claims
    .filter((inits) => inits.every((init) => axes.inits.includes(init)))
    .flatMap(([better, than]) => {
      const tested = axes.data.flatMap((data) =>
        axes.models.map((model) => {
          const differences = pairedDifferences(rows, { data, model, better, than });
          const test = pairedPermutationTest(differences, [data, model, better, than]);
          return { data, model, better, than, ...(test ? { test } : {}) };
        }),
      );
      const corrected = holm(tested.map(({ test }) => test?.p));
      return tested.map((comparison, at) => ({ ...comparison, corrected: corrected[at] }));
    });
}

function pairedDifferences(
  rows: readonly ResultRow[],
  { data, model, better, than }: Pick<PairedComparison, 'data' | 'model' | 'better' | 'than'>,
): number[] {
  const metricOf = (init: string): Map<number, number> =>
    new Map(
      rows.flatMap((row) =>
        row.data === data &&
        row.model === model &&
        row.init === init &&
        row.testMetric !== undefined
          ? [[row.seed, row.testMetric] as const]
          : [],
      ),
    );
  const second = metricOf(than);
  return [...metricOf(better)]
    .sort(([a], [b]) => a - b)
    .flatMap(([seed, value]) => {
      const other = second.get(seed);
      return other === undefined ? [] : [value - other];
    });
}

/** The text of `comparisons.csv`. */
export function formatComparisons(comparisons: readonly PairedComparison[]): string {
  return formatCsv(
    ['data', 'model', 'better', 'than', 'pairs', 'difference', 'low', 'high', 'p', 'p_holm'],
    comparisons.map(({ data, model, better, than, test, corrected }) => [
      data,
      model,
      better,
      than,
      test?.pairs ?? 0,
      test?.difference,
      test?.interval?.low,
      test?.interval?.high,
      test?.p,
      corrected,
    ]),
  );
}

/** The WT-ST curves of the models that have any WT-ST-n/m. */
export function studyCurves(rows: readonly ResultRow[]): TransferCurve[] {
  const modulesOf = new Map(
    rows.flatMap(({ model, init }) => {
      const [, kept, rest] = /^WT-ST-(\d+)\/(\d+)$/.exec(init) ?? [];
      return kept === undefined ? [] : [[model, Number(kept) + Number(rest)] as const];
    }),
  );
  return transferCurves(
    rows.flatMap(({ data, model, init, seed, testMetric, iterationsToBest }) => {
      const modules = modulesOf.get(model);
      const kept = modules === undefined ? undefined : keptOf(init, modules);
      if (modules === undefined || kept === undefined) return [];
      return [{ data, model, kept, modules, seed, metric: testMetric, iterationsToBest }];
    }),
  );
}

function keptOf(init: string, modules: number): number | undefined {
  if (init === 'st') return 0;
  if (init === 'wt') return modules;
  const kept = /^WT-ST-(\d+)\//.exec(init)?.[1];
  return kept === undefined ? undefined : Number(kept);
}

/** The text of `curves.csv`: metric, gain and speed-up by the share of modules kept. */
export function formatCurves(curves: readonly TransferCurve[]): string {
  const columns = [
    'model',
    'data',
    'kept',
    'modules',
    'fraction',
    'metric',
    'sd',
    'low',
    'high',
    'runs',
    'relative_gain',
    'iterations_to_best',
    'iterations_sd',
    'speed_up',
  ];
  const rows = curves.flatMap(({ model, data, modules, points }) =>
    points.map(({ kept, fraction, metric, relativeGain, iterationsToBest, speedUp }): CsvCell[] => [
      model,
      data ?? 'mean over data sets',
      kept,
      modules,
      fraction,
      metric?.mean,
      metric?.deviation,
      metric?.interval?.low,
      metric?.interval?.high,
      metric?.count,
      relativeGain,
      iterationsToBest?.mean,
      iterationsToBest?.deviation,
      speedUp,
    ]),
  );
  return formatCsv(columns, rows);
}

/** One setting in one row: what capacity and depth are read off. */
export function formatModels(rows: readonly ResultRow[], axes: Axes): string {
  const settings = axes.data.flatMap((data) => axes.models.map((model) => ({ data, model })));
  const columns = [
    'data',
    'model',
    'init',
    'parameters',
    'metric',
    'sd',
    'low',
    'high',
    'runs',
    'images_per_second',
  ];
  return formatCsv(
    columns,
    settings.flatMap(({ data, model }) => {
      const own = rows.filter((row) => row.data === data && row.model === model);
      return [...new Set(own.map(({ init }) => init))].map((init): CsvCell[] => {
        const runs = own.filter((row) => row.init === init);
        const metric = statistic(
          runs.map(({ testMetric }) => testMetric),
          [data, model, init],
        );
        const speed = statistic(
          runs.map(({ imagesPerSecond }) => imagesPerSecond),
          [data, model, init, 'speed'],
        );
        return [
          data,
          model,
          init,
          runs[0]?.parameters,
          metric?.mean,
          metric?.deviation,
          metric?.interval?.low,
          metric?.interval?.high,
          metric?.count ?? 0,
          speed?.mean,
        ];
      });
    }),
  );
}
