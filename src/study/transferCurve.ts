/**
 * The WT-ST curve and what is read off it (METHODS): metric and relative gain against the share of modules
 * that keep their weights (figures 2 and 7), and iterations to the best relative to none kept (figures 8
 * and 19), each with its spread over repeats and averaged over data sets.
 */
import type { CurvePoint, Statistic, TransferCurve } from '../results/index.ts';
import { bootstrapMean, mean, sampleDeviation } from '../util/index.ts';

/** One finished run of a sweep. */
export interface CurveInput {
  data: string;
  model: string;
  /** Modules that keep their pretrained weights: 0 is ST, all is WT. */
  kept: number;
  modules: number;
  seed: number;
  /** Test metric, if it is defined. */
  metric?: number;
  iterationsToBest?: number;
}

/**
 * A curve for each model and data set, and one a model averaged over its data sets: its points have the
 * means of the gains and speed-ups over the data sets that have that point.
 */
export function transferCurves(runs: readonly CurveInput[]): TransferCurve[] {
  return distinct(runs.map(({ model }) => model)).flatMap((model) => {
    const own = runs.filter((run) => run.model === model);
    const curves = distinct(own.map(({ data }) => data)).map((data) =>
      curveOf(
        model,
        data,
        own.filter((run) => run.data === data),
      ),
    );
    return curves.length > 0 ? [...curves, averageOf(model, curves)] : [];
  });
}

function curveOf(model: string, data: string, runs: readonly CurveInput[]): TransferCurve {
  const modules = runs[0]?.modules ?? 0;
  const at = (kept: number): CurveInput[] => runs.filter((run) => run.kept === kept);
  const metricAt = (kept: number) =>
    statistic(
      at(kept).map(({ metric }) => metric),
      [data, model, kept, 'metric'],
    );
  const iterationsAt = (kept: number) =>
    statistic(
      at(kept).map(({ iterationsToBest }) => iterationsToBest),
      [data, model, kept, 'iterations'],
    );
  const [reference, referenceIterations] = [metricAt(0), iterationsAt(0)];
  const points = distinct(runs.map(({ kept }) => kept))
    .sort((a, b) => a - b)
    .map((kept): CurvePoint => {
      const [metric, iterationsToBest] = [metricAt(kept), iterationsAt(kept)];
      return {
        kept,
        fraction: kept / modules,
        metric,
        relativeGain: ratio(metric && reference && metric.mean - reference.mean, reference?.mean),
        iterationsToBest,
        speedUp: ratio(referenceIterations?.mean, iterationsToBest?.mean),
      };
    });
  return { model, data, modules, points };
}

function averageOf(model: string, curves: readonly TransferCurve[]): TransferCurve {
  const modules = curves[0]?.modules ?? 0;
  const kept = distinct(curves.flatMap(({ points }) => points.map((point) => point.kept)));
  const points = kept
    .sort((a, b) => a - b)
    .map((count): CurvePoint => {
      const there = curves.flatMap((curve) => curve.points.filter((one) => one.kept === count));
      const average = (values: readonly (number | undefined)[]): number | undefined => {
        const present = values.filter((value) => value !== undefined);
        return present.length > 0 ? mean(present) : undefined;
      };
      return {
        kept: count,
        fraction: count / modules,
        relativeGain: average(there.map(({ relativeGain }) => relativeGain)),
        speedUp: average(there.map(({ speedUp }) => speedUp)),
      };
    });
  return { model, modules, points };
}

/** Mean, deviation and interval of the values that are there. */
export function statistic(
  values: readonly (number | undefined)[],
  keys: readonly (string | number)[],
): Statistic | undefined {
  const present = values.filter((value) => value !== undefined);
  if (present.length === 0) return undefined;
  return {
    mean: mean(present),
    deviation: sampleDeviation(present),
    interval: bootstrapMean(present, keys),
    count: present.length,
  };
}

function ratio(numerator: number | undefined, denominator: number | undefined): number | undefined {
  if (numerator === undefined || denominator === undefined || denominator === 0) return undefined;
  return numerator / denominator;
}

function distinct<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}
