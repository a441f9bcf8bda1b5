/** `carryover features`: what a network makes of images, tap by tap. */
import { basename, resolve } from 'node:path';
import type { Command } from 'commander';
import type { DataSpec } from '../../data/index.ts';
import type {
  FeatureColumns,
  ImagesRequest,
  Normalization,
  OpenedImages,
} from '../../eval/index.ts';
import type { EmbeddingKind, FirstConvolution, ImageModel } from '../../models/index.ts';
import type { Machine } from '../../train/index.ts';
import { RequestError } from '../../util/index.ts';
import { oneOf } from '../choices.ts';
import { wholeNumber } from '../numbers.ts';
import { type Output, outputOf } from '../output.ts';
import {
  addPictureOptions,
  openPictures,
  ownEntry,
  type PictureFlags,
  parseData,
  required,
  stopped,
} from '../pictures.ts';
import { stopOnSignals } from '../signals.ts';

interface FeatureFlags extends PictureFlags {
  model?: string;
  weights?: string;
  run?: string;
  checkpoint: 'best' | 'initial';
  taps: string;
  embedding?: EmbeddingKind;
  logits?: boolean;
  precision: 'fp32' | 'bf16' | 'auto';
  normalize?: Normalization;
  size?: number;
  resize?: number;
  inputChannels?: number;
  firstConv?: FirstConvolution;
  out?: string;
}

/** A network and how it is to see images. */
interface Source {
  model: ImageModel;
  weights: { path: string; sha256: string };
  images: Pick<ImagesRequest, 'size' | 'resize' | 'channels' | 'normalize'>;
  /** The data set that is meant by the one that was named. */
  dataOf: (named: DataSpec) => DataSpec | Promise<DataSpec>;
}

const examples = `
The file is .safetensors: tap/<name> [N, D] for each tap and, with --logits, logits [N, K], all float32,
one row an image in the data set's order. Its metadata names the images ("files", a JSON list of paths
relative to the data set), the model, the checkpoint's SHA-256, precision, sizes and kind of embedding.

Examples:
  $ carryover features --model resnet50 --weights resnet50-0676ba61.pth --data folder:pictures \\
      --taps all --out features.safetensors
  $ carryover features --run runs/first --data images:new --taps layer4.2 --logits --out new.safetensors`;

export function registerFeatures(program: Command): void {
  const command = program
    .command('features')
    .description('read the features of images at the taps of a network, all of them in one pass')
    .option(
      '--model <id>',
      'the network, for example resnet50; carryover’s own checkpoints name it',
    )
    .option('--weights <file>', 'its checkpoint (.safetensors, .pth)')
    .option('--run <folder>', 'the network of a training run instead, with the run’s own sizes')
    .option(
      '--checkpoint <which>',
      'best or initial, of a run',
      oneOf('--checkpoint', ['best', 'initial']),
      'best',
    )
    .option('--data <kind:path>', 'the images, for example folder:pictures or images:pictures')
    .option(
      '--taps <names>',
      'all, none, or names with commas between (carryover models <id>)',
      'all',
    )
    .option(
      '--embedding <kind>',
      'behind a class token: cls, spatial (mean over patches) or both (default)',
      oneOf('--embedding', ['cls', 'spatial', 'both']),
    )
    .option('--logits', 'the head’s output too')
    .option(
      '--precision <format>',
      'fp32, bf16 or auto (bf16 where the processor or GPU computes in it)',
      oneOf('--precision', ['fp32', 'bf16', 'auto']),
      'fp32',
    )
    .option(
      '--normalize <numbers>',
      'imagenet (default), data (the training split’s own) or none (pixels from 0 to 1)',
      oneOf('--normalize', ['imagenet', 'data', 'none']),
    )
    .option(
      '--size <pixels>',
      'side that the network sees (default: its own)',
      wholeNumber('--size'),
    )
    .option(
      '--resize <pixels>',
      'side before the centre crop (default: 8/7 of the size)',
      wholeNumber('--resize'),
    )
    .option(
      '--input-channels <number>',
      '1 for luminance alone, else 3 (default: as the checkpoint)',
      wholeNumber('--input-channels'),
    )
    .option(
      '--first-conv <how>',
      'how a first convolution of three channels serves one: sum (default) or slice',
      oneOf('--first-conv', ['sum', 'slice']),
    )
    .option('--out <file>', 'the file to write');
  addPictureOptions(command)
    .addHelpText('after', examples)
    .action(async (flags: FeatureFlags, self: Command) => {
      await features(flags, outputOf(self));
    });
}

/** The heavy code, once it is needed. (TypeScript leaves `.ts` in an import() beside a `using`.) */
const loadEvaluation = () => import('../../eval/index.ts');
const loadTraining = () => import('../../train/index.ts');
const loadTensors = () => import('../../tensor/index.ts');
const loadWeightFiles = () => import('../../weights/index.ts');

async function features(flags: FeatureFlags, output: Output): Promise<void> {
  const path = resolve(required('features', '--out', flags.out));
  const named = await parseData('features', flags);
  const { requireWritable } = await loadWeightFiles();
  await requireWritable(path);
  const { resolveMachine } = await loadTraining();
  const machine = resolveMachine(flags, '--device');
  const { setThreadCount } = await loadTensors();
  setThreadCount(machine.threads);
  using stop = stopOnSignals();
  const source =
    flags.run === undefined ? await openFile(flags, output) : await openOfRun(flags, output);
  const { model } = source;
  try {
    const { chooseTaps } = await loadEvaluation();
    const taps = chooseTaps(model, tapNames(flags.taps, model, flags.logits === true));
    if (machine.device !== 'cpu') model.to({ device: machine.device });
    const opened = await openPictures({
      flags,
      request: { data: await source.dataOf(named), ...source.images },
      output,
      signal: stop.signal,
    });
    try {
      await extract({ flags, path, source, machine, opened, taps, output, signal: stop.signal });
    } finally {
      await opened.loader.close();
    }
  } finally {
    model.dispose();
  }
}

async function extract({
  flags,
  path,
  source,
  machine,
  opened,
  taps,
  output,
  signal,
}: {
  flags: FeatureFlags;
  path: string;
  source: Source;
  machine: Machine;
  opened: OpenedImages;
  taps: string[];
  output: Output;
  signal: AbortSignal;
}): Promise<void> {
  const { fileOf, PredictionStopped, writeFeatures } = await loadEvaluation();
  const { model } = source;
  const { dataset, loader } = opened;
  const total = loader.indices.length;
  const metadata = await describe({ flags, source, machine, opened, taps });
  const kinds = new Set(taps.flatMap((tap) => model.embeddingKinds(tap)));
  if (flags.embedding !== undefined && flags.embedding !== 'spatial' && !kinds.has('cls')) {
    output.warn(`${model.id} has no class token at these taps: their embeddings are means`);
  }
  const progress = output.progress('features');
  const start = performance.now();
  const columns = await writeFeatures(model, loader, {
    path,
    taps,
    embedding: flags.embedding,
    logits: flags.logits === true,
    metadata,
    nameOf: (index) => fileOf(dataset, index),
    device: machine.device,
    precision: machine.precision,
    onProgress: (done) => progress.update({ done, total }),
    stopRequested: () => signal.aborted,
  }).catch((error: unknown) => {
    throw error instanceof PredictionStopped ? stopped(path) : error;
  });
  const seconds = (performance.now() - start) / 1000;
  progress.end();
  report({ path, model, machine, columns, images: total, seconds, opened, output });
}

function report({
  path,
  model,
  machine,
  columns,
  images,
  seconds,
  opened,
  output,
}: {
  path: string;
  model: ImageModel;
  machine: Machine;
  columns: FeatureColumns[];
  images: number;
  seconds: number;
  opened: OpenedImages;
  output: Output;
}): void {
  const { device, precision, threads } = machine;
  output.table({
    columns: ['tensor', 'features'],
    rows: columns.map(({ name, features: count }) => [name, count]),
  });
  output.line(
    `${images} images by ${model.id}, ${(images / seconds).toFixed(1)} a second in ${precision} on ` +
      `${device}, ${threads} threads`,
  );
  output.line(`written to ${path}`);
  output.document({
    path,
    model: model.id,
    images,
    tensors: columns,
    skipped: opened.loader.skipped,
    device,
    precision,
    threads,
    seconds,
    imagesPerSecond: images / seconds,
  });
}

/** The network of `--weights`. */
async function openFile(flags: FeatureFlags, output: Output): Promise<Source> {
  const { weights } = flags;
  if (weights === undefined) {
    throw new RequestError({
      where: 'carryover features',
      expected: '--weights, the checkpoint to read features with, or --run',
      got: 'none',
      hint: 'see carryover features --help',
    });
  }
  const { openNetwork } = await loadEvaluation();
  const { inputChannels } = flags;
  if (inputChannels !== undefined && inputChannels !== 1 && inputChannels !== 3) {
    throw new RequestError({
      where: '--input-channels',
      expected: '1 or 3',
      got: String(inputChannels),
    });
  }
  const opened = await openNetwork({
    weights: await checkpointPath(weights, flags.model),
    model: flags.model,
    imageSize: flags.size,
    inputChannels,
    firstConvolution: flags.firstConv,
    needsHead: flags.logits,
  });
  const { model, report: match } = opened;
  const { describeMatch } = await loadWeightFiles();
  // No head is asked for where there is none, so nothing replaces it.
  output.note(
    `${basename(opened.weights.path)}: ${describeMatch(model, { ...match, headReplaced: false })}`,
  );
  const size = model.inputSize;
  const { resize = Math.round((size * 256) / 224), normalize = 'imagenet' } = flags;
  return {
    model,
    weights: opened.weights,
    images: { size, resize, channels: model.inputChannels, normalize },
    dataOf: (named) => named,
  };
}

/** The checkpoint's path; `imagenet` and names of official files stand for fetched ones. */
async function checkpointPath(given: string, model: string | undefined): Promise<string> {
  const { resolveWeights } = await loadWeightFiles();
  return model === undefined
    ? resolve(given)
    : resolveWeights(given, model, (path) => resolve(path));
}

/** The network of `--run`, and the sizes and numbers that the run sees images with. */
async function openOfRun(flags: FeatureFlags, output: Output): Promise<Source> {
  const taken = (
    ['weights', 'model', 'size', 'resize', 'normalize', 'inputChannels'] as const
  ).find((key) => flags[key] !== undefined);
  if (taken !== undefined) {
    const option = `--${taken.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    throw new RequestError({
      where: 'carryover features',
      expected: 'what a run does not say itself beside --run',
      got: option,
      hint: `leave ${option} out, or name the run's checkpoint by --weights`,
    });
  }
  const { openRun } = await loadEvaluation();
  const { model, weights, resolved, data, record, warnings } = await openRun(
    resolve(flags.run ?? ''),
    flags.checkpoint,
  );
  for (const warning of warnings) output.warn(warning);
  const { size, resize } = resolved;
  const { mean, std } = data;
  return {
    model,
    weights,
    images: { size, resize, channels: model.inputChannels, normalize: { mean, std } },
    dataOf: (named) => ownEntry(named, flags, record.config.data),
  };
}

/** @throws RequestError for unknown names, and where nothing is asked for. */
function tapNames(text: string, model: ImageModel, logits: boolean): string[] {
  const all = model.taps.map(({ name }) => name);
  if (text === 'all') return all;
  const written = text === 'none' ? [] : text.split(',').map((name) => name.trim());
  const names = written.filter((name) => name !== '');
  if (names.length > 0 || logits) return names;
  throw new RequestError({
    where: `--taps ${text}`,
    expected: 'something to write',
    got: 'neither taps nor logits',
    hint: 'add --logits, or name taps',
  });
}

/** What goes with the tensors, as text. */
async function describe({
  flags,
  source,
  machine,
  opened,
  taps,
}: {
  flags: FeatureFlags;
  source: Source;
  machine: Machine;
  opened: OpenedImages;
  taps: string[];
}): Promise<Record<string, string>> {
  const { embeddingKind, fileOf } = await loadEvaluation();
  const { model, weights, images } = source;
  const { dataset, loader, mean, std } = opened;
  const kinds = Object.fromEntries(
    taps.map((tap) => [tap, embeddingKind(model, tap, flags.embedding)]),
  );
  const several = taps.find((tap) => model.embeddingKinds(tap).length > 1);
  const { normalize } = images;
  return {
    format: 'pt',
    content: 'features',
    model: model.id,
    weights: basename(weights.path),
    weightsSha256: weights.sha256,
    precision: machine.precision,
    size: String(images.size),
    resize: String(images.resize),
    inputChannels: String(images.channels),
    normalize: typeof normalize === 'string' ? normalize : 'run',
    mean: JSON.stringify(mean),
    std: JSON.stringify(std),
    embedding: several === undefined ? 'spatial' : (kinds[several] ?? 'spatial'),
    embeddings: JSON.stringify(kinds),
    data: dataset.name,
    dataIdentity: dataset.identity,
    split: flags.split,
    files: JSON.stringify(loader.indices.map((index) => fileOf(dataset, index))),
    ...(flags.run === undefined ? {} : { checkpoint: flags.checkpoint }),
    ...labels(opened),
  };
}

/** Classes and labels of the images, where they have any. */
function labels({ dataset, loader }: OpenedImages): Record<string, string> {
  if (dataset.classes.length === 0) return {};
  return {
    classes: JSON.stringify(dataset.classes),
    labels: JSON.stringify(loader.indices.map((index) => dataset.samples[index]?.label)),
  };
}
