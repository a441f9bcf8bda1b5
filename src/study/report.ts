/**
 * What a study has found so far: `results.csv`, `table1.csv`, paired comparisons, WT-ST curves, models, and
 * the table as text.
 */
import {
  type Aggregate,
  type EvaluationLine,
  measureNames,
  type PairedComparison,
  type ResultRow,
  readLog,
  type TransferCurve,
  writeResults,
} from '../results/index.ts';
import { writeFileWhole } from '../util/index.ts';
import { aggregate } from './aggregate.ts';
import { formatAnalyses, readAnalyses } from './analysisTable.ts';
import {
  compareInits,
  formatComparisons,
  formatCurves,
  formatModels,
  studyCurves,
} from './comparisons.ts';
import type { Plan } from './plan.ts';
import { studyPaths } from './run.ts';
import { type RunState, readStates } from './state.ts';
import { formatTable1 } from './table1.ts';
import { GRID_VARIANT, tableRows } from './tableRows.ts';

/** The row of a finished run; `undefined` for any other. */
function rowOf({ run, status, record }: RunState): ResultRow | undefined {
  const result = record?.result;
  if (status !== 'done' || !record || !result) return undefined;
  const { value, reason } = result.test.primary;
  return {
    runId: run.id,
    data: run.data,
    samples: run.samples,
    model: run.model,
    parameters: record.parameters,
    init: run.role === 'source' ? 'source' : run.init,
    seed: run.seed,
    source: run.from,
    variant: run.role === 'grid' ? GRID_VARIANT : run.variant,
    metric: result.test.metric,
    testMetric: value,
    undefinedReason: reason,
    validationMetric: result.validation.primary.value,
    iterationsToBest: result.iterationsToBest,
    iterations: result.iterations,
    imagesPerSecond: result.imagesPerSecond,
    wallSeconds: result.wallSeconds,
    precision: record.resolved?.precision ?? record.config.training.precision,
    device: record.resolved?.device,
    threads: record.resolved?.threads,
    learningRate: record.resolved?.learningRate,
    weights: run.source ?? record.weights?.sha256,
    skippedImages: record.data?.skipped.length,
  };
}

/** First iteration at which an evaluation reached `level`; `undefined` where none did. */
export function firstToReach(
  evaluations: readonly Pick<EvaluationLine, 'iteration' | 'value'>[],
  level: number,
): number | undefined {
  return evaluations.find(({ value }) => value !== undefined && value >= level)?.iteration;
}

/** Rows of all finished runs, sources first, in the plan's order. */
export async function collectRows(
  folder: string,
  states: readonly RunState[],
): Promise<ResultRow[]> {
  const rows = states.flatMap((state) => rowOf(state) ?? []);
  const paths = studyPaths(folder);
  return Promise.all(
    rows.map(async (row) => {
      const reference = rows.find(
        (other) =>
          other.init === 'ri' &&
          other.variant === undefined &&
          other.data === row.data &&
          other.model === row.model &&
          other.seed === row.seed,
      );
      const level = reference?.validationMetric;
      if (level === undefined) return row;
      const lines = await readLog(paths.run(row.runId));
      const evaluations = lines.filter((line) => line.kind === 'evaluation');
      return { ...row, iterationsToReference: firstToReach(evaluations, level) };
    }),
  );
}

export interface Report {
  rows: ResultRow[];
  table: Aggregate;
  /** Whether one initialisation is better than another, by seed. */
  comparisons: PairedComparison[];
  /** Metric against the share of modules kept; empty without WT-ST-n/m. */
  curves: TransferCurve[];
  states: RunState[];
}

/** Reads what is there and brings it together, without writing. */
export async function readReport(plan: Plan): Promise<Report> {
  const states = await readStates(plan.folder, plan.runs);
  const rows = await collectRows(plan.folder, states);
  const targets = tableRows(rows, plan);
  return {
    rows,
    table: aggregate(targets, plan),
    comparisons: compareInits(targets, plan),
    curves: studyCurves(targets),
    states,
  };
}

/** Writes the tables of what is finished. */
export async function writeReport(plan: Plan): Promise<Report> {
  const report = await readReport(plan);
  const paths = studyPaths(plan.folder);
  await writeResults(paths.results, report.rows);
  await writeFileWhole(paths.table, formatTable1(report.table));
  const targets = tableRows(report.rows, plan);
  await writeFileWhole(paths.comparisons, formatComparisons(report.comparisons));
  await writeFileWhole(paths.models, formatModels(targets, plan));
  if (report.curves.length > 0) await writeFileWhole(paths.curves, formatCurves(report.curves));
  const analyses = await readAnalyses(plan, report.states, measureNames);
  if (analyses.length > 0) await writeFileWhole(paths.analyses, formatAnalyses(analyses));
  return report;
}
