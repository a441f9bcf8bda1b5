/**
 * What a study has found so far, as one document: everything that its tables, figures and report are made
 * of. `src/study` brings it together from the files of the runs; `src/figures` and `src/report` read it,
 * and nothing else, so that pictures are drawn without LibTorch.
 */
import type { Interval, PairedTest } from '../util/index.ts';
import type { ResultRow } from './table.ts';

/** The axes of a study, in the order in which tables show them. */
export interface Axes {
  data: string[];
  models: string[];
  inits: string[];
  /** Of a model, those of `inits` that it has; all of them by default. */
  initsOf?: Record<string, string[]>;
  seeds: number[];
}

/** Mean and sample standard deviation of `count` values; deviation absent below two. */
export interface Spread {
  mean: number;
  deviation?: number;
  count: number;
}

/** A spread with the 95 % bootstrap interval of its mean, which is absent below three values. */
export interface Statistic extends Spread {
  interval?: Interval;
}

/** One data set, model and initialisation over seeds. */
export interface Cell {
  data: string;
  model: string;
  init: string;
  /** Test metric over the runs in which it is defined; absent where there is none. */
  metric?: Spread;
  /** 95 % bootstrap interval of the metric's mean; absent below three runs. */
  metricInterval?: Interval;
  /** Iterations to the best validation metric. */
  iterationsToBest?: Spread;
  /** First iteration at which validation reached what RI reached at its best, over runs that did. */
  iterationsToReference?: Spread;
  imagesPerSecond?: Spread;
  /** Seeds whose run is finished, whether or not its metric is defined. */
  finishedSeeds: number[];
  /** Seeds of the study without a finished run. */
  missingSeeds: number[];
  /** Runs whose test metric is undefined, with the reason. */
  undefinedRuns: { seed: number; reason: string }[];
}

export interface Gain {
  /** The ratio of means; `undefined` with the reason where it cannot be formed. */
  value?: number;
  reason?: string;
  /** Bounds of the 95 % bootstrap interval; absent below three repeats. */
  low?: number;
  high?: number;
  /** How the bootstrap drew: the same seeds on both sides, or each side by itself. */
  resampling?: 'paired' | 'independent';
}

/** Both gains of one data set and model. */
export interface Comparison {
  data: string;
  model: string;
  /** WT/RI. */
  transfer: Gain;
  /** (WT − ST)/WT. */
  reuse: Gain;
  /** `reuse` brought to 0…1 between the study's least and greatest (figure 1's colour). */
  reuseNormalised?: number;
}

/** A claim that one initialisation is better than another, in one setting. */
export interface PairedComparison {
  data: string;
  model: string;
  better: string;
  than: string;
  /** Absent where no seed has both, with a defined metric. */
  test?: PairedTest;
  /** p, corrected (Holm) for the settings in which the same claim was tested. */
  corrected?: number;
}

/** What tables say of one data set. */
export interface DataSummary {
  name: string;
  metric?: string;
  samples?: number;
  /** Images of each split, as the runs used them. */
  counts?: { train: number; val: number; test: number };
  task?: string;
  classes?: string[];
  /** Images of each class and split; of multi-label sets, those that have the label. */
  classCounts?: { name: string; train: number; val: number; test: number }[];
  /** The data set of the study that this one is a smaller part of (figure 1's data-size axis). */
  partOf?: string;
  /** Fréchet distance between the source domain and this set, where the study took it. */
  frechet?: { distance: number; extractor: string; source: string };
}

/** What tables say of one model. */
export interface ModelSummary {
  id: string;
  /** With the head of the study's first data set that it was trained on. */
  parameters?: number;
}

/** Cells and gains of a study over its axes. */
export interface Aggregate {
  axes: Axes;
  data: DataSummary[];
  models: ModelSummary[];
  /** Number formats of the runs; more than one means that runs were not computed alike. */
  precisions: string[];
  cells: Cell[];
  comparisons: Comparison[];
}

export interface CurvePoint {
  kept: number;
  /** n / (n + m). */
  fraction: number;
  metric?: Statistic;
  /** (metric(n) − ST) / ST of the means; absent without ST or where it is 0. */
  relativeGain?: number;
  iterationsToBest?: Statistic;
  /** Iterations of ST over those at n, of the means. */
  speedUp?: number;
}

/** Metric against the share of modules that keep their weights. */
export interface TransferCurve {
  model: string;
  /** A data set, or `undefined` for the mean over data sets (the last panel). */
  data?: string;
  modules: number;
  points: CurvePoint[];
}

/** One number of one measure of one setting, over seeds: a row of `analyses.csv`. */
export interface AnalysisRow {
  data: string;
  model: string;
  /** `ri`, `st`, `wt`, `WT-ST-n/m`; `wt against st` for what compares the two. */
  init: string;
  /** `knn`, `probe`, `cka initial/best`, `cka best cls`, `l2`, `reinit`, `attention`, … */
  measure: string;
  /** Tap, or what else the number is of. */
  of: string;
  /** Embedding, head, or the other tap. */
  detail: string;
  value?: Statistic;
  /** Runs in which the number is undefined. */
  undefinedRuns: number;
}

/** The validation curve of one finished run. */
export interface LearningCurve {
  data: string;
  model: string;
  init: string;
  seed: number;
  metric: string;
  /** `constant` for figure 8's curves under a constant learning rate. */
  schedule: 'plateau' | 'constant';
  points: { iteration: number; value?: number; loss: number; learningRate: number }[];
}

/** What some finished runs cost. */
export interface RunCost {
  runs: number;
  /** Sum of the runs' wall time: more than the time that passed, where runs went side by side. */
  runSeconds: number;
  /**
   * Of those, in training steps, in evaluations and in saving; what is left is preparing and waiting. Absent
   * where some run did not count it.
   */
  trainingSeconds?: number;
  evaluationSeconds?: number;
  savingSeconds?: number;
  /** Mean over the runs' wall time, of those that know it: 1 is all threads busy, or the GPU. */
  deviceUtilisation?: number;
  /** The most that a process of a run held. */
  peakMemoryBytes?: number;
}

/** What a study cost, over its finished runs and analyses. */
export interface StudyCost extends RunCost {
  diskBytes?: number;
  byModel: (RunCost & {
    model: string;
    /** Of training steps, mean over the runs. */
    imagesPerSecond?: number;
  })[];
}

/** What the numbers were computed with. */
export interface StudyEnvironment {
  precisions: string[];
  devices: string[];
  threads: number[];
  /** Versions by name (node, libtorch, method, carryover), every one that occurs. */
  versions: Record<string, string[]>;
}

/** A run that is not done, for the report's list of what is missing. */
export interface UnfinishedRun {
  runId: string;
  title: string;
  status: string;
  reason?: string;
}

export interface StudySummary {
  name: string;
  description?: string;
  /** Absolute path of the study's folder. */
  folder: string;
  /** Runs that are planned; `rows` has those that are done. */
  planned: number;
  axes: Axes;
  data: DataSummary[];
  models: ModelSummary[];
  /** The source domain, where the study trains its own checkpoints. */
  source?: { name: string; samples?: number };
  rows: ResultRow[];
  table: Aggregate;
  comparisons: PairedComparison[];
  /** Empty without WT-ST-n/m. */
  curves: TransferCurve[];
  findings: AnalysisRow[];
  learningCurves: LearningCurve[];
  cost: StudyCost;
  environment: StudyEnvironment;
  unfinished: UnfinishedRun[];
  /** Warnings of runs and analyses, each once, with how many runs gave it. */
  warnings: { text: string; runs: number }[];
  /** The resolved study (`study.yaml`): every default written out. */
  settings: Record<string, unknown>;
  /** When the newest run ended (ISO); the report carries no other date, so that it is reproducible. */
  newest?: string;
}
