/** What the commands that run a network over images have in common: their options, and what they say. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { DataSpec, SplitName } from '../data/index.ts';
import type { ImagesRequest, OpenedImages } from '../eval/index.ts';
import { RequestError, WorkError } from '../util/index.ts';
import { automaticOr, oneOf } from './choices.ts';
import { wholeNumber } from './numbers.ts';
import type { Output } from './output.ts';

/** The options of `addPictureOptions`. */
export interface PictureFlags {
  data?: string;
  set: string[];
  split: SplitName | 'all';
  splits?: string;
  splitSeed: number;
  batchSize: number;
  onBadImage: 'error' | 'skip';
  device: string;
  threads: number | 'auto';
  workers: number | 'auto';
}

const DEFAULT_BATCH = 32;

/** Which images, and how the machine is used. */
export function addPictureOptions(command: Command): Command {
  return command
    .option(
      '--set <key=value>',
      'a setting of the data set, for example labelColumn=dx; repeatable',
      (value: string, before: string[]) => [...before, value],
      [],
    )
    .option(
      '--split <part>',
      'train, val, test or all',
      oneOf('--split', ['all', 'train', 'val', 'test']),
      'all',
    )
    .option('--splits <file>', 'CSV file that says which sample is in which split')
    .option(
      '--split-seed <number>',
      'seed of splits that are drawn',
      wholeNumber('--split-seed', 0),
      0,
    )
    .option(
      '--on-bad-image <what>',
      'error: list them and stop; skip: leave them out',
      oneOf('--on-bad-image', ['error', 'skip']),
      'error',
    )
    .option(
      '--batch-size <number>',
      'images at once; never changes what comes out but by rounding',
      wholeNumber('--batch-size'),
      DEFAULT_BATCH,
    )
    .option('--device <device>', 'auto, cpu, cuda or cuda:<number>', deviceName, 'auto')
    .option(
      '--threads <number>',
      'threads of LibTorch; auto: OMP_NUM_THREADS, else the cores',
      automaticOr('--threads', 1),
      'auto',
    )
    .option(
      '--workers <number>',
      'threads that decode images',
      automaticOr('--workers', 0),
      'auto',
    );
}

function deviceName(text: string): string {
  if (/^(auto|cpu|cuda(:\d+)?)$/.test(text)) return text;
  throw new RequestError({
    where: '--device',
    expected: 'auto, cpu, cuda or cuda:<number>',
    got: `"${text}"`,
  });
}

/** @throws RequestError for an option that was not given. */
export function required(command: string, option: string, value: string | undefined): string {
  if (value !== undefined) return value;
  throw new RequestError({
    where: `carryover ${command}`,
    expected: option,
    got: 'none',
    hint: `see carryover ${command} --help`,
  });
}

/** The heavy code, once it is needed. */
const loadData = () => import('../data/index.ts');
const loadEvaluation = () => import('../eval/index.ts');
const loadTraining = () => import('../train/index.ts');

/** The data set that `--data` names, with the settings of `--set`. */
export async function parseData(
  command: string,
  { data, set }: Pick<PictureFlags, 'data' | 'set'>,
): Promise<DataSpec> {
  const { dataEntry } = await import('./data/entry.ts');
  return dataEntry(required(command, '--data', data), { set }, '--data');
}

/**
 * The data set as a run has it, where the command names the run's own without further settings: its task,
 * columns and classes are then the run's, and so are its splits.
 */
export async function ownEntry(
  spec: DataSpec,
  { set }: Pick<PictureFlags, 'set'>,
  ofRun: unknown,
): Promise<DataSpec> {
  const { parseDataSpec } = await loadData();
  const own = parseDataSpec(ofRun);
  return set.length === 0 && own.kind === spec.kind && own.path === spec.path ? own : spec;
}

/** Opens the images that the options name, and says what there is to know of them. */
export async function openPictures({
  flags,
  request,
  output,
  signal,
}: {
  flags: PictureFlags;
  request: Pick<ImagesRequest, 'data' | 'size' | 'resize' | 'channels' | 'normalize' | 'splitsOf'>;
  output: Output;
  signal: AbortSignal;
}): Promise<OpenedImages> {
  const { openImages } = await loadEvaluation();
  const { makeSplits } = await loadData();
  const { resolveWorkers } = await loadTraining();
  const progress = output.progress('reading images');
  const splitsFile = flags.splits === undefined ? undefined : resolve(flags.splits);
  const opened = await openImages({
    splitsOf: (dataset) => makeSplits(dataset, { seed: flags.splitSeed }),
    ...request,
    ...(splitsFile === undefined ? {} : { splitsFile }),
    split: flags.split,
    batchSize: flags.batchSize,
    workers: resolveWorkers(flags.workers),
    onBadImage: flags.onBadImage,
    signal,
    onProgress: (done, total) => progress.update({ done, total }),
  });
  progress.end();
  for (const note of opened.notes) output.warn(note);
  const { skipped } = opened.loader;
  for (const { file, reason } of skipped.slice(0, 20)) output.warn(`${file}: ${reason}, left out`);
  if (skipped.length > 20) output.warn(`${skipped.length - 20} more bad images left out`);
  return opened;
}

/** What to tell of work that was given up because of a signal. */
export function stopped(path: string): WorkError {
  return new WorkError({
    where: path,
    expected: 'to work to the end',
    got: 'a request to stop',
    hint: 'nothing was written; the same command starts again',
  });
}
