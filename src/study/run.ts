/** One run of a study as planned, and the files around it. */
import { join } from 'node:path';
import type { RunConfig } from '../results/index.ts';

export interface PlannedRun {
  /** Hash of what determines the result; names the run's folder. */
  id: string;
  /**
   * `source`: trains the checkpoint that target runs start from. `target`: what tables and analyses are
   * of. `variant`: a target run with other training settings, for its curve. `grid`: one learning rate of
   * the grid search.
   */
  role: 'source' | 'target' | 'variant' | 'grid';
  /** Name of the data set in the study. */
  data: string;
  /** Images in the data set, all splits together. */
  samples: number;
  model: string;
  /** `ri`, `st`, `wt`, or the paper's `WT-ST-n/m`. */
  init: string;
  seed: number;
  /** The source that the weights come from, where the study has several; `ri` has none. */
  from?: string;
  /** Name of the variant that the run belongs to. */
  variant?: string;
  /** The source run whose best checkpoint this run starts from. */
  source?: string;
  config: RunConfig;
  /** Runs of this role at once. */
  parallel: number;
}

/** What tables and lines call a run: `isic2019 resnet18 wt seed 0`. */
export function runTitle(run: PlannedRun): string {
  return `${run.data} ${run.model} ${initLabel(run)} seed ${run.seed}`;
}

/** How a run starts, and what sets it apart: `wt`, `source`, `wt from natural`, `ri, constant`, `ri at 0.001`. */
export function initLabel(run: PlannedRun): string {
  if (run.role === 'source') return 'source';
  const from = run.from === undefined ? '' : ` from ${run.from}`;
  const variant = run.variant === undefined ? '' : `, ${run.variant}`;
  const rate = run.role === 'grid' ? ` at ${run.config.training.learningRate}` : '';
  return `${run.init}${from}${variant}${rate}`;
}

/** `resnet50`, or `resnet50 from natural` where a study has several sources. */
export function modelLabel(model: string, source: string | undefined): string {
  return source === undefined ? model : `${model} from ${source}`;
}

/** The files of a study's folder. */
export function studyPaths(folder: string) {
  return {
    study: join(folder, 'study.yaml'),
    plan: join(folder, 'plan.json'),
    splits: (data: string) => join(folder, 'splits', `${data}.csv`),
    results: join(folder, 'results.csv'),
    resultsParquet: join(folder, 'results.parquet'),
    values: join(folder, 'values.csv'),
    valuesParquet: join(folder, 'values.parquet'),
    comparisons: join(folder, 'comparisons.csv'),
    curves: join(folder, 'curves.csv'),
    models: join(folder, 'models.csv'),
    learningRates: join(folder, 'learning-rates.csv'),
    analyses: join(folder, 'analyses.csv'),
    run: (id: string) => join(folder, id),
    config: (id: string) => join(folder, id, 'config.json'),
    console: (id: string) => join(folder, id, 'console.log'),
    failure: (id: string) => join(folder, id, 'failure.json'),
    lock: (id: string) => join(folder, id, 'runner.lock'),
  };
}
