/** `carryover study run`: trains what is to do, takes the measures, writes the tables. */
import type { Command } from 'commander';
import type { PreparedStudy, RunOutcome } from '../../../study/index.ts';
import { startable, WorkError } from '../../../util/index.ts';
import { wholeNumber } from '../../numbers.ts';
import { type Output, outputOf } from '../../output.ts';
import { stopOnSignals } from '../../signals.ts';
import {
  describeOutcome,
  describeReport,
  describeRunning,
  describeSharing,
  showReport,
} from '../../studyText.ts';
import { loadStudies, prepare, type StudyOptions } from './prepare.ts';

/** How often it looks at the runs that are going, in milliseconds. */
const WATCH_MILLISECONDS = 1000;

export function registerRun(study: Command): void {
  study
    .command('run')
    .description('train what is to do, each run a process of its own, then print the table')
    .argument('<study>', 'the study file (YAML)')
    .option('--out <folder>', "the study's folder (default: runs/<study>)")
    .option(
      '--parallel <n>',
      'runs at once, instead of the study file’s',
      wholeNumber('--parallel'),
    )
    .option(
      '--threads <n>',
      'threads of each run, instead of the study file’s',
      wholeNumber('--threads'),
    )
    .addHelpText(
      'after',
      '\nFinished runs are left alone, failed ones are tried again, interrupted ones go on. Ctrl-C stops\n' +
        'at a step boundary; the same command goes on.\n' +
        '\nExamples:\n  $ carryover study run studies/isic2019-mini.yaml\n' +
        '  $ carryover study run study.yaml --out /scratch/study --parallel 1 --threads 8',
    )
    .action((file: string, options: StudyOptions, command: Command) =>
      runStudy(file, options, outputOf(command)),
    );
}

export async function runStudy(file: string, options: StudyOptions, output: Output): Promise<void> {
  const {
    countStates,
    describeTable1,
    estimateSeconds,
    execute,
    readStates,
    runTitle,
    writeReport,
    writeStudyFolder,
  } = await loadStudies();
  let kill = (): void => {};
  using stop = stopOnSignals(() => kill());
  const prepared = await prepare(file, options, output, stop.signal);
  const { plan, notes } = prepared;
  for (const note of notes) output.note(`note: ${note}`);
  await writeStudyFolder(prepared);

  const before = await readStates(plan.folder, plan.runs);
  const doneBefore = new Set(
    before.filter(({ status }) => status === 'done').map(({ run: { id } }) => id),
  );
  output.note(
    `${plan.name}: ${plan.runs.length} runs in ${plan.folder}, ${doneBefore.size} done before; ` +
      describeSharing(plan),
  );
  const main = startable('../../main', import.meta.url);
  let written: Promise<unknown> = Promise.resolve();
  const execution = execute({
    folder: plan.folder,
    runs: plan.runs,
    program: { args: [...main.execArgv, main.path] },
    signal: stop.signal,
    onStart: (started) => output.note(`started  ${runTitle(started)}  (${started.id})`),
    onOutcome: (outcome) => {
      if (doneBefore.has(outcome.run.id)) return;
      output.note(describeOutcome(outcome, runTitle(outcome.run)));
      // The tables grow with every run, so that what is finished can be read at any time.
      written = written.then(() => writeReport(plan)).catch(() => {});
    },
  });
  kill = execution.kill;
  stop.signal.addEventListener('abort', () => {
    output.note('stopping at the next step boundary; once more to stop at once');
  });

  const progress = output.progress(plan.name);
  let watching = false;
  const watch = setInterval(() => {
    if (watching) return;
    watching = true;
    readStates(plan.folder, plan.runs)
      .then((states) => {
        progress.update({
          done: countStates(states).done,
          total: plan.runs.length,
          text: describeRunning(states),
          remaining: estimateSeconds(states),
        });
      })
      // A file that is being replaced while it is read; the next look will do.
      .catch(() => {})
      .finally(() => {
        watching = false;
      });
  }, WATCH_MILLISECONDS);
  let outcomes: RunOutcome[];
  try {
    outcomes = await execution.finished;
  } finally {
    clearInterval(watch);
    progress.end();
  }
  await written;
  const failedAnalyses = await analyze(prepared, output, stop.signal);
  const result = await writeReport(plan);
  showReport(plan, describeTable1(result.table), result.states, output);
  const failed = outcomes.filter(({ kind }) => kind !== 'done');
  output.document({ ...describeReport(plan, result), stopped: stop.signal.aborted });
  stop.signal.throwIfAborted();
  if (failed.length > 0) {
    throw new WorkError({
      where: `study ${plan.name}`,
      expected: `${plan.runs.length} finished runs`,
      got: `${outcomes.length - failed.length}`,
      hint: 'carryover study status shows the errors; the same command tries again',
    });
  }
  const [first] = failedAnalyses;
  if (first) {
    throw new WorkError({
      where: `study ${plan.name}`,
      expected: 'the analyses of all finished runs',
      got: `${failedAnalyses.length} failed: ${first}`,
      hint: 'the same command tries again',
    });
  }
}

/** Takes the measures that the study asks for and that are not there. @returns what failed, in words. */
async function analyze(
  { study, plan }: PreparedStudy,
  output: Output,
  signal: AbortSignal,
): Promise<string[]> {
  if (study.analyses.length === 0 || signal.aborted) return [];
  const { dueAnalyses, jobTitle, readStates, runAnalyses } = await loadStudies();
  const states = await readStates(plan.folder, plan.runs);
  const jobs = await dueAnalyses(plan, states, study.analyses);
  if (jobs.length === 0) return [];
  output.note(`${plan.name}: analyses of ${jobs.length} runs and pairs`);
  const main = startable('../../main', import.meta.url);
  const progress = output.progress('analyses');
  let done = 0;
  const outcomes = await runAnalyses(plan, jobs, {
    program: { args: [...main.execArgv, main.path] },
    signal,
    onOutcome: (outcome) => {
      done++;
      progress.update({ done, total: jobs.length });
      if (outcome.kind === 'failed')
        output.note(`failed   ${jobTitle(outcome)}: ${outcome.reason}`);
    },
  });
  progress.end();
  return outcomes.flatMap((outcome) =>
    outcome.kind === 'failed' ? [`${jobTitle(outcome)}: ${outcome.reason}`] : [],
  );
}
