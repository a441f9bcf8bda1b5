/** The measures that a study asks for of its finished runs: what is to do, and doing it. */
import { spawn } from 'node:child_process';
import { access, open } from 'node:fs/promises';
import { analysisPaths, hasGlobalAttention, type MeasureName } from '../results/index.ts';
import type { ChildProgram } from './executors/child.ts';
import type { Plan } from './plan.ts';
import { type PlannedRun, runTitle, studyPaths } from './run.ts';
import type { RunState } from './state.ts';

/** Measures to take of one run by one process, which shares the passes among them. */
export interface AnalysisJob {
  run: PlannedRun;
  measures: MeasureName[];
  /** The other run of a pair. */
  against?: PlannedRun;
}

export type AnalysisOutcome = AnalysisJob & {
  kind: 'done' | 'failed' | 'stopped';
  reason?: string;
};

/** As much of the console as a failure keeps. */
const OUTPUT_BYTES = 2048;

/** What a job is called in lines and errors. */
export function jobTitle({ run, measures, against }: AnalysisJob): string {
  const other = against ? ` against ${against.init.toUpperCase()}` : '';
  return `${measures.join(', ')} of ${runTitle(run)}${other}`;
}

/** The finished target runs' measures that are not there yet, and CKA of WT against ST by seed. */
export async function dueAnalyses(
  plan: Plan,
  states: readonly RunState[],
  measures: readonly MeasureName[],
): Promise<AnalysisJob[]> {
  const done = states
    .filter(({ status, run }) => status === 'done' && run.role === 'target')
    .map(({ run }) => run);
  const jobs: AnalysisJob[] = [];
  for (const run of done) {
    const wanted = measures.filter(
      (measure) => measure !== 'attention' || hasGlobalAttention(run.model),
    );
    const missing = await filterAsync(wanted, (measure) => isMissing(plan, run, measure));
    if (missing.length > 0) jobs.push({ run, measures: missing });
  }
  if (measures.includes('cka')) {
    for (const [run, against] of pairsOf(done)) {
      if (await isMissing(plan, run, 'cka', against)) {
        jobs.push({ run, measures: ['cka'], against });
      }
    }
  }
  return jobs;
}

/** WT and ST of the same data set, model and seed. */
export function pairsOf(runs: readonly PlannedRun[]): [PlannedRun, PlannedRun][] {
  return runs
    .filter(({ init }) => init === 'wt')
    .flatMap((wt) => {
      const st = runs.find(
        (run) =>
          run.init === 'st' &&
          run.data === wt.data &&
          run.model === wt.model &&
          run.from === wt.from &&
          run.seed === wt.seed,
      );
      return st ? [[wt, st] as [PlannedRun, PlannedRun]] : [];
    });
}

export interface RunAnalysesOptions {
  program: ChildProgram;
  signal?: AbortSignal;
  onOutcome?: (outcome: AnalysisOutcome) => void;
}

/** Takes the measures one job after another; a failed one does not stop the others. */
export async function runAnalyses(
  plan: Plan,
  jobs: readonly AnalysisJob[],
  { program, signal, onOutcome }: RunAnalysesOptions,
): Promise<AnalysisOutcome[]> {
  const outcomes: AnalysisOutcome[] = [];
  for (const job of jobs) {
    if (signal?.aborted) break;
    const outcome = { ...job, ...(await runJob(plan, job, program, signal)) };
    outcomes.push(outcome);
    onOutcome?.(outcome);
  }
  return outcomes;
}

async function runJob(
  plan: Plan,
  { run, measures, against }: AnalysisJob,
  program: ChildProgram,
  signal: AbortSignal | undefined,
): Promise<{ kind: AnalysisOutcome['kind']; reason?: string }> {
  const paths = studyPaths(plan.folder);
  const args = against
    ? ['analyze', 'cka', '--run', paths.run(run.id), '--against', paths.run(against.id)]
    : ['analyze', 'all', '--run', paths.run(run.id), '--only', measures.join(',')];
  const console = await open(paths.console(run.id), 'a+');
  try {
    const { size: begin } = await console.stat();
    const child = spawn(process.execPath, [...program.args, ...args], {
      // Ctrl-C reaches it through this process alone; the channel's end makes it stop.
      detached: true,
      stdio: ['ignore', 'ignore', console.fd, 'ipc'],
    });
    const stop = (): void => {
      child.kill('SIGTERM');
    };
    signal?.addEventListener('abort', stop, { once: true });
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', resolve);
    });
    signal?.removeEventListener('abort', stop);
    if (code === 0) return { kind: 'done' };
    if (signal?.aborted) return { kind: 'stopped' };
    const { size } = await console.stat();
    const length = Math.min(OUTPUT_BYTES, Math.max(0, size - begin));
    const { buffer } = await console.read(Buffer.alloc(length), 0, length, size - length);
    const lines = buffer.toString('utf8').trim().split('\n');
    const told = lines.filter((line) => line.startsWith('error: ')).at(-1) ?? lines.at(-1);
    return { kind: 'failed', reason: told?.replace(/^error: /, '') || `exit code ${code}` };
  } finally {
    await console.close();
  }
}

async function isMissing(
  plan: Plan,
  run: PlannedRun,
  measure: MeasureName,
  against?: PlannedRun,
): Promise<boolean> {
  const { json } = analysisPaths(studyPaths(plan.folder).run(run.id), measure, against?.id);
  return access(json).then(
    () => false,
    () => true,
  );
}

async function filterAsync<T>(
  items: readonly T[],
  keep: (item: T) => Promise<boolean>,
): Promise<T[]> {
  const kept: T[] = [];
  for (const item of items) if (await keep(item)) kept.push(item);
  return kept;
}
