/** `carryover analyze`: what a finished run's networks are like, and how far two sets of images lie apart. */
import { existsSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Command } from 'commander';
import type {
  FidSide,
  Measure,
  MeasureOptions,
  Outcome,
  SubjectOptions,
} from '../../analysis/index.ts';
import type { EmbeddingKind } from '../../models/index.ts';
import type { AnalysisDocument } from '../../results/index.ts';
import { RequestError, readFault, writeJson } from '../../util/index.ts';
import { listOf, oneOf } from '../choices.ts';
import { wholeNumber } from '../numbers.ts';
import { type Output, outputOf } from '../output.ts';
import type { Progress } from '../progress.ts';
import { stopOnSignals } from '../signals.ts';

/** The heavy code, once it is needed. (TypeScript leaves `.ts` in an import() beside a `using`.) */
const loadAnalysis = () => import('../../analysis/index.ts');
type Analysis = typeof import('../../analysis/index.ts');
const loadTraining = () => import('../../train/index.ts');

/** Options that all measures of runs have. */
interface RunFlags {
  run: string;
  against?: string;
  checkpoint?: 'best' | 'initial';
  device?: string;
  precision?: 'fp32' | 'bf16';
  workers?: number;
  /** Whether figures are drawn, or kept as specifications alone. */
  pictures: boolean;
}

interface MeasureFlags extends RunFlags {
  k?: number;
  votes?: MeasureOptions['voteWeights'];
  temperature?: number;
  embedding?: EmbeddingKind[];
  probe?: boolean;
  batch?: number;
  estimator?: MeasureOptions['estimator'];
  bins?: number;
  only?: string;
}

interface FidFlags {
  source: string;
  target?: string;
  extractor: string;
  weights?: string;
  saveStats?: string;
  saveTargetStats?: string;
  out?: string;
  device: string;
  workers?: number;
  onBadImage: 'error' | 'skip';
}

const runMeasures: readonly { name: string; description: string; example: string }[] = [
  {
    name: 'knn',
    description: 'what the features of each tap say of the classes, by nearest neighbours',
    example: 'carryover analyze knn --run runs/first --probe',
  },
  {
    name: 'cka',
    description: 'how similar the representations at all pairs of taps are',
    example: 'carryover analyze cka --run runs/wt --against runs/st',
  },
  {
    name: 'l2',
    description: 'how far the weights of each tap are from where they began',
    example: 'carryover analyze l2 --run runs/first',
  },
  {
    name: 'reinit',
    description: 'the test metric with one tap put back to its initial state',
    example: 'carryover analyze reinit --run runs/first',
  },
  {
    name: 'attention',
    description: 'how far, in pixels, each head of a vision transformer looks',
    example: 'carryover analyze attention --run runs/deit --checkpoint initial',
  },
  {
    name: 'convergence',
    description: 'iterations to the best validation metric, and the curve that led there',
    example: 'carryover analyze convergence --run runs/wt --against runs/st',
  },
  {
    name: 'calibration',
    description: 'every class, the confusion matrix, and whether confidence is deserved',
    example: 'carryover analyze calibration --run runs/first --bins 10',
  },
  {
    name: 'all',
    description: 'all of these that the network has, from one pass over each split',
    example: 'carryover analyze all --run runs/first',
  },
];

/** Measures that look at one network whatever is asked for. */
const ofOneCheckpoint = new Set(['reinit', 'convergence']);

export function registerAnalyze(program: Command): void {
  const group = program
    .command('analyze')
    .description(
      'look into finished runs: features, weights, attention; and FID between image sets',
    )
    .addHelpText('after', '\nExample:\n  $ carryover analyze all --run runs/first');
  for (const { name, description, example } of runMeasures) {
    const command = group
      .command(name)
      .description(description)
      .requiredOption('--run <folder>', 'the run, finished')
      .addHelpText(
        'after',
        `\nWrites analysis/${name === 'all' ? '<measure>' : name}.json into the run’s folder, its figure beside it.\n\nExample:\n  $ ${example}`,
      );
    command
      .option('--against <folder>', 'another finished run of the same model, data and splits')
      .option(...checkpointOption('best or initial network (default best)'))
      .option('--device <name>', 'cpu, cuda, cuda:1; auto: a GPU where there is one', 'auto')
      .option(
        '--precision <format>',
        'fp32 or bf16 (default: fp32 at taps, the run’s own where the metric is judged)',
        oneOf('--precision', ['fp32', 'bf16']),
      )
      .option('--workers <count>', 'decoding threads', wholeNumber('--workers', 0))
      .option('--no-pictures', 'the figure as a specification alone, without SVG and PNG');
    addOwnOptions(command, name);
    if (name === 'all') {
      command.option('--only <names>', 'these measures, for example knn,cka');
    }
    command.action(async (flags: MeasureFlags, self: Command) => {
      await analyzeRun(name, flags, outputOf(self));
    });
  }
  registerFid(group);
}

function addOwnOptions(command: Command, name: string): void {
  if (name === 'knn' || name === 'all') {
    command
      .option('--k <count>', 'neighbours that vote (default 200)', wholeNumber('--k'))
      .option(
        '--votes <kind>',
        'exponential or uniform (default exponential)',
        oneOf('--votes', ['exponential', 'uniform']),
      )
      .option(
        '--temperature <number>',
        'of exponential votes (default 0.1)',
        positive('--temperature'),
      )
      .option(
        '--embedding <kinds>',
        'both, cls, spatial, behind a class token, for example cls,spatial (default: all)',
        listOf('--embedding', ['both', 'cls', 'spatial']),
      )
      .option('--probe', 'a linear probe beside k-NN');
  }
  if (name === 'cka' || name === 'all') {
    command
      .option('--batch <count>', 'images of a batch (default 128)', wholeNumber('--batch', 4))
      .option(
        '--estimator <kind>',
        'ratio-of-means or mean-of-ratios (default ratio-of-means)',
        oneOf('--estimator', ['ratio-of-means', 'mean-of-ratios']),
      );
  }
  if (name === 'calibration' || name === 'all') {
    command.option('--bins <count>', 'bins of confidence (default 15)', wholeNumber('--bins'));
  }
}

function registerFid(group: Command): void {
  group
    .command('fid')
    .description('the Fréchet Inception Distance between two sets of images')
    .requiredOption(
      '--source <set>',
      'a folder of images, kind:path, a .yaml file with a data set’s entry, or an .npz file of statistics',
    )
    .option('--target <set>', 'likewise; without it statistics are taken and saved')
    .requiredOption('--extractor <name>', 'fid-inception or torchvision')
    .option('--weights <file>', 'the extractor’s checkpoint')
    .option('--save-stats <file>', 'where the source’s statistics are kept (.npz)')
    .option('--save-target-stats <file>', 'where the target’s statistics are kept (.npz)')
    .option('--out <file>', 'where the result is written (.json)')
    .option('--device <name>', 'cpu, cuda, cuda:1; auto: a GPU where there is one', 'auto')
    .option('--workers <count>', 'decoding threads', wholeNumber('--workers', 0))
    .option(
      '--on-bad-image <what>',
      'error or skip',
      oneOf('--on-bad-image', ['error', 'skip']),
      'error',
    )
    .addHelpText(
      'after',
      '\nThe two extractors’ numbers cannot be compared with each other. Published FIDs are those of\n' +
        'fid-inception (pt_inception-2015-12-05-6726825d.pth of pytorch-fid).\n' +
        '\nExample:\n  $ carryover analyze fid --source imagenet/ --target csv:scans/labels.csv \\\n' +
        '      --extractor fid-inception --weights pt_inception-2015-12-05-6726825d.pth \\\n' +
        '      --save-stats imagenet.npz',
    )
    .action(async (flags: FidFlags, self: Command) => {
      await analyzeFid(flags, outputOf(self));
    });
}

async function analyzeRun(name: string, flags: MeasureFlags, output: Output): Promise<void> {
  const analysis = await loadAnalysis();
  const options = measureOptions(flags, analysis.defaultMeasureOptions);
  if (ofOneCheckpoint.has(name) && options.checkpoint === 'initial') {
    throw new RequestError({
      where: `carryover analyze ${name}: --checkpoint`,
      expected: 'best: this measure looks at what training made',
      got: 'initial',
    });
  }
  const folder = resolve(flags.run);
  const against = flags.against === undefined ? undefined : resolve(flags.against);
  using stop = stopOnSignals();
  const { device, workers } = await machineOf(flags);
  const report = progressOf(output);
  const settings: SubjectOptions = {
    device,
    workers,
    precision: flags.precision,
    signal: stop.signal,
    onImages: (done, total) => report('reading images', done, total),
  };
  const measures = await measuresOf(name, folder, flags, analysis);
  const documents: AnalysisDocument[] = [];
  for (const task of tasksOf(folder, against, measures)) {
    const subject = await analysis.Subject.open(task.folder, task.against, settings);
    try {
      const outcomes = await analysis.analyse(subject, task.measures, options, {
        onProgress: report,
      });
      output.endProgress();
      if (task.title) output.line(task.title);
      await present(task.folder, task.measures, outcomes, flags.pictures, output);
      documents.push(...outcomes.map(({ document }) => document));
    } finally {
      subject.dispose();
    }
  }
  output.document(documents.length === 1 ? documents[0] : { documents });
}

/** The measures that are asked for and that the network has. */
async function measuresOf(
  name: string,
  folder: string,
  { only, against }: MeasureFlags,
  analysis: Analysis,
): Promise<Measure[]> {
  const { hasGlobalAttention } = await import('../../results/index.ts');
  const run = await analysis.readFinishedRun(folder);
  if (against !== undefined) {
    analysis.requireComparable(run, await analysis.readFinishedRun(resolve(against)));
  }
  if (name !== 'all') return [analysis.measureOf(name)];
  const { model } = run.record.config;
  return wantedOf(only, analysis).filter(
    (measure) => measure.name !== 'attention' || hasGlobalAttention(model),
  );
}

/** Measures of one subject, which share their passes. */
interface Task {
  folder: string;
  against?: string;
  measures: Measure[];
  title?: string;
}

/** Of two runs: what compares them, and the other measures of each by itself. */
function tasksOf(folder: string, against: string | undefined, measures: Measure[]): Task[] {
  if (against === undefined) return [{ folder, measures }];
  const single = measures.filter(({ takesPair }) => !takesPair);
  return [
    { folder, against, measures: measures.filter(({ takesPair }) => takesPair) },
    { folder, measures: single, title: 'run:' },
    { folder: against, measures: single, title: 'against:' },
  ].filter((task) => task.measures.length > 0);
}

/** All measures, or those of a list. @throws RequestError for a name that is none. */
function wantedOf(only: string | undefined, { allMeasures, measureOf }: Analysis): Measure[] {
  if (only === undefined) return allMeasures();
  return [...new Set(only.split(',').map((name) => measureOf(name.trim())))];
}

/** Writes the documents and arrays, and shows them. */
async function present(
  folder: string,
  measures: readonly Measure[],
  outcomes: readonly Outcome[],
  pictures: boolean,
  output: Output,
): Promise<void> {
  const { analysisPaths, writeAnalysis } = await import('../../results/index.ts');
  const { writeSafetensors } = await import('../../weights/index.ts');
  const { writeAnalysisFigure } = await import('../../figures/index.ts');
  for (const [at, { document, arrays }] of outcomes.entries()) {
    const measure = measures[at];
    const paths = analysisPaths(folder, document.measure, document.against?.runId);
    if (arrays && arrays.size > 0) await writeSafetensors(paths.arrays, arrays);
    await writeAnalysis(folder, document);
    let figures: string[] = [];
    try {
      figures = await writeAnalysisFigure(folder, document, { pictures });
    } catch (error) {
      // The numbers are written; a picture is not worth the failure of the measure.
      const text = error instanceof Error ? error.message : String(error);
      output.warn(`the figure of ${document.measure} could not be drawn: ${text}`);
    }
    for (const text of document.warnings) output.warn(text);
    if (!measure) continue;
    if (at > 0) output.line();
    const { columns, rows, notes } = measure.table(document);
    output.table({ columns, rows });
    for (const note of notes) output.line(note);
    output.line(`written to ${paths.json}`);
    const picture = figures.at(-1);
    if (picture !== undefined && pictures) output.line(`figure: ${picture}, .svg, .vl.json`);
  }
}

function measureOptions(flags: MeasureFlags, defaults: MeasureOptions): MeasureOptions {
  return {
    ...defaults,
    checkpoint: flags.checkpoint ?? defaults.checkpoint,
    neighbours: flags.k ?? defaults.neighbours,
    voteWeights: flags.votes ?? defaults.voteWeights,
    temperature: flags.temperature ?? defaults.temperature,
    ...(flags.embedding ? { embeddings: flags.embedding } : {}),
    probe: flags.probe ?? false,
    batch: flags.batch ?? defaults.batch,
    estimator: flags.estimator ?? defaults.estimator,
    bins: flags.bins ?? defaults.bins,
  };
}

async function analyzeFid(flags: FidFlags, output: Output): Promise<void> {
  const { measureFid, parseExtractor } = await loadAnalysis();
  const extractor = parseExtractor(flags.extractor);
  using stop = stopOnSignals();
  const { device, workers } = await machineOf(flags);
  const target = flags.target === undefined ? undefined : await sideOf('--target', flags.target);
  if (!target && flags.saveStats === undefined) {
    throw new RequestError({
      where: 'carryover analyze fid',
      expected: '--target, or --save-stats to keep the statistics of the source alone',
      got: 'neither',
    });
  }
  const document = await measureFid({
    source: await sideOf('--source', flags.source),
    target,
    extractor,
    weights: flags.weights && resolve(flags.weights),
    saveSource: flags.saveStats && resolve(flags.saveStats),
    saveTarget: flags.saveTargetStats && resolve(flags.saveTargetStats),
    device,
    workers,
    onBadImage: flags.onBadImage,
    signal: stop.signal,
    onProgress: progressOf(output),
  });
  output.endProgress();
  for (const text of document.warnings) output.warn(text);
  if (flags.out !== undefined) await writeJson(resolve(flags.out), document);
  const { distance, meanTerm, covarianceTerm } = document;
  if (distance !== undefined) {
    output.table({
      columns: ['extractor', 'FID', 'of means', 'of covariances'],
      rows: [[extractor, distance.toFixed(4), meanTerm?.toFixed(4), covarianceTerm?.toFixed(4)]],
    });
  }
  if (flags.saveStats) output.line(`statistics of the source: ${resolve(flags.saveStats)}`);
  output.document(document);
}

/** A set of images as the user names it: statistics, `kind:path`, a folder, or a file with an entry. */
async function sideOf(option: string, text: string): Promise<FidSide> {
  if (text.toLowerCase().endsWith('.npz') && !text.includes(':')) {
    return { kind: 'statistics', path: resolve(text) };
  }
  const { parseDataArgument, parseDataSpec } = await import('../../data/index.ts');
  if (/\.(json|ya?ml)$/i.test(text) && !text.includes(':')) {
    const { parseYamlMap } = await import('../../results/index.ts');
    const entry = parseYamlMap(await readText(option, text), text);
    return {
      kind: 'images',
      spec: parseDataSpec(entry, { where: text, base: dirname(resolve(text)) }),
    };
  }
  const isFolder = existsSync(text) && statSync(text).isDirectory();
  const argument = isFolder ? `images:${text}` : text;
  return { kind: 'images', spec: parseDataArgument(argument, { where: option }) };
}

async function readText(option: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const got = readFault(error);
    throw new RequestError(
      { where: `${option} ${path}`, expected: 'a file with a data set’s entry', got },
      { cause: error },
    );
  }
}

/** Device and decoding threads, and LibTorch told of the threads that it may use. */
async function machineOf(flags: {
  device?: string;
  workers?: number;
}): Promise<{ device: string; workers: number }> {
  const { resolveMachine } = await loadTraining();
  const { trainingSchema } = await import('../../results/index.ts');
  const { availableCores, setThreadCount } = await import('../../tensor/index.ts');
  const { validate } = await import('../../results/index.ts');
  const training = validate(
    trainingSchema,
    { device: flags.device ?? 'auto' },
    { where: 'carryover analyze' },
  );
  const machine = resolveMachine(training);
  setThreadCount(machine.threads);
  return { device: machine.device, workers: flags.workers ?? Math.min(availableCores(), 8) };
}

function progressOf(output: Output): (text: string, done: number, total: number) => void {
  let label = '';
  let progress: Progress | undefined;
  return (text, done, total) => {
    if (!progress || label !== text) progress = output.progress(text);
    label = text;
    progress.update({ done, total });
  };
}

function checkpointOption(description: string) {
  const parse = oneOf('--checkpoint', ['best', 'initial']);
  return ['--checkpoint <name>', description, parse] as const;
}

/** A parser for an option that takes a number above 0. */
function positive(option: string): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== '' && Number.isFinite(value) && value > 0) return value;
    throw new RequestError({ where: option, expected: 'a number above 0', got: `"${text}"` });
  };
}
