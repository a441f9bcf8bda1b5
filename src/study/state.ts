/** What has become of each run of a study, read from its files. */
import { readdir, readFile, rm } from 'node:fs/promises';
import { z } from 'zod';
import { isAlive, type RunRecord, readRunRecord } from '../results/index.ts';
import { CarryoverError, errorCode, mapBounded, WorkError, writeJson } from '../util/index.ts';
import { damageOf } from './damage.ts';
import { isLocked } from './locks.ts';
import { type PlannedRun, studyPaths } from './run.ts';

/**
 * `waiting`: not begun. `running`: a living process trains it. `interrupted`: begun, stopped or killed,
 * to be continued. `failed`: ended with an error, to be tried again by the next `study run`.
 */
export type RunStatus = 'done' | 'running' | 'failed' | 'interrupted' | 'waiting';

export interface RunState {
  run: PlannedRun;
  status: RunStatus;
  record?: RunRecord;
  /** Why a run failed, or what it waits for. */
  reason?: string;
  /** When it failed, in milliseconds since 1970. */
  failedAt?: number;
  /** What is wrong with its files: the next `study run` puts them aside and does the run again. */
  damage?: string;
}

const failureSchema = z.strictObject({
  /** ISO time. */
  at: z.string(),
  message: z.string(),
  exitCode: z.int().optional(),
  signal: z.string().optional(),
  /** The last lines that the run printed. */
  output: z.string(),
});

/** Why a run's process ended before its time; kept until the run is tried again. */
export type Failure = z.output<typeof failureSchema>;

export async function writeFailure(folder: string, id: string, failure: Failure): Promise<void> {
  await writeJson(studyPaths(folder).failure(id), failure);
}

export async function clearFailure(folder: string, id: string): Promise<void> {
  await rm(studyPaths(folder).failure(id), { force: true });
}

export async function readFailure(folder: string, id: string): Promise<Failure | undefined> {
  try {
    const text = await readFile(studyPaths(folder).failure(id), 'utf8');
    return failureSchema.parse(JSON.parse(text));
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw new WorkError(
      {
        where: studyPaths(folder).failure(id),
        expected: 'a note of why a run failed',
        got: 'something else',
        hint: 'remove the file',
      },
      { cause: error },
    );
  }
}

export interface StateOptions {
  /** For the runner that holds the run's lock itself. */
  ignoreLock?: boolean;
  /** Whether to look at the checkpoint of a finished run too. */
  verify?: boolean;
}

/** A run whose files are damaged, as one that waits to be done. */
function damaged(run: PlannedRun, damage: string): RunState {
  return { run, status: 'waiting', reason: `damaged, to be done again: ${damage}`, damage };
}

/** The state of one run. One with a run.json that cannot be read is `waiting`, with its damage. */
export async function readRunState(
  folder: string,
  run: PlannedRun,
  { ignoreLock = false, verify = false }: StateOptions = {},
): Promise<RunState> {
  let record: RunRecord | undefined;
  try {
    record = await readRunRecord(studyPaths(folder).run(run.id));
  } catch (error) {
    if (!(error instanceof CarryoverError)) throw error;
    // Its process may have the run in hand all the same, and write the record anew.
    if (!ignoreLock && (await isLocked(folder, run.id))) return { run, status: 'running' };
    return damaged(run, error.message);
  }
  const damage = verify && record ? await damageOf(folder, run, record) : undefined;
  if (damage !== undefined) return damaged(run, damage);
  if (record?.status === 'finished') return { run, status: 'done', record };
  if (record && isAlive(record)) return { run, status: 'running', record };
  const failure = await readFailure(folder, run.id);
  if (failure) {
    return {
      run,
      status: 'failed',
      record,
      reason: failure.message,
      failedAt: Date.parse(failure.at),
    };
  }
  // Locked by a runner, but its process has not said so in run.json yet.
  if (!ignoreLock && (await isLocked(folder, run.id))) return { run, status: 'running', record };
  if (record?.status === 'failed') {
    return {
      run,
      status: 'failed',
      record,
      reason: record.error?.message ?? 'no reason given',
      failedAt: Date.parse(record.heartbeat),
    };
  }
  if (record) return { run, status: 'interrupted', record };
  return { run, status: 'waiting' };
}

/** As many files are open at once. */
const AT_ONCE = 64;

/** The states of all runs, in the plan's order; a waiting run says if its source run failed. */
export async function readStates(
  folder: string,
  runs: readonly PlannedRun[],
  options: StateOptions = {},
): Promise<RunState[]> {
  const present = new Set(await readdir(folder).catch(() => []));
  const states = await mapBounded(runs, AT_ONCE, async (run): Promise<RunState> => {
    if (!present.has(run.id)) return { run, status: 'waiting' };
    return readRunState(folder, run, options);
  });
  const byId = new Map(states.map((state) => [state.run.id, state]));
  return states.map((state) => {
    const source = state.run.source === undefined ? undefined : byId.get(state.run.source);
    if (state.status !== 'waiting' || state.damage !== undefined) return state;
    if (!source || source.status === 'done') return state;
    const reason =
      source.status === 'failed' ? `its source run ${source.run.id} failed` : 'its source run';
    return { ...state, reason };
  });
}
