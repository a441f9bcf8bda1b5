/** `results.csv`: one row a finished run of a study. */
import { writeFileWhole } from '../util/index.ts';
import { type DataColumn, formatCsvTable, real, text, whole } from './dataTable.ts';

/** What a study keeps of one finished run. */
export interface ResultRow {
  runId: string;
  /** Name of the data set in the study. */
  data: string;
  /** Images in the data set, all splits together. */
  samples: number;
  model: string;
  /** Parameters of the model with this data set's head. */
  parameters?: number;
  /** `wt`, `st`, `ri`; `source` for a run that makes their checkpoint. */
  init: string;
  seed: number;
  metric: string;
  /** Test metric of the best checkpoint; `undefined` where the metric is not defined on the split. */
  testMetric?: number;
  /** Why the test metric is undefined. */
  undefinedReason?: string;
  /** Best validation metric. */
  validationMetric?: number;
  /** Iteration at which the best validation metric was reached. */
  iterationsToBest?: number;
  /**
   * First iteration at which validation reached the best validation metric of the RI run of the same
   * data set, model and seed; `undefined` where it never did or there is no such run.
   */
  iterationsToReference?: number;
  iterations: number;
  imagesPerSecond?: number;
  wallSeconds?: number;
  trainingSeconds?: number;
  evaluationSeconds?: number;
  savingSeconds?: number;
  peakMemoryBytes?: number;
  /** Of the processor or GPU, 0 to 1 and a little above. */
  deviceUtilisation?: number;
  precision: string;
  device?: string;
  threads?: number;
  learningRate?: number;
  /** The source that the weights come from, where the study has several. */
  source?: string;
  /**
   * The variant of the study that the run belongs to, `learning-rate-grid` for the grid search. Tables
   * and figures of results are of the rows without one.
   */
  variant?: string;
  /** The source run or the hash of the weights that WT and ST read. */
  weights?: string;
  /** Bad images that were left out, by the option `onBadImage: skip`. */
  skippedImages?: number;
}

/** What every table with a row a run says of the run. */
const columns: readonly DataColumn<ResultRow>[] = [
  text('run_id', 'the run’s folder', (row) => row.runId),
  text('data', 'name of the data set in the study', (row) => row.data),
  whole('samples', 'images of the data set, all splits together', (row) => row.samples),
  text('model', 'the model', (row) => row.model),
  whole('parameters', 'parameters of the model with this head', (row) => row.parameters),
  text('init', 'ri, st, wt, WT-ST-n/m; source for a run that makes checkpoints', (row) => row.init),
  whole('seed', 'seed of the run', (row) => row.seed),
  text('metric', 'kappa, recall or auc: what the data set is judged by', (row) => row.metric),
  real('test_metric', 'on the test split, of the best checkpoint', (row) => row.testMetric),
  text('undefined_reason', 'why the test metric is undefined', (row) => row.undefinedReason),
  real('validation_metric', 'best on the validation split', (row) => row.validationMetric),
  whole('iterations_to_best', 'iteration of the best validation', (row) => row.iterationsToBest),
  whole(
    'iterations_to_ri_best',
    'first iteration at which validation reached the best of RI with the same seed',
    (row) => row.iterationsToReference,
  ),
  whole('iterations', 'iterations in all', (row) => row.iterations),
  real('images_per_second', 'of the training steps', (row) => row.imagesPerSecond),
  real('wall_seconds', 'from start to end, all sessions together', (row) => row.wallSeconds),
  real('training_seconds', 'of the training steps', (row) => row.trainingSeconds),
  real('evaluation_seconds', 'of validations and the test', (row) => row.evaluationSeconds),
  real('saving_seconds', 'of saving states and networks', (row) => row.savingSeconds),
  whole('peak_memory_bytes', 'largest resident memory', (row) => row.peakMemoryBytes),
  real(
    'device_utilisation',
    'CPU: processor time over wall time × threads; GPU: share of the time it computed',
    (row) => row.deviceUtilisation,
  ),
  text('precision', 'fp32 or bf16', (row) => row.precision),
  text('device', 'cpu or cuda:n', (row) => row.device),
  whole('threads', 'threads of the run', (row) => row.threads),
  real('learning_rate', 'the highest of the schedule', (row) => row.learningRate),
  text('weights', 'source run, or SHA-256 of the checkpoint', (row) => row.weights),
  whole('skipped_images', 'bad images that were left out', (row) => row.skippedImages),
];

/** Columns that only some studies need. */
const rareColumns: readonly DataColumn<ResultRow>[] = [
  text('source', 'the source of the weights, where there are several', (row) => row.source),
  text('variant', 'the variant of the study that the run belongs to', (row) => row.variant),
];

/** All columns that `results.csv` can have. */
export const resultColumns: readonly DataColumn<ResultRow>[] = [...columns, ...rareColumns];

/** The columns of `results.csv` for these rows. */
export function neededResultColumns(rows: readonly ResultRow[]): DataColumn<ResultRow>[] {
  const needed = rareColumns.filter(({ cell }) => rows.some((row) => cell(row) !== undefined));
  return [...columns, ...needed];
}

/** The text of `results.csv`, rows in the order given. */
function formatResults(rows: readonly ResultRow[]): string {
  return formatCsvTable(neededResultColumns(rows), rows);
}

/** Writes `results.csv`, whole or not at all. */
export async function writeResults(path: string, rows: readonly ResultRow[]): Promise<void> {
  await writeFileWhole(path, formatResults(rows));
}
