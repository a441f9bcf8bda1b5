/** A study, read and checked: what the file says, with absolute paths and every name known. */
import type { DataSpec } from '../data/index.ts';
import {
  type MeasureName,
  type MeasureSettings,
  type RunConfig,
  type TrainingSettings,
  trainingSchema,
} from '../results/index.ts';
import type { NamedData } from './dataAxis.ts';
import type { ExecutorSettings } from './executors/settings.ts';
import { type InitEntry, matchesInit } from './inits.ts';
import type { StudyFile } from './schema.ts';

type Init = RunConfig['init'];
/** Some training settings, checked, without defaults. */
export type TrainingPatch = StudyFile['training'];

/** A source domain: checkpoints, or a data set on which the study trains them. */
export interface StudySource {
  name: string;
  /** With absolute paths. */
  spec?: DataSpec;
  /** Absolute paths of checkpoints by model; the study trains those of the other models. */
  weights: Readonly<Record<string, string>>;
  seed: number;
  splitSeed: number;
  train: TrainingPatch;
  overrides: { model: string[]; training: TrainingPatch }[];
}

/** Which runs something is done for; all of them where a key is absent. */
export interface Selection {
  data?: string[];
  models?: string[];
  inits?: (Init | 'wt-st')[];
  seeds?: number[];
}

/** A measure of finished runs, with every option. */
export interface AnalysisRequest extends Selection {
  measure: MeasureName;
  options: MeasureSettings;
}

/** FID between a source domain and every data set. */
export interface FidRequest {
  extractor: 'fid-inception' | 'torchvision';
  /** Absolute path of its checkpoint. */
  weights: string;
  /** In place of the study's source. */
  source?: { spec: DataSpec } | { statistics: string };
  data?: string[];
}

export interface Study {
  /** Absolute path of the study file. */
  file: string;
  name: string;
  description?: string;
  data: NamedData[];
  /** As a study file has them: lists of sizes not expanded, paths absolute. */
  dataEntries: Record<string, Record<string, unknown>>;
  /**
   * `weights`: absolute path of the model's checkpoint; without it, the sources make one. `inits`: in place
   * of the study's.
   */
  models: { model: string; weights?: string; inits?: InitEntry[] }[];
  inits: InitEntry[];
  /** The modules of every model, where initialisations count them. */
  modules?: ReadonlyMap<string, number>;
  seeds: number[];
  sources: StudySource[];
  initOptions: RunConfig['initOptions'];
  training: TrainingPatch;
  overrides: StudyFile['overrides'];
  splitSeed: number;
  /** Measures of finished runs. */
  analyses: AnalysisRequest[];
  fid?: FidRequest;
  variants: StudyFile['variants'];
  learningRateGrid?: StudyFile['learningRateGrid'];
  parallel: number | 'auto';
  threads: number | 'auto';
  executor: ExecutorSettings;
}

/** The training settings of the source run of a model: the study's, then the source's own. */
export function sourceTraining(
  study: Study,
  model: string,
  source: StudySource | undefined = study.sources[0],
): TrainingSettings {
  const patches = (source?.overrides ?? [])
    .filter((override) => override.model.includes(model))
    .map(({ training }) => training);
  return trainingSchema.parse(Object.assign({}, study.training, source?.train, ...patches));
}

/** What tells the target runs of a study apart, but for the seed. */
export interface Setting {
  data: string;
  /** The data set that this one is a part of. */
  partOf?: string;
  model: string;
  init: Init;
  /** Name of the source; none for `ri`. */
  source?: string;
}

/**
 * The training settings of target runs: the study's, then every override that applies, in order, then
 * `more` (of a variant or the grid).
 */
export function targetTraining(
  study: Study,
  { data, partOf, model, init, source }: Setting,
  more: TrainingPatch = {},
): TrainingSettings {
  const patches = study.overrides
    .filter(
      (override) =>
        (override.data?.some((name) => name === data || name === partOf) ?? true) &&
        (override.model?.includes(model) ?? true) &&
        (override.init?.some((wanted) => matchesInit(wanted, init)) ?? true) &&
        (override.source?.some((name) => name === source) ?? true),
    )
    .map(({ training }) => training);
  return trainingSchema.parse(Object.assign({}, study.training, ...patches, more));
}

/** Whether a run is one of those that are selected. */
export function isSelected(
  { data, models, inits, seeds }: Selection,
  run: Setting & { seed: number },
): boolean {
  return (
    (data?.some((name) => name === run.data || name === run.partOf) ?? true) &&
    (models?.includes(run.model) ?? true) &&
    (inits?.some((wanted) => matchesInit(wanted, run.init)) ?? true) &&
    (seeds?.includes(run.seed) ?? true)
  );
}

/** The learning rates of a grid: in equal ratios from `min` to `max`, to three significant digits. */
export function gridRates({
  min,
  max,
  points,
}: Pick<NonNullable<Study['learningRateGrid']>, 'min' | 'max' | 'points'>): number[] {
  return Array.from({ length: points }, (_, at) =>
    Number((min * (max / min) ** (at / (points - 1))).toPrecision(3)),
  );
}
