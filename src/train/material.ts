/** What a run works on: the data set, its splits, the checkpoint's identity, and the run's own id. */
import {
  type DataSet,
  describeSplits,
  makeSplits,
  openDataSet,
  parseDataSpec,
  readSplits,
  type Splits,
  splitsIdentity,
} from '../data/index.ts';
import { metricsOfTask, undefinedOnLabels } from '../eval/index.ts';
import { type RunConfig, runIdentity } from '../results/index.ts';
import { hashFile, RequestError, readFault, WorkError } from '../util/index.ts';
import { type TrainOptions, throwIfStopped } from './events.ts';

export interface Material {
  dataset: DataSet;
  splits: Splits;
  /** A hash of which sample is in which split. */
  splitsHash: string;
  weights?: { path: string; sha256: string };
  runId: string;
  warnings: string[];
}

/**
 * Opens the data set, splits it, and finds out the run's id. Writes nothing.
 * @throws RequestError or WorkError for data or a checkpoint that cannot be read, an empty split, or a
 *   validation split on which the data set's metric can have no value.
 */
export async function gatherMaterial(
  config: RunConfig,
  { onEvent, signal }: TrainOptions,
): Promise<Material> {
  onEvent?.({ kind: 'phase', text: 'opening the data set' });
  const dataset = await openDataSet(parseDataSpec(config.data), { signal });
  const splits = config.splitsFile
    ? await readSplits(config.splitsFile, dataset, { seed: config.splitSeed })
    : makeSplits(dataset, { seed: config.splitSeed });
  throwIfStopped(signal);
  onEvent?.({ kind: 'phase', text: describeSplits(dataset, splits) });
  const warnings = [...dataset.notes, ...splits.notes, ...checkSplits(dataset, splits)];
  const splitsHash = splitsIdentity(dataset, splits);
  const weights = config.init === 'ri' ? undefined : await identifyWeights(config);
  const runId = runIdentity({
    config,
    data: dataset.identity,
    splits: splitsHash,
    weights: weights?.sha256,
  });
  return { dataset, splits, splitsHash, ...(weights ? { weights } : {}), runId, warnings };
}

async function identifyWeights(config: RunConfig): Promise<{ path: string; sha256: string }> {
  const path = config.weights ?? '';
  try {
    return { path, sha256: await hashFile(path) };
  } catch (error) {
    throw new RequestError(
      {
        where: `weights ${path}`,
        expected: 'a checkpoint file that can be read',
        got: readFault(error),
        hint: 'check the path',
      },
      { cause: error },
    );
  }
}

/** Labels of samples as plain numbers, row by row for multi-label tasks. */
export function labelsOf(dataset: DataSet, indices: readonly number[]): number[] {
  return indices.flatMap((index) => dataset.samples[index]?.label ?? []);
}

/** Refuses splits that nothing can be learnt or judged on; returns what is only worth a warning. */
function checkSplits(dataset: DataSet, splits: Splits): string[] {
  const { task, metric, classes, name } = dataset;
  if (!metricsOfTask(task).includes(metric)) {
    throw new RequestError({
      where: `data set ${name}: metric`,
      expected: `one of ${metricsOfTask(task).join(', ')} for a ${task} task`,
      got: metric,
    });
  }
  const described = { task, metric, classes };
  const onValidation = undefinedOnLabels(labelsOf(dataset, splits.val), described);
  if (onValidation !== undefined) {
    throw new WorkError({
      where: `data set ${name}: val split`,
      expected: `samples on which ${metric} has a value, to choose the best checkpoint by`,
      got: onValidation,
      hint: 'give the data set more samples, or other split ratios',
    });
  }
  const onTest = undefinedOnLabels(labelsOf(dataset, splits.test), described);
  return onTest === undefined ? [] : [`test split: ${metric} will have no value: ${onTest}`];
}
