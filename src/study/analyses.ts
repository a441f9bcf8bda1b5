/** The measures that a study asks for of its finished runs: what is to do, and doing it. */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import {
  analysisPaths,
  hasGlobalAttention,
  hasSettings,
  type MeasureName,
} from '../results/index.ts';
import { errorCode } from '../util/index.ts';
import { type CommandEnd, runCommand } from './command.ts';
import type { ChildProgram } from './executors/child.ts';
import type { Plan } from './plan.ts';
import { type PlannedRun, runTitle, studyPaths } from './run.ts';
import type { RunState } from './state.ts';
import { type AnalysisRequest, isSelected } from './study.ts';

/** Measures to take of one run by one process, which shares the passes among them. */
export interface AnalysisJob {
  run: PlannedRun;
  measures: MeasureName[];
  /** Their options, as `carryover analyze` takes them. */
  flags: string[];
  /** The other run of a pair. */
  against?: PlannedRun;
}

export type AnalysisOutcome = AnalysisJob & CommandEnd;

/** What a job is called in lines and errors. */
export function jobTitle({ run, measures, against }: AnalysisJob): string {
  const other = against ? ` against ${against.init.toUpperCase()}` : '';
  return `${measures.join(', ')} of ${runTitle(run)}${other}`;
}

/**
 * What is not there yet, or was taken with other options: the measures of the finished target runs that
 * each is asked for of, and CKA of WT against ST by seed.
 */
export async function dueAnalyses(
  plan: Plan,
  states: readonly RunState[],
  requests: readonly AnalysisRequest[],
): Promise<AnalysisJob[]> {
  const done = states
    .filter(({ status, run }) => status === 'done' && run.role === 'target')
    .map(({ run }) => run);
  const asked = (run: PlannedRun, request: AnalysisRequest): boolean =>
    isSelected(request, {
      ...run,
      partOf: plan.partOf?.[run.data],
      init: run.config.init,
    });
  const jobs: AnalysisJob[] = [];
  for (const run of done) {
    const wanted = requests.filter(
      (request) =>
        asked(run, request) && (request.measure !== 'attention' || hasGlobalAttention(run.model)),
    );
    const due = await filterAsync(wanted, (request) => isDue(plan, run, request));
    jobs.push(...groupByNetwork(due).map((group) => jobOf(run, group)));
  }
  const cka = requests.find(({ measure }) => measure === 'cka');
  if (cka) {
    const idOf = recordIds(states);
    for (const [run, against] of pairsOf(done.filter((run) => asked(run, cka)))) {
      if (await isDue(plan, run, cka, idOf(against))) jobs.push({ ...jobOf(run, [cka]), against });
    }
  }
  return jobs;
}

/**
 * The id that a run has in its own record, which names it in files of analyses. It differs from the plan's where
 * the study trains the source: the plan knows the source run, the record its checkpoint.
 */
export function recordIds(states: readonly RunState[]): (run: PlannedRun) => string {
  const ids = new Map(states.map(({ run, record }) => [run.id, record?.runId]));
  return ({ id }) => ids.get(id) ?? id;
}

/** Requests that one process can share its passes among: of the same network and number format. */
function groupByNetwork(requests: readonly AnalysisRequest[]): AnalysisRequest[][] {
  const groups = new Map<string, AnalysisRequest[]>();
  for (const request of requests) {
    const { checkpoint = 'best', precision = 'auto' } = request.options;
    const key = `${checkpoint} ${precision}`;
    groups.set(key, [...(groups.get(key) ?? []), request]);
  }
  return [...groups.values()];
}

function jobOf(run: PlannedRun, requests: readonly AnalysisRequest[]): AnalysisJob {
  const { device } = run.config.training;
  return {
    run,
    measures: requests.map(({ measure }) => measure),
    flags: [...new Map(requests.flatMap(({ options }) => Object.entries(options)))]
      .flatMap(([key, value]) => flagOf(key, value))
      .concat('--device', device),
  };
}

/** An option as `carryover analyze` takes it. */
function flagOf(key: string, value: unknown): string[] {
  if (key === 'probe') return value === true ? ['--probe'] : [];
  if (key === 'precision' && value === 'auto') return [];
  if (key === 'embeddings') return Array.isArray(value) ? ['--embedding', value.join(',')] : [];
  return [`--${key}`, String(value)];
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
  { run, measures, flags, against }: AnalysisJob,
  program: ChildProgram,
  signal: AbortSignal | undefined,
): Promise<CommandEnd> {
  const paths = studyPaths(plan.folder);
  const what = against
    ? ['cka', '--run', paths.run(run.id), '--against', paths.run(against.id)]
    : ['all', '--run', paths.run(run.id), '--only', measures.join(',')];
  // The study has figures of its own; a picture a run would cost seconds each.
  const args = ['analyze', ...what, ...flags, '--no-pictures'];
  return runCommand(program, args, paths.console(run.id), signal);
}

/** Whether an analysis is not there, cannot be read, or was taken with other options. */
async function isDue(
  plan: Plan,
  run: PlannedRun,
  { measure, options }: AnalysisRequest,
  against?: string,
): Promise<boolean> {
  const { json } = analysisPaths(studyPaths(plan.folder).run(run.id), measure, against);
  try {
    const { options: taken } = keptSchema.parse(JSON.parse(await readFile(json, 'utf8')));
    return !hasSettings({ measure, options: taken }, options);
  } catch (error) {
    const isMissing = errorCode(error) === 'ENOENT';
    const isDamaged = error instanceof SyntaxError || error instanceof z.ZodError;
    if (isMissing || isDamaged) return true;
    throw error;
  }
}

/** As much of an analysis as says whether it is the one that is asked for. */
const keptSchema = z.looseObject({ options: z.record(z.string(), z.unknown()).optional() });

async function filterAsync<T>(
  items: readonly T[],
  keep: (item: T) => Promise<boolean>,
): Promise<T[]> {
  const kept: T[] = [];
  for (const item of items) if (await keep(item)) kept.push(item);
  return kept;
}
