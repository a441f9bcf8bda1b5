/** `results.csv`: one row a finished run of a study. */
import { writeFileWhole } from '../util/index.ts';
import { type CsvCell, formatCsv } from './csv.ts';

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

type Column = readonly [name: string, cell: (row: ResultRow) => CsvCell];

const columns: readonly Column[] = [
  ['run_id', (row) => row.runId],
  ['data', (row) => row.data],
  ['samples', (row) => row.samples],
  ['model', (row) => row.model],
  ['parameters', (row) => row.parameters],
  ['init', (row) => row.init],
  ['seed', (row) => row.seed],
  ['metric', (row) => row.metric],
  ['test_metric', (row) => row.testMetric],
  ['undefined_reason', (row) => row.undefinedReason],
  ['validation_metric', (row) => row.validationMetric],
  ['iterations_to_best', (row) => row.iterationsToBest],
  ['iterations_to_ri_best', (row) => row.iterationsToReference],
  ['iterations', (row) => row.iterations],
  ['images_per_second', (row) => row.imagesPerSecond],
  ['wall_seconds', (row) => row.wallSeconds],
  ['precision', (row) => row.precision],
  ['device', (row) => row.device],
  ['threads', (row) => row.threads],
  ['learning_rate', (row) => row.learningRate],
  ['weights', (row) => row.weights],
  ['skipped_images', (row) => row.skippedImages],
];

/** Columns that only some studies need. */
const rareColumns: readonly Column[] = [
  ['source', (row) => row.source],
  ['variant', (row) => row.variant],
];

/** The text of `results.csv`, rows in the order given. */
export function formatResults(rows: readonly ResultRow[]): string {
  const needed = rareColumns.filter(([, cell]) => rows.some((row) => cell(row) !== undefined));
  const all = [...columns, ...needed];
  return formatCsv(
    all.map(([name]) => name),
    rows.map((row) => all.map(([, cell]) => cell(row))),
  );
}

/** Writes `results.csv`, whole or not at all. */
export async function writeResults(path: string, rows: readonly ResultRow[]): Promise<void> {
  await writeFileWhole(path, formatResults(rows));
}
