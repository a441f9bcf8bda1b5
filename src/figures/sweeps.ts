/**
 * Numbers against the share of modules that keep their pretrained weights (WT fraction): what figures 2, 7,
 * 8, 14, 15 and 19 are drawn from. A study without WT-ST-n/m has the two ends, ST and WT.
 */
import type { Cell, CurvePoint, Spread, Statistic, StudySummary } from '../results/index.ts';
import { byInductiveBias, familyOf, modelParts } from './labels.ts';
import type { Told } from './told.ts';

/** The curve points of a data set and model, from the sweep or, where there is none, from ST and WT. */
export function curvePoints(summary: StudySummary, data: string, model: string): CurvePoint[] {
  const curve = summary.curves.find((one) => one.data === data && one.model === model);
  if (curve) return curve.points;
  const ends = [
    { kept: 0, fraction: 0, cell: cellOf(summary, data, model, 'st') },
    { kept: 1, fraction: 1, cell: cellOf(summary, data, model, 'wt') },
  ];
  const [st] = ends;
  return ends.flatMap(({ kept, fraction, cell }): CurvePoint[] => {
    if (!cell || cell.finishedSeeds.length === 0) return [];
    const base = st?.cell?.metric?.mean;
    const iterations = st?.cell?.iterationsToBest?.mean;
    return [
      {
        kept,
        fraction,
        metric: metricOf(cell),
        relativeGain: base && cell.metric ? (cell.metric.mean - base) / base : undefined,
        iterationsToBest: cell.iterationsToBest,
        speedUp:
          iterations && cell.iterationsToBest ? iterations / cell.iterationsToBest.mean : undefined,
      },
    ];
  });
}

export function cellOf(
  { table }: StudySummary,
  data: string,
  model: string,
  init: string,
): Cell | undefined {
  return table.cells.find(
    (cell) => cell.data === data && cell.model === model && cell.init === init,
  );
}

/** The metric of a cell with its interval. */
export function metricOf({ metric, metricInterval }: Cell): Statistic | undefined {
  return metric && { ...metric, ...(metricInterval ? { interval: metricInterval } : {}) };
}

/** Lower and upper end of what is drawn around a mean: the 95 % interval, else one deviation, else none. */
export function boundsOf({ mean: centre, deviation, interval }: Statistic): {
  low?: number;
  high?: number;
} {
  if (interval) return { low: interval.low, high: interval.high };
  if (deviation === undefined) return {};
  return { low: centre - deviation, high: centre + deviation };
}

/** What is around a mean in words: `0.61 to 0.65`, or one deviation. */
export function spreadOf({ deviation, interval, count }: Statistic): {
  interval?: string;
  deviation?: string;
  runs: number;
} {
  const short = (value: number): string => String(Number(value.toPrecision(4))).replace('-', '−');
  return {
    ...(interval ? { interval: `${short(interval.low)} to ${short(interval.high)}` } : {}),
    ...(deviation === undefined ? {} : { deviation: short(deviation) }),
    runs: count,
  };
}

/** The fields of {@link spreadOf}, for marks that tell them. */
export const spreadTold = (counts = 'runs'): Told[] => [
  { field: 'interval', title: '95 % interval' },
  { field: 'deviation', title: 'sd' },
  { field: 'runs', title: counts, format: 'd' },
];

/** What the error bars or bands around some means are, as a sentence. */
export function describeBounds(
  values: readonly Spread[],
  shape: 'Bands' | 'Bars' | 'Bands and bars',
): string {
  const hasInterval = values.some((value) => 'interval' in value && value.interval !== undefined);
  const hasDeviation = values.some(
    (value) =>
      value.deviation !== undefined && !('interval' in value && value.interval !== undefined),
  );
  if (hasInterval && hasDeviation) {
    return `${shape}: 95 % bootstrap intervals of the mean; one standard deviation to each side where fewer than three runs are there.`;
  }
  if (hasInterval) return `${shape}: 95 % bootstrap intervals of the mean.`;
  if (hasDeviation) return `${shape}: one sample standard deviation to each side.`;
  return 'One run each, so no spread is shown.';
}

/** Most models that one panel shows. */
const MOST_SERIES = 5;

/** The model of a family that stands for it where a study has several: the paper's. */
const standard = ['deit_small', 'swin_tiny', 'inception_v3', 'resnet50'];

/**
 * The models of a figure that compares architectures, in order of inductive bias. Of more than five, each
 * family has one, the paper's size where it is there; figure 7 has the others.
 */
export function comparedModels(models: readonly string[]): { shown: string[]; others: string[] } {
  const ordered = byInductiveBias(models);
  if (ordered.length <= MOST_SERIES) return { shown: ordered, others: [] };
  const groupOf = (id: string): string => `${familyOf(id)} ${modelParts(id).source ?? ''}`;
  const whole = ordered.filter((id) => modelParts(id).depth === undefined);
  const shown = [...new Set(whole.map(groupOf))].flatMap((group) => {
    const members = whole.filter((id) => groupOf(id) === group);
    return members.find((id) => standard.includes(modelParts(id).name)) ?? members[0] ?? [];
  });
  return { shown, others: ordered.filter((id) => !shown.includes(id)) };
}
