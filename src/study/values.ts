/**
 * A study as tables of single numbers, for `values.csv` and the views of `study query`: runs, metrics,
 * analysis values. Every view begins with the same columns that say which run a row is of.
 */
import {
  type DataColumn,
  type ResultRow,
  type RunRecord,
  real,
  resultColumns,
  text,
  whole,
} from '../results/index.ts';
import type { AnalysisValue } from './analysisTable.ts';
import type { PlannedRun } from './run.ts';
import type { RunState } from './state.ts';

/** The columns that say which run a row is of. */
export function runColumns<Row>(runOf: (row: Row) => PlannedRun): DataColumn<Row>[] {
  return [
    text('run_id', 'the run’s folder', (row) => runOf(row).id),
    text('data', 'name of the data set in the study', (row) => runOf(row).data),
    text('model', 'the model', (row) => runOf(row).model),
    text('init', 'ri, st, wt, WT-ST-n/m; source for a run that makes checkpoints', (row) => {
      const run = runOf(row);
      return run.role === 'source' ? 'source' : run.init;
    }),
    whole('seed', 'seed of the run', (row) => runOf(row).seed),
    text('source', 'the source of the weights, where there are several', (row) => runOf(row).from),
    text('variant', 'the variant of the study that the run belongs to', (row) => {
      const run = runOf(row);
      return run.role === 'grid' ? 'learning-rate-grid' : run.variant;
    }),
  ];
}

/** `values.csv` and the view `taps`: one row a run and analysis value. */
export const valueColumns: readonly DataColumn<AnalysisValue>[] = [
  ...runColumns<AnalysisValue>(({ run }) => run),
  text('measure', 'knn, probe, cka …, l2, reinit, attention, …', (row) => row.measure),
  text('tap', 'the tap, or what else the number is of', (row) => row.of),
  text('detail', 'embedding, head, the other tap, …', (row) => row.detail || undefined),
  text('against', 'the run that it is compared with', (row) => row.against),
  real('value', 'the number', (row) => row.value),
  text('undefined_reason', 'why there is no number', (row) => row.reason),
];

/** One metric of one split of one finished run, of one class or over all. */
export interface MetricRow {
  run: PlannedRun;
  split: 'validation' | 'test';
  metric: string;
  /** Absent for a metric over all classes. */
  class?: string;
  value?: number;
  reason?: string;
  /** A mean is over so many of so many classes. */
  over?: number;
  of?: number;
  samples: number;
}

/** The view `metrics`. */
export const metricColumns: readonly DataColumn<MetricRow>[] = [
  ...runColumns<MetricRow>(({ run }) => run),
  text('split', 'validation or test, of the best checkpoint', (row) => row.split),
  text('metric', 'loss, accuracy, recall, kappa, auc, …', (row) => row.metric),
  text('class', 'the class or label; absent over all of them', (row) => row.class),
  real('value', 'the metric', (row) => row.value),
  text('undefined_reason', 'why the metric is undefined', (row) => row.reason),
  whole('classes_over', 'classes that a mean is over', (row) => row.over),
  whole('classes_of', 'classes that there are', (row) => row.of),
  whole('samples', 'images of the split', (row) => row.samples),
];

/** Every metric of a run; none where it is not finished. */
export function metricRows({ run, record }: RunState): MetricRow[] {
  const result = record?.result;
  if (!result) return [];
  const perClass = record.data?.task === 'multilabel' ? 'auc' : 'recall';
  return (['validation', 'test'] as const).flatMap((split): MetricRow[] => {
    const { loss, samples, metrics, perClass: classes } = result[split];
    const head = { run, split, samples };
    return [
      { ...head, metric: 'loss', value: loss },
      ...Object.entries(metrics).map(([metric, value]) => ({ ...head, metric, ...value })),
      ...Object.entries(classes).map(([name, value]) => ({
        ...head,
        metric: perClass,
        class: name,
        ...value,
      })),
    ];
  });
}

/** A planned run, with what its record and its result say. */
export interface RunRow {
  state: RunState;
  /** Of a finished run. */
  result?: ResultRow;
}

const identifying = new Set(['run_id', 'data', 'model', 'init', 'seed', 'source', 'variant']);
const ofRecord = (row: RunRow): RunRecord | undefined => row.state.record;

/** The view `runs`: one row a planned run, what it found where it is finished. */
export const runViewColumns: readonly DataColumn<RunRow>[] = [
  ...runColumns<RunRow>(({ state }) => state.run),
  text('role', 'source, target, variant or grid', (row) => row.state.run.role),
  text('status', 'done, running, failed, interrupted or waiting', (row) => row.state.status),
  text('reason', 'why it failed, or what it waits for', (row) => row.state.reason),
  ...resultColumns
    .filter(({ name }) => !identifying.has(name))
    .map(
      (column): DataColumn<RunRow> => ({
        ...column,
        cell: ({ result }) => result && column.cell(result),
      }),
    ),
  text('ended', 'plateau, maxEpochs or maxIterations', (row) => ofRecord(row)?.result?.ended),
  whole('sessions', 'how often the run was begun', (row) => ofRecord(row)?.sessions),
  whole('iteration', 'how far it is', (row) => ofRecord(row)?.progress.iteration),
  text('host', 'where it runs', (row) => ofRecord(row)?.owner?.host),
  text('started_at', 'ISO time', (row) => ofRecord(row)?.startedAt),
  text('finished_at', 'ISO time', (row) => ofRecord(row)?.finishedAt),
];
