/** `carryover study run`: trains what is to do, takes the measures, writes the tables. */
import { type Command, Option } from 'commander';
import type {
  Execution,
  Executor,
  Plan,
  PlannedRun,
  PreparedStudy,
  RunMemory,
  RunOutcome,
} from '../../../study/index.ts';
import { startable, WorkError } from '../../../util/index.ts';
import { wholeNumber } from '../../numbers.ts';
import { type Output, outputOf } from '../../output.ts';
import { stopOnSignals } from '../../signals.ts';
import { describeWritten, showWritten, writeStudyReport } from '../../studyReport.ts';
import {
  describeOutcome,
  describeReport,
  describeRunning,
  describeSharing,
  showReport,
} from '../../studyText.ts';
import { loadFigures, loadStudies, prepare, type StudyOptions } from './prepare.ts';
import { newestPlan, Tables, writeTables } from './tables.ts';

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
    .addOption(
      new Option(
        '--executor <kind>',
        'where runs are carried out, instead of the study file’s',
      ).choices(['local', 'slurm']),
    )
    .addHelpText(
      'after',
      '\nFinished runs are left alone, failed ones are tried again, interrupted ones go on. Ctrl-C stops\n' +
        'at a step boundary; the same command goes on. Jobs on a cluster go on by themselves; carryover study\n' +
        'cancel cancels them.\n' +
        '\nExamples:\n  $ carryover study run studies/isic2019-mini.yaml\n' +
        '  $ carryover study run study.yaml --out /scratch/study --parallel 1 --threads 8\n' +
        '  $ carryover study run study.yaml --executor slurm',
    )
    .action((file: string, options: StudyOptions, command: Command) =>
      runStudy(file, options, outputOf(command)),
    );
}

export async function runStudy(file: string, options: StudyOptions, output: Output): Promise<void> {
  const studies = await loadStudies();
  const { execute, readStates, runTitle } = studies;
  const { describeTable1 } = await loadFigures();
  let kill = (): void => {};
  using stop = stopOnSignals(() => kill());
  const prepared = await prepare(file, options, output, stop.signal, { measuring: true });
  const { plan, notes } = prepared;
  for (const note of notes) output.note(`note: ${note}`);
  await studies.writeStudyFolder(prepared);

  const states = await readStates(plan.folder, plan.runs, { verify: true });
  const doneBefore = new Set(
    states.filter(({ status }) => status === 'done').map(({ run: { id } }) => id),
  );
  output.note(
    `${plan.name}: ${plan.runs.length} runs in ${plan.folder}, ${doneBefore.size} done before; ` +
      describeSharing(plan),
  );
  for (const run of await studies.deletedRuns(plan.folder, states)) {
    output.note(
      `note: ${runTitle(run)} (${run.id}) was finished and its folder is gone: done again`,
    );
  }
  const runMemory = new studies.RunMemory(states);
  const executor = await openExecutor(prepared, runMemory, output, stop.signal);
  const unregister = await studies.registerRunner(plan.folder);
  const onNewer = noteOnce(output, plan);
  const tables = new Tables(async () => writeTables(await newestPlan(plan, onNewer)));
  const execution = execute({
    folder: plan.folder,
    runs: plan.runs,
    states,
    executor,
    signal: stop.signal,
    onStart: (started) => output.note(`started  ${runTitle(started)}  (${started.id})`),
    onOutcome: (outcome) => {
      if (doneBefore.has(outcome.run.id)) return;
      if (outcome.kind === 'done') runMemory.learn(outcome.run, outcome.record);
      output.note(describeOutcome(outcome, runTitle(outcome.run)));
      tables.ask();
    },
    onNote: (text) => output.note(`note: ${text}`),
  });
  kill = execution.kill;
  stop.signal.addEventListener('abort', () => {
    if (prepared.study.executor.kind === 'local') {
      output.note('stopping at the next step boundary; once more to stop at once');
    }
  });
  const watching = watch(execution, plan, output, studies);
  let outcomes: RunOutcome[];
  try {
    outcomes = await execution.finished;
  } finally {
    watching.end();
    await tables.end();
    await unregister();
  }
  const failedAnalyses = [
    ...(await analyze(prepared, output, stop.signal)),
    ...(await takeFid(prepared, output, stop.signal)),
  ];
  const shown = await newestPlan(plan, onNewer);
  const result = await writeStudyReport(shown, output);
  showReport(describeTable1(result.table), result, output);
  showWritten(result, output);
  const failed = outcomes.filter(({ kind }) => kind !== 'done');
  output.document({
    ...describeReport(shown, result),
    ...describeWritten(result),
    stopped: stop.signal.aborted,
  });
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

/** What carries out the runs of this study. */
async function openExecutor(
  { study, plan }: PreparedStudy,
  runMemory: RunMemory,
  output: Output,
  signal: AbortSignal,
): Promise<Executor> {
  const { LocalExecutor, SlurmExecutor, visibleGpus } = await loadStudies();
  const main = startable('../../main', import.meta.url);
  const common = { folder: plan.folder, program: { args: [...main.execArgv, main.path] } };
  if (study.executor.kind === 'local') {
    const gpus = await visibleGpus();
    const memoryOf = (run: PlannedRun): number | undefined => runMemory.of(run);
    return new LocalExecutor({ ...common, gpus, memory: process.availableMemory(), memoryOf });
  }
  return await SlurmExecutor.open({
    ...common,
    title: plan.name,
    settings: study.executor,
    signal,
    onNote: (text) => output.note(text),
  });
}

/** Shows how far the runs are. */
function watch(
  execution: Execution,
  plan: Plan,
  output: Output,
  { countStates, estimateSeconds }: Awaited<ReturnType<typeof loadStudies>>,
): { end(): void } {
  const progress = output.progress(plan.name);
  const show = async (): Promise<void> => {
    const states = await execution.look();
    progress.update({
      done: countStates(states).done,
      total: plan.runs.length,
      text: describeRunning(states),
      remaining: estimateSeconds(states),
    });
  };
  let watching = false;
  const timer = setInterval(() => {
    if (watching) return;
    watching = true;
    show()
      // A file that is being replaced while it is read; the next look will do.
      .catch(() => {})
      .finally(() => {
        watching = false;
      });
  }, WATCH_MILLISECONDS);
  return {
    end() {
      clearInterval(timer);
      progress.end();
    },
  };
}

/** Says once that another `study run` has planned the study anew. */
function noteOnce(output: Output, plan: Plan): (newest: Plan) => void {
  let told = false;
  return (newest) => {
    if (told) return;
    told = true;
    output.note(
      `note: another study run has planned ${plan.name} anew, with ${newest.runs.length} runs; this one goes on ` +
        `with the ${plan.runs.length} that it began with, and the tables are those of the new plan`,
    );
  };
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

/** Takes the FIDs that the study asks for and that are not there. @returns what failed, in words. */
async function takeFid(
  { study, plan, facts }: PreparedStudy,
  output: Output,
  signal: AbortSignal,
): Promise<string[]> {
  if (!study.fid || signal.aborted) return [];
  const { dueFid, runFid } = await loadStudies();
  const jobs = await dueFid(study, plan.folder, facts);
  if (jobs.length === 0) return [];
  output.note(`${plan.name}: FID of ${jobs.length} pairs of data sets`);
  const main = startable('../../main', import.meta.url);
  const progress = output.progress('FID');
  const failed: string[] = [];
  let done = 0;
  await runFid(jobs, {
    folder: plan.folder,
    program: { args: [...main.execArgv, main.path] },
    device: plan.runs[0]?.config.training.device ?? 'auto',
    signal,
    onOutcome: ({ data, source }, { kind, reason }) => {
      done++;
      progress.update({ done, total: jobs.length });
      if (kind !== 'failed') return;
      failed.push(`FID of ${data} to ${source}: ${reason}`);
      output.note(`failed   FID of ${data} to ${source}: ${reason}`);
    },
  });
  progress.end();
  return failed;
}
