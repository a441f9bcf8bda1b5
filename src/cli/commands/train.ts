/** `carryover train`: one network, trained, evaluated and tested. */
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Command } from 'commander';
import type { RunRecord, RunResult } from '../../results/index.ts';
import type { TrainEvent } from '../../train/index.ts';
import { RequestError, readFault } from '../../util/index.ts';
import { numberOrText } from '../numbers.ts';
import { type Output, outputOf } from '../output.ts';
import type { Progress } from '../progress.ts';
import { stopOnSignals } from '../signals.ts';

interface TrainFlags {
  data?: string;
  model?: string;
  init?: string;
  weights?: string;
  seed?: string;
  norm?: string;
  tokens?: string;
  kaiming?: boolean;
  firstConv?: string;
  inputChannels?: string;
  splits?: string;
  fraction?: string;
  nTrain?: string;
  cache: boolean;
  config?: string;
  out: string;
  set: string[];
}

const examples = `
Examples:
  $ carryover train --data isic2019:data/isic2019 --model resnet50 --init wt \\
      --weights resnet50-0676ba61.pth --seed 0 --out runs/isic-wt-0
  $ carryover train --data folder:pictures --model deit_micro --init ri --out runs/first \\
      --set training.maxEpochs=20 --set training.batchSize=32
  $ carryover train --data folder:pictures --model resnet50 --init wt-st-5 \
      --weights resnet50-0676ba61.pth --out runs/first-five-modules

The same command goes on with a run that was stopped, and does nothing where it is finished.`;

/** The heavy code, once it is needed. (TypeScript leaves `.ts` in an import() beside a `using`.) */
const loadTraining = () => import('../../train/index.ts');

export function registerTrain(program: Command): void {
  program
    .command('train')
    .description('train one network on one data set, from pretrained or random weights')
    .option('--data <kind:path>', 'the data set, for example folder:pictures')
    .option('--model <id>', 'the network, for example resnet50 or deit_small')
    .option(
      '--init <scheme>',
      'wt: pretrained weights, st: their statistics, ri: random, wt-st-<n>: wt in n modules, then st; ' +
        '{wt_st: <share>}: the same by share',
    )
    .option('--weights <file>', 'the checkpoint that all but ri read (.safetensors, .pth)')
    .option('--norm <how>', 'norms under stats transfer: reset (default) or sample')
    .option('--tokens <how>', 'tokens and position embeddings under it: sample (default) or keep')
    .option('--kaiming', 'Kaiming initialisation of every layer under ri')
    .option('--input-channels <number>', '1: the network sees luminance alone (default 3)')
    .option(
      '--first-conv <how>',
      'a pretrained first convolution for one channel: sum (default) or slice',
    )
    .option('--seed <number>', 'seed of initialisation, order and augmentation (default 0)')
    .option('--splits <file>', 'CSV file that says which sample is in which split')
    .option('--fraction <share>', 'train on this share of the training split, for example 0.1')
    .option('--n-train <number>', 'train on so many samples of the training split')
    .option('--no-cache', 'decode images anew in every epoch instead of keeping them resized')
    .option('--config <file>', 'YAML file with the whole configuration; options come on top')
    .option(
      '--set <key=value>',
      'a setting, for example training.maxEpochs=20; repeatable',
      collect,
      [],
    )
    .requiredOption('--out <folder>', 'where the run is written')
    .addHelpText('after', examples)
    .action(async (flags: TrainFlags, command: Command) => {
      await train(flags, outputOf(command));
    });
}

async function train(flags: TrainFlags, output: Output): Promise<void> {
  // The working folder is what an empty variable of a shell would come to.
  if (flags.out.trim() === '') {
    throw new RequestError({ where: '--out', expected: 'a folder', got: 'nothing' });
  }
  const { applySettings, parseRunConfig, trainRun } = await loadTraining();
  const { raw, where, base } = await readConfig(flags);
  const config = parseRunConfig(applySettings(raw, flags.set), { where, base });
  const folder = resolve(flags.out);
  using stop = stopOnSignals();
  const outcome = await trainRun(config, folder, {
    signal: stop.signal,
    onEvent: reporter(output),
  });
  output.endProgress();
  const { status, record } = outcome;
  output.document(record ?? {});
  if (outcome.status === 'stopped') {
    const at = record
      ? `at iteration ${record.progress.iteration} of ${record.progress.maxIterations}`
      : 'before the run began';
    output.note(`stopped ${at}; the same command goes on from there`);
    process.exitCode = 1;
    return;
  }
  if (status === 'alreadyFinished') output.note(`${folder}: this run is finished; nothing to do`);
  const { result } = outcome.record;
  if (result) report(outcome.record, result, folder, output);
}

/** The configuration as the user gave it: the file, with the options on top. */
async function readConfig(
  flags: TrainFlags,
): Promise<{ raw: Record<string, unknown>; where: string; base: string }> {
  const { parseDataArgument, parseDataSpec } = await import('../../data/index.ts');
  const fromFile = flags.config === undefined ? {} : await readConfigFile(flags.config);
  const base = flags.config === undefined ? process.cwd() : dirname(resolve(flags.config));
  const raw: Record<string, unknown> = { ...fromFile };
  if (flags.data !== undefined) raw.data = parseDataArgument(flags.data);
  if (flags.model !== undefined) raw.model = flags.model;
  if (flags.init !== undefined) raw.init = await initOf(flags.init);
  if (flags.weights !== undefined) raw.weights = resolve(flags.weights);
  if (flags.splits !== undefined) raw.splitsFile = resolve(flags.splits);
  setOptions(raw, flags);
  if (flags.seed !== undefined) raw.seed = wholeNumber('--seed', flags.seed);
  for (const [key, option] of [
    ['data', '--data'],
    ['model', '--model'],
    ['init', '--init'],
  ] as const) {
    if (raw[key] !== undefined) continue;
    throw new RequestError({
      where: 'carryover train',
      expected: `${option}${flags.config === undefined ? '' : `, or "${key}" in ${flags.config}`}`,
      got: 'none',
      hint: 'see carryover train --help',
    });
  }
  const where = flags.config ?? 'carryover train';
  if (flags.fraction !== undefined || flags.nTrain !== undefined) {
    const entry = parseDataSpec(raw.data, { where: `${where}: data`, base });
    raw.data = withSubset(entry, flags);
  }
  return { raw, where, base };
}

/** A data set's entry with the part of the training split that the options ask for. */
function withSubset(entry: object, { fraction, nTrain }: TrainFlags): Record<string, unknown> {
  const kept = Object.entries(entry).filter(
    ([key]) => !['fraction', 'nTrain', 'n_train'].includes(key),
  );
  return {
    ...Object.fromEntries(kept),
    ...(fraction === undefined ? {} : { fraction: numberOrText(fraction) }),
    ...(nTrain === undefined ? {} : { nTrain: wholeNumber('--n-train', nTrain) }),
  };
}

/** A word, or a share of the modules in YAML: `{wt_st: 0.5}`. */
async function initOf(text: string): Promise<unknown> {
  if (!text.trimStart().startsWith('{')) return text;
  const { parseYamlMap } = await import('../../results/index.ts');
  return parseYamlMap(text, '--init');
}

/** The options that stand inside `initOptions` and `training`; the schema checks their values. */
function setOptions(raw: Record<string, unknown>, flags: TrainFlags): void {
  const { norm, tokens, kaiming, firstConv, inputChannels } = flags;
  const given = (options: Record<string, unknown>): Record<string, unknown> =>
    Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const into = (key: string, options: Record<string, unknown>): void => {
    if (Object.keys(options).length === 0) return;
    const before = raw[key];
    raw[key] = { ...(typeof before === 'object' ? before : {}), ...options };
  };
  into('initOptions', given({ norm, tokens, kaiming, firstConv }));
  const channels =
    inputChannels === undefined ? undefined : wholeNumber('--input-channels', inputChannels);
  into('training', given({ inputChannels: channels, cache: flags.cache ? undefined : false }));
}

async function readConfigFile(path: string): Promise<Record<string, unknown>> {
  const { parseYamlMap } = await import('../../results/index.ts');
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new RequestError(
      {
        where: `--config ${path}`,
        expected: 'a file that can be read',
        got: readFault(error),
        hint: 'check the path',
      },
      { cause: error },
    );
  }
  return parseYamlMap(text, path);
}

function wholeNumber(option: string, text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new RequestError({ where: option, expected: 'a whole number from 0', got: `"${text}"` });
}

function collect(value: string, before: string[]): string[] {
  return [...before, value];
}

/** Shows what a run tells: one bar for reading images, one for training, notes in between. */
function reporter(output: Output): (event: TrainEvent) => void {
  let label = '';
  let progress: Progress | undefined;
  const bar = (wanted: string): Progress => {
    if (!progress || label !== wanted) progress = output.progress(wanted);
    label = wanted;
    return progress;
  };
  return (event) => show(event, output, bar);
}

function show(event: TrainEvent, output: Output, bar: (label: string) => Progress): void {
  switch (event.kind) {
    case 'phase':
      output.note(event.text);
      return;
    case 'warning':
      output.warn(event.text);
      return;
    case 'images':
      bar('reading images').update({ done: event.done, total: event.total });
      return;
    case 'step': {
      const loss = event.loss === undefined ? [] : [`loss ${event.loss.toFixed(4)}`];
      const best = event.best === undefined ? [] : [`best ${event.best.toFixed(4)}`];
      const text = [...loss, ...best].join(', ');
      bar('training').update({ done: event.iteration, total: event.maxIterations, text });
      return;
    }
    case 'log':
      if (event.line.kind === 'evaluation') {
        const { iteration, metric, value, reason, best, schedule } = event.line;
        const shown = value === undefined ? `undefined (${reason})` : value.toFixed(4);
        const notes = [
          ...(best ? ['best so far'] : []),
          ...(schedule === 'continue' ? [] : [schedule]),
        ];
        const suffix = notes.length > 0 ? ` (${notes.join(', ')})` : '';
        output.note(`iteration ${iteration}: validation ${metric} ${shown}${suffix}`);
      }
      return;
    case 'saved':
      return;
  }
}

function report(record: RunRecord, result: RunResult, folder: string, output: Output): void {
  const names = Object.keys(result.test.metrics);
  output.table({
    columns: ['metric', 'validation', 'test'],
    rows: names.map((name) => [
      name === result.test.metric ? `${name} *` : name,
      shown(result.validation.metrics[name]),
      shown(result.test.metrics[name]),
    ]),
  });
  output.line(
    `* chooses the checkpoint: best at iteration ${result.iterationsToBest} of ${result.iterations}`,
  );
  const { resolved } = record;
  output.line(
    `${result.imagesPerSecond.toFixed(1)} images/s in ${resolved?.precision} on ${resolved?.device}, ` +
      `${resolved?.threads} threads, ${Math.round(result.wallSeconds)} s`,
  );
  output.line(`written to ${folder}`);
}

function shown(metric: { value?: number; reason?: string } | undefined): string {
  return metric?.value === undefined ? `undefined: ${metric?.reason}` : metric.value.toFixed(4);
}
