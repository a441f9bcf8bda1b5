/** The networks that a training run leaves, with all that they need to see images as in training. */
import { access, stat } from 'node:fs/promises';
import { createModel, type ImageModel } from '../models/index.ts';
import { type RunRecord, readRunRecord, runPaths } from '../results/index.ts';
import { hashFile, RequestError, WorkError } from '../util/index.ts';
import { loadWeights, readWeights } from '../weights/index.ts';
import { outputCount } from './predictions.ts';

/** The network that a run began with, or the one with its best validation metric. */
export type RunCheckpoint = 'initial' | 'best';

export interface OpenedRun {
  record: RunRecord;
  /** What the run learnt about its data: classes, task, channel statistics. */
  data: NonNullable<RunRecord['data']>;
  /** The sizes and the precision that the run evaluates with. */
  resolved: NonNullable<RunRecord['resolved']>;
  /** In evaluation mode, on the CPU; its owner disposes of it. */
  model: ImageModel;
  weights: { path: string; sha256: string };
  /** What a user should know, for example that the run is not finished. */
  warnings: string[];
}

/**
 * Opens a run's network as the run evaluates it.
 * @throws RequestError for a folder without a run; WorkError for one that has no such checkpoint yet, or
 *   whose files are damaged or of different runs.
 */
export async function openRun(
  folder: string,
  checkpoint: RunCheckpoint = 'best',
): Promise<OpenedRun> {
  const record = await readRunRecord(folder);
  if (!record) {
    throw new RequestError({
      where: folder,
      expected: 'the folder of a run, with its run.json',
      got: await whatIsAt(folder),
      hint: 'name a folder that carryover train --out or a study has written',
    });
  }
  const path = runPaths(folder)[checkpoint];
  const { data, resolved, status } = record;
  if (!data || !resolved || !(await exists(path))) {
    throw new WorkError({
      where: folder,
      expected: `a run with ${checkpoint}.safetensors`,
      got: `one that is ${status} at iteration ${record.progress.iteration}, without it`,
      hint: 'finish the run first: the command that began it goes on with it',
    });
  }
  const file = await readWeights(path);
  const { runId } = file.metadata;
  if (runId !== record.runId) {
    throw new WorkError({
      where: path,
      expected: `the network of run ${record.runId}, as run.json has it`,
      got: runId === undefined ? 'a checkpoint of no run' : `one of run ${runId}`,
      hint: 'was it copied from elsewhere? train the run again',
    });
  }
  const model = createModel(record.config.model, {
    classes: outputCount(data.task, data.classes.length),
    imageSize: resolved.size,
    inputChannels: record.config.training.inputChannels,
  });
  try {
    loadWeights(model, file);
  } catch (error) {
    model.dispose();
    throw error;
  }
  const { iteration, maxIterations } = record.progress;
  const unfinished = checkpoint === 'best' && status !== 'finished';
  return {
    record,
    data,
    resolved,
    model: model.eval(),
    weights: { path, sha256: await hashFile(path) },
    warnings: unfinished
      ? [
          `${folder}: the run is ${status} at iteration ${iteration} of at most ${maxIterations}; ` +
            'this is its best network so far',
        ]
      : [],
  };
}

async function whatIsAt(folder: string): Promise<string> {
  const status = await stat(folder).catch(() => undefined);
  if (!status) return 'no such folder';
  return status.isDirectory() ? 'no run.json' : 'a file';
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
