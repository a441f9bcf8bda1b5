/**
 * What the learning-rate grid search found (METHODS: training): for every data set, model and
 * initialisation the rate with the highest mean of the best validation metric over seeds, of equals the
 * lower one. The test split is not looked at.
 */
import { type CsvCell, formatCsv, type ResultRow } from '../results/index.ts';
import { mean, sampleDeviation } from '../util/index.ts';
import { GRID_VARIANT } from './tableRows.ts';

/** One rate in one setting. */
interface RatePoint {
  learningRate: number;
  /** Means over the seeds whose metric is defined; absent where there is none. */
  validation?: number;
  deviation?: number;
  runs: number;
}

export interface RateChoice {
  data: string;
  model: string;
  init: string;
  /** Where the study has several. */
  source?: string;
  metric: string;
  points: RatePoint[];
  best?: RatePoint;
  /** What to know of the choice. */
  note?: string;
}

/** The choice in every setting of the grid, from the rows of its finished runs. */
export function chooseRates(rows: readonly ResultRow[]): RateChoice[] {
  const grid = rows.filter(({ variant }) => variant === GRID_VARIANT);
  const settings = new Map<string, ResultRow[]>();
  for (const row of grid) {
    const key = JSON.stringify([row.data, row.model, row.source, row.init]);
    settings.set(key, [...(settings.get(key) ?? []), row]);
  }
  const rates = distinct(grid.flatMap(({ learningRate }) => learningRate ?? []));
  return [...settings.values()].flatMap((own) => {
    const [first] = own;
    if (!first) return [];
    const points = rates.map((rate) => pointOf(own, rate));
    const best = points
      .filter(({ validation }) => validation !== undefined)
      .reduce<RatePoint | undefined>(
        (chosen, point) =>
          (point.validation ?? 0) > (chosen?.validation ?? Number.NEGATIVE_INFINITY)
            ? point
            : chosen,
        undefined,
      );
    const { data, model, init, source, metric } = first;
    return [{ data, model, init, source, metric, points, best, note: noteOf(points, best) }];
  });
}

function pointOf(rows: readonly ResultRow[], learningRate: number): RatePoint {
  const own = rows.filter((row) => row.learningRate === learningRate);
  const values = own.flatMap(({ validationMetric }) => validationMetric ?? []);
  return {
    learningRate,
    ...(values.length > 0 ? { validation: mean(values) } : {}),
    deviation: sampleDeviation(values),
    runs: own.length,
  };
}

/** A best rate at an end of the grid may not be the best there is; a rate without runs may be better. */
function noteOf(points: readonly RatePoint[], best: RatePoint | undefined): string | undefined {
  const missing = points.filter(({ runs }) => runs === 0);
  const notes = [
    ...(best && points.length > 1 && (best === points[0] || best === points.at(-1))
      ? ['at the end of the grid']
      : []),
    ...(missing.length > 0
      ? [`not finished: ${missing.map(({ learningRate }) => learningRate).join(' ')}`]
      : []),
  ];
  return notes.length > 0 ? notes.join('; ') : undefined;
}

/** The text of `learning-rates.csv`: a row a setting, its best rate, and the metric at every rate. */
export function formatRates(choices: readonly RateChoice[]): string {
  const rates = distinct(
    choices.flatMap(({ points }) => points.map(({ learningRate }) => learningRate)),
  );
  const hasSources = choices.some(({ source }) => source !== undefined);
  const columns = [
    'data',
    'model',
    ...(hasSources ? ['source'] : []),
    'init',
    'best_learning_rate',
    'metric',
    'validation_metric',
    'sd',
    'runs',
    'note',
    ...rates.map((rate) => `at ${rate}`),
  ];
  return formatCsv(
    columns,
    choices.map(({ data, model, source, init, metric, points, best, note }): CsvCell[] => [
      data,
      model,
      ...(hasSources ? [source] : []),
      init,
      best?.learningRate,
      metric,
      best?.validation,
      best?.deviation,
      best?.runs ?? 0,
      note,
      ...rates.map((rate) => points.find(({ learningRate }) => learningRate === rate)?.validation),
    ]),
  );
}

function distinct(values: readonly number[]): number[] {
  return [...new Set(values)].sort((a, b) => a - b);
}
