/** `carryover predict`: what a trained network says of images. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { DataSet, Splits } from '../../data/index.ts';
import type { Evaluation, OpenedImages, OpenedRun, Predictions } from '../../eval/index.ts';
import { writeFileWhole } from '../../util/index.ts';
import { oneOf } from '../choices.ts';
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

interface PredictFlags extends PictureFlags {
  run?: string;
  checkpoint: 'best' | 'initial';
  precision: 'run' | 'fp32' | 'bf16' | 'auto';
  out?: string;
}

const examples = `
The table has the columns file (relative to the data set), class (the predicted one; of several labels
those of at least one half, joined by |) and one for each class with its probability. Images are resized,
cropped and normalised as in the run. Labels of the data set, where it has the run's classes, are compared.
Of the run's own data set, --split takes the run's own splits.

Examples:
  $ carryover predict --run runs/first --data images:new --out predictions.csv
  $ carryover predict --run runs/first --data folder:pictures --split test --out test.csv`;

export function registerPredict(program: Command): void {
  const command = program
    .command('predict')
    .description('classify images with the network of a training run')
    .option('--run <folder>', 'the run, as carryover train --out or a study has left it')
    .option(
      '--checkpoint <which>',
      'best (by validation) or initial',
      oneOf('--checkpoint', ['best', 'initial']),
      'best',
    )
    .option('--data <kind:path>', 'the images, for example images:pictures or folder:pictures')
    .option(
      '--precision <format>',
      'fp32, bf16, auto, or run (as the run computed)',
      oneOf('--precision', ['run', 'fp32', 'bf16', 'auto']),
      'run',
    )
    .option('--out <file>', 'the CSV file to write');
  addPictureOptions(command)
    .addHelpText('after', examples)
    .action(async (flags: PredictFlags, self: Command) => {
      await predictTable(flags, outputOf(self));
    });
}

/** The heavy code, once it is needed. (TypeScript leaves `.ts` in an import() beside a `using`.) */
const loadData = () => import('../../data/index.ts');
const loadEvaluation = () => import('../../eval/index.ts');
const loadResults = () => import('../../results/index.ts');
const loadTraining = () => import('../../train/index.ts');
const loadTensors = () => import('../../tensor/index.ts');
const loadWeightFiles = () => import('../../weights/index.ts');

async function predictTable(flags: PredictFlags, output: Output): Promise<void> {
  const folder = resolve(required('predict', '--run', flags.run));
  const path = resolve(required('predict', '--out', flags.out));
  const named = await parseData('predict', flags);
  const { requireWritable } = await loadWeightFiles();
  await requireWritable(path);
  const { openRun } = await loadEvaluation();
  using stop = stopOnSignals();
  const run = await openRun(folder, flags.checkpoint);
  const { model, resolved, warnings } = run;
  const { mean, std } = run.data;
  try {
    for (const warning of warnings) output.warn(warning);
    const { resolveMachine } = await loadTraining();
    const precision = flags.precision === 'run' ? resolved.precision : flags.precision;
    const machine = resolveMachine({ ...flags, precision }, '--device');
    const { setThreadCount } = await loadTensors();
    setThreadCount(machine.threads);
    if (machine.device !== 'cpu') model.to({ device: machine.device });
    const opened = await openPictures({
      flags,
      request: {
        data: await ownEntry(named, flags, run.record.config.data),
        size: resolved.size,
        resize: resolved.resize,
        channels: model.inputChannels,
        normalize: { mean, std },
        splitsOf: runSplits(run, folder, flags, output),
      },
      output,
      signal: stop.signal,
    });
    const { dataset, loader } = opened;
    try {
      const { fileOf, formatPredictions, PredictionStopped, predict, predictionRows } =
        await loadEvaluation();
      const progress = output.progress('predicting');
      const predictions = await predict(model, loader, {
        device: machine.device,
        precision: machine.precision,
        onProgress: (done) => progress.update({ done, total: loader.indices.length }),
        stopRequested: () => stop.signal.aborted,
      }).catch((error: unknown) => {
        throw error instanceof PredictionStopped ? stopped(path) : error;
      });
      progress.end();
      const files = predictions.indices.map((index) => fileOf(dataset, index));
      const rows = predictionRows(predictions, run.data);
      await writeFileWhole(path, formatPredictions(files, rows, run.data.classes));
      const evaluation = await compare(run, opened, predictions, output);
      report({ path, run, flags, images: files.length, evaluation, opened, output });
    } finally {
      await loader.close();
    }
  } finally {
    model.dispose();
  }
}

/** The run's own splits for the run's own data; other data is split anew. */
function runSplits(
  { data }: OpenedRun,
  folder: string,
  { split, splitSeed }: PredictFlags,
  output: Output,
): (dataset: DataSet) => Promise<Splits> {
  return async (dataset) => {
    const { makeSplits, readSplits } = await loadData();
    if (dataset.identity !== data.identity) {
      output.warn(
        `${dataset.name} is not the data set that the run was trained on, or has other settings: ` +
          `its ${split} split is not the run's, and may hold images that were trained on`,
      );
      return makeSplits(dataset, { seed: splitSeed });
    }
    const { runPaths } = await loadResults();
    return readSplits(runPaths(folder).splits, dataset);
  };
}

/** Metrics, where the images have labels of the run's classes. */
async function compare(
  { data }: OpenedRun,
  { dataset }: OpenedImages,
  predictions: Predictions,
  output: Output,
): Promise<Evaluation | undefined> {
  const { task, metric, classes } = data;
  const { isLabelled } = await loadData();
  if (!isLabelled(dataset)) return undefined;
  // Grades and classes are labelled alike; the run's own task says how they are judged.
  const isLike = (dataset.task === 'multilabel') === (task === 'multilabel');
  if (!isLike || dataset.classes.join('\n') !== classes.join('\n')) {
    const list = JSON.stringify(classes);
    const isPart = isLike && dataset.classes.every((name) => classes.includes(name));
    output.warn(
      `no metrics: the run is ${task} with the classes ${list}, the data set ${dataset.task} with ` +
        JSON.stringify(dataset.classes) +
        (isPart ? `; --set 'classes=${list}' gives it the run's` : ''),
    );
    return undefined;
  }
  const { evaluate } = await loadEvaluation();
  return evaluate(predictions, { task, metric, classes });
}

function report({
  path,
  run,
  flags,
  images,
  evaluation,
  opened,
  output,
}: {
  path: string;
  run: OpenedRun;
  flags: PredictFlags;
  images: number;
  evaluation: Evaluation | undefined;
  opened: OpenedImages;
  output: Output;
}): void {
  const { record, data, warnings } = run;
  if (evaluation) {
    output.table({
      columns: ['metric', 'value'],
      rows: Object.entries(evaluation.metrics).map(([name, { value, reason }]) => [
        name,
        value === undefined ? `undefined: ${reason}` : value.toFixed(4),
      ]),
    });
  }
  output.line(`${images} images predicted by ${record.config.model} of run ${record.runId}`);
  output.line(`written to ${path}`);
  output.document({
    path,
    runId: record.runId,
    model: record.config.model,
    checkpoint: flags.checkpoint,
    classes: data.classes,
    images,
    skipped: opened.loader.skipped,
    warnings,
    ...(evaluation ? { evaluation } : {}),
  });
}
