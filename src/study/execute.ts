/**
 * Runs what is to do of a plan on this machine: each run a child process, a bounded number at once.
 * Finished runs are left alone, a failed one never stops the others, and several runners may work on
 * one folder: a run's lock, and the owner named in its run.json, keep it to one process.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { isAlive, type RunRecord } from '../results/index.ts';
import { type Child, type ChildExit, type ChildProgram, startChild } from './child.ts';
import { lockRun, type RunLock } from './locks.ts';
import type { PlannedRun } from './run.ts';
import { clearFailure, type RunState, readRunState, writeFailure } from './state.ts';

export type RunOutcome =
  | { kind: 'done'; run: PlannedRun; record?: RunRecord }
  | { kind: 'failed'; run: PlannedRun; reason: string }
  /** Stopped at a step boundary; goes on with the next `study run`. */
  | { kind: 'stopped'; run: PlannedRun }
  /** Its source run did not end well. */
  | { kind: 'blocked'; run: PlannedRun; reason: string };

export interface ExecuteOptions {
  folder: string;
  runs: readonly PlannedRun[];
  program: ChildProgram;
  /** When aborted, no run is started and those going are asked to stop. */
  signal?: AbortSignal;
  onStart?: (run: PlannedRun) => void;
  /** Once for every run that this call saw the end of; finished ones from before among them. */
  onOutcome?: (outcome: RunOutcome) => void;
  /** How often to look at runs that another runner works on. */
  pollMilliseconds?: number;
}

interface Active {
  child: Child;
  ended: Promise<void>;
}

/** Runs to do at most at once, as shares of the machine that sum to 1; a little slack for rounding. */
const WHOLE_MACHINE = 1 + 1e-9;

class Runner {
  readonly #options: ExecuteOptions;
  readonly #startedAt = Date.now();
  readonly #outcomes = new Map<string, RunOutcome>();
  readonly #active = new Map<string, Active>();

  constructor(options: ExecuteOptions) {
    this.#options = options;
  }

  async work(): Promise<RunOutcome[]> {
    const { runs, signal, pollMilliseconds = 1000 } = this.#options;
    const aborted = new Promise<void>((resolve) => {
      if (signal?.aborted) resolve();
      else signal?.addEventListener('abort', () => resolve(), { once: true });
    });
    while (!signal?.aborted) {
      for (const run of runs) {
        if (signal?.aborted) break;
        if (!this.#outcomes.has(run.id) && !this.#active.has(run.id)) await this.#consider(run);
      }
      if (runs.every((run) => this.#outcomes.has(run.id))) break;
      const pause = new AbortController();
      const ends = [...this.#active.values()].map(({ ended }) => ended);
      const poll = delay(pollMilliseconds, undefined, { signal: pause.signal }).catch(() => {});
      await Promise.race([...ends, poll, aborted]);
      pause.abort();
    }
    // Only after an abort is anything still going here.
    for (const { child } of this.#active.values()) child.kill('SIGTERM');
    await Promise.all([...this.#active.values()].map(({ ended }) => ended));
    return runs.flatMap((run) => this.#outcomes.get(run.id) ?? []);
  }

  /** Kills every child at once. */
  kill(): void {
    for (const { child } of this.#active.values()) child.kill('SIGKILL');
  }

  #settle(outcome: RunOutcome): void {
    this.#outcomes.set(outcome.run.id, outcome);
    this.#options.onOutcome?.(outcome);
  }

  /** Starts a run if it is its turn, or notes what has become of it. */
  async #consider(run: PlannedRun): Promise<void> {
    const state = await readRunState(this.#options.folder, run);
    if (this.#settleFromState(state) || state.status === 'running') return;
    if (run.source !== undefined) {
      const source = this.#outcomes.get(run.source);
      if (source && source.kind !== 'done') {
        const reason = `its source run ${run.source} ${source.kind === 'failed' ? 'failed' : 'did not end'}`;
        this.#settle({ kind: 'blocked', run, reason });
      }
      if (source?.kind !== 'done') return;
    }
    const load = [...this.#active.keys()].reduce((sum, id) => sum + this.#share(id), 0);
    if (load + 1 / run.parallel > WHOLE_MACHINE) return;
    await this.#start(run);
  }

  #share(id: string): number {
    const run = this.#options.runs.find((candidate) => candidate.id === id);
    return run ? 1 / run.parallel : 0;
  }

  /** Whether the state on disk is an end that this call accepts: done, or failed since it began. */
  #settleFromState({ run, status, record, reason, failedAt }: RunState): boolean {
    if (status === 'done') {
      this.#settle({ kind: 'done', run, record });
      return true;
    }
    if (status === 'failed' && failedAt !== undefined && failedAt >= this.#startedAt) {
      this.#settle({ kind: 'failed', run, reason: reason ?? 'no reason given' });
      return true;
    }
    return false;
  }

  async #start(run: PlannedRun): Promise<void> {
    const { folder, program, onStart } = this.#options;
    let lock: RunLock | undefined;
    try {
      lock = await lockRun(folder, run.id);
      if (!lock) return;
      // Another runner may have ended the run between the look at it and the lock.
      const state = await readRunState(folder, run, { ignoreLock: true });
      if (this.#settleFromState(state) || state.status === 'running') {
        await lock.release();
        return;
      }
      await clearFailure(folder, run.id);
      if (this.#options.signal?.aborted) {
        await lock.release();
        return;
      }
      const child = await startChild(folder, run, program);
      const held = lock;
      const ended = child.ended
        .then((exit) => this.#finish(run, child, exit))
        .catch((error: unknown) => this.#fail(run, error))
        .then(async () => {
          this.#active.delete(run.id);
          await held.release();
        });
      this.#active.set(run.id, { child, ended });
      onStart?.(run);
    } catch (error) {
      await this.#fail(run, error);
      await lock?.release();
    }
  }

  /** A child has ended: what that means for its run. */
  async #finish(run: PlannedRun, child: Child, exit: ChildExit): Promise<void> {
    const { folder, signal } = this.#options;
    const { status, record } = await readRunState(folder, run, { ignoreLock: true });
    if (status === 'done') {
      this.#settle({ kind: 'done', run, record });
      return;
    }
    // Another process owns the run (one left behind by a killed runner, or started by hand): wait for it.
    if (record && isAlive(record) && record.owner?.pid !== child.pid) return;
    if (signal?.aborted || record?.status === 'stopped') {
      this.#settle({ kind: 'stopped', run });
      return;
    }
    const reason = failureReason(exit, record);
    await writeFailure(folder, run.id, {
      at: new Date().toISOString(),
      message: reason,
      ...(exit.exitCode === null ? {} : { exitCode: exit.exitCode }),
      ...(exit.signal === null ? {} : { signal: exit.signal }),
      output: exit.output,
    });
    this.#settle({ kind: 'failed', run, reason });
  }

  /** A run that could not be started or watched, for example because the disk is full. */
  async #fail(run: PlannedRun, error: unknown): Promise<void> {
    const message = error instanceof Error ? error.message : String(error);
    const failure = { at: new Date().toISOString(), message, output: '' };
    // The note itself may be what cannot be written; the outcome says it all the same.
    await writeFailure(this.#options.folder, run.id, failure).catch(() => {});
    this.#settle({ kind: 'failed', run, reason: message });
  }
}

/** Why a child ended early: its last error line, else what its record says, else how it ended. */
function failureReason(exit: ChildExit, record: RunRecord | undefined): string {
  const line = exit.output.split('\n').findLast((text) => text.startsWith('error: '));
  if (line) return line.slice('error: '.length);
  if (record?.status === 'failed' && record.error) return record.error.message;
  if (exit.signal) {
    const hint = exit.signal === 'SIGKILL' ? ' (the system may have run out of memory)' : '';
    return `its process was ended by ${exit.signal}${hint}`;
  }
  return `its process ended with code ${exit.exitCode} and no result`;
}

export interface Execution {
  /** The outcomes, in the plan's order; after an abort, of the runs that had one. */
  finished: Promise<RunOutcome[]>;
  /** Ends all children at once, without waiting for a step boundary. */
  kill(): void;
}

/** Begins to work through a plan. */
export function execute(options: ExecuteOptions): Execution {
  const runner = new Runner(options);
  return { finished: runner.work(), kill: () => runner.kill() };
}
