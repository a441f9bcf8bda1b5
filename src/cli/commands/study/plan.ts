/** `carryover study plan`. */
import type { Command } from 'commander';
import type { PreparedStudy, RunState, StudyEstimate } from '../../../study/index.ts';
import { startable } from '../../../util/index.ts';
import { type Output, outputOf } from '../../output.ts';
import { formatDuration } from '../../progress.ts';
import { stopOnSignals } from '../../signals.ts';
import { describeState, showStates } from '../../studyText.ts';
import { loadStudies, prepare, type StudyOptions } from './prepare.ts';

interface PlanOptions extends StudyOptions {
  print?: boolean;
  probe: boolean;
}

export function registerPlan(study: Command): void {
  study
    .command('plan')
    .description('list the runs of a study, which are done, and what time and disk the rest takes')
    .argument('<study>', 'the study file (YAML)')
    .option('--out <folder>', "the study's folder (default: runs/<study>)")
    .option(
      '--print',
      'print the study with every default written out instead; a study file itself',
    )
    .option(
      '--no-probe',
      'measure no speed: time is estimated from finished runs and speeds measured before',
    )
    .addHelpText(
      'after',
      '\nTrains nothing and writes nothing into the study’s folder. The speed of each model is measured by a\n' +
        'few real training steps, once for a machine and its settings.\n' +
        '\nExamples:\n  $ carryover study plan studies/isic2019-mini.yaml\n' +
        '  $ carryover study plan studies/isic2019-mini.yaml --print > resolved.yaml',
    )
    .action((file: string, options: PlanOptions, command: Command) =>
      options.print ? printStudy(file, outputOf(command)) : plan(file, options, outputOf(command)),
    );
}

/** Reads the study file, and no data. */
async function printStudy(file: string, output: Output): Promise<void> {
  const { describeStudy, formatStudy, readStudy } = await loadStudies();
  const study = await readStudy(file);
  if (!output.json) process.stdout.write(formatStudy(study));
  output.document(describeStudy(study));
}

async function plan(file: string, options: PlanOptions, output: Output): Promise<void> {
  using stop = stopOnSignals();
  const { countStates, formatBytes, initLabel, readStates } = await loadStudies();
  const prepared = await prepare(file, options, output, stop.signal);
  const { plan, notes } = prepared;
  const states = await readStates(plan.folder, plan.runs);
  for (const note of notes) output.note(`note: ${note}`);
  const estimate = await estimateOf(prepared, states, options, output, stop.signal);
  showStates(states, output, initLabel);
  const counts = countStates(states);
  output.line(`${plan.runs.length} runs, ${counts.done} done, in ${plan.folder}`);
  for (const line of describeEstimate(estimate, options.probe, formatBytes)) output.line(line);
  const { runs, ...totals } = estimate;
  const byId = new Map(runs.map((one) => [one.run.id, one]));
  output.document({
    study: plan.name,
    folder: plan.folder,
    counts,
    estimate: totals,
    runs: states.map((state) => {
      const { seconds, bytes, from } = byId.get(state.run.id) ?? {};
      const estimated = from ? { estimate: { seconds, bytes, from } } : {};
      return { ...describeState(state), ...estimated, config: state.run.config };
    }),
  });
}

/** The estimate of what is to do, speeds measured first where that is wanted. */
async function estimateOf(
  { facts }: PreparedStudy,
  states: readonly RunState[],
  { probe }: PlanOptions,
  output: Output,
  signal: AbortSignal,
): Promise<StudyEstimate> {
  const { estimateStudy, probeSpeeds } = await loadStudies();
  const { defaultCacheFolder } = await import('../../../data/index.ts');
  const { describeModel } = await import('../../../models/index.ts');
  const todo = states.filter(({ status }) => status !== 'done').map(({ run }) => run);
  const main = startable('../../main', import.meta.url);
  const progress = output.progress('measuring speed');
  const speedOf = await probeSpeeds(todo, {
    measure: probe,
    program: { args: [...main.execArgv, main.path] },
    cacheFolder: defaultCacheFolder(),
    countsOf: (data) => facts.get(data)?.counts,
    signal,
    onProbe: ({ model }, done, total) => progress.update({ done, total, text: model }),
    onFailure: ({ model }, reason) => output.warn(`the speed of ${model} is not known: ${reason}`),
  }).finally(() => progress.end());
  return estimateStudy(states, {
    speedOf,
    parametersOf: (model) => describeModel(model).parameters,
    dataOf: (name) => facts.get(name),
  });
}

function describeEstimate(
  { seconds, bytes, cacheBytes, unknown, assumptions, runs }: StudyEstimate,
  probed: boolean,
  formatBytes: (bytes: number) => string,
): string[] {
  if (runs.length === 0) return [];
  const time = seconds
    ? `about ${formatLong(seconds.typical)}, at most ${formatLong(seconds.most)}`
    : `not known of ${unknown} runs${probed ? '' : ' (without --no-probe their speed is measured)'}`;
  const disk = bytes === undefined ? 'not known' : `about ${formatBytes(bytes)}`;
  return [
    `time to go: ${time}`,
    `disk: ${disk}; resized images in the cache: up to ${formatBytes(cacheBytes)}`,
    ...(seconds ? assumptions.map((text) => `  ${text}`) : []),
  ];
}

const HOURS_OF_A_DAY = 24;

/** Days where it is more than two of them. */
function formatLong(seconds: number): string {
  const days = seconds / 3600 / HOURS_OF_A_DAY;
  return days > 2 ? `${days.toFixed(days < 10 ? 1 : 0)} days` : formatDuration(seconds);
}
