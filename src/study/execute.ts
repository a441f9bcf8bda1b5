/**
 * Works through a plan: starts what can be started, notes how each run ends, and starts what that
 * makes room for. Finished runs are left alone, a failed one never stops the others, and several
 * runners may work on one folder. The cost of a run is a few reads of its own files, however many
 * runs there are: nothing is looked at again that only this runner can change.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { isAlive, type RunRecord } from '../results/index.ts';
import { isFullDisk } from '../util/index.ts';
import { setAside } from './damage.ts';
import { freeBytes, fullDiskError, LEAST_FREE } from './disk.ts';
import type { AttemptEnd, Executor, Reservation } from './executors/executor.ts';
import { ReadyRuns } from './ready.ts';
import { type PlannedRun, runTitle } from './run.ts';
import { clearFailure, type RunState, readRunState, readStates, writeFailure } from './state.ts';

export type RunOutcome =
  | { kind: 'done'; run: PlannedRun; record?: RunRecord }
  | { kind: 'failed'; run: PlannedRun; reason: string }
  /** Stopped at a step boundary; goes on with the next `study run`. */
  | { kind: 'stopped'; run: PlannedRun; reason?: string }
  /** Its source run did not end well. */
  | { kind: 'blocked'; run: PlannedRun; reason: string };

export interface ExecuteOptions {
  folder: string;
  runs: readonly PlannedRun[];
  executor: Executor;
  /** The states of the runs, verified, where they were read a moment ago. */
  states?: readonly RunState[];
  /** When aborted, no run is started and those going are asked to stop. */
  signal?: AbortSignal;
  onStart?: (run: PlannedRun) => void;
  /** Once for every run that this call saw the end of; finished ones from before among them. */
  onOutcome?: (outcome: RunOutcome) => void;
  /** What a user should know of, for example a damaged folder. */
  onNote?: (text: string) => void;
  /** How often to look at runs that another runner works on. */
  pollMilliseconds?: number;
}

type Problem = { kind: 'disk'; reason: string } | { kind: 'executor'; error: unknown };

class Runner {
  readonly #options: ExecuteOptions;
  readonly #startedAt = Date.now();
  readonly #outcomes = new Map<string, RunOutcome>();
  readonly #active = new Map<string, { run: PlannedRun; ended: Promise<void> }>();
  readonly #ready: ReadyRuns;
  /** Runs that start once another one is done, by its id. */
  readonly #waiting = new Map<string, PlannedRun[]>();
  /** Runs that another process has in hand. */
  readonly #elsewhere = new Map<string, PlannedRun>();
  /** The latest known state of every run. */
  readonly #states = new Map<string, RunState>();
  #wake: () => void = () => {};
  /** Why nothing more can be started: the disk is full, or the cluster refuses. */
  #problem: Problem | undefined;

  constructor(options: ExecuteOptions) {
    this.#options = options;
    this.#ready = new ReadyRuns(options.runs, (run) => options.executor.classOf(run));
  }

  async work(): Promise<RunOutcome[]> {
    const { runs, signal, executor, folder, pollMilliseconds = 1000 } = this.#options;
    signal?.addEventListener('abort', () => this.#wake(), { once: true });
    const planned = new Set(runs.map(({ id }) => id));
    const states = this.#options.states ?? (await readStates(folder, runs, { verify: true }));
    for (const state of states) this.#states.set(state.run.id, state);
    for (const run of runs) {
      // A source outside the plan is for the run itself to miss.
      if (run.source === undefined || !planned.has(run.source)) this.#ready.add(run);
      else this.#waiting.set(run.source, [...(this.#waiting.get(run.source) ?? []), run]);
    }
    for (const state of states) this.#settleFromState(state);
    try {
      await this.#workThrough(pollMilliseconds);
    } catch (error) {
      // Children must not go on unattended.
      this.#problem ??= { kind: 'executor', error };
    }
    // Only after an abort, or on a full disk, is anything still going here.
    executor.stop();
    await Promise.all([...this.#active.values()].map(({ ended }) => ended));
    await executor.close();
    if (this.#problem?.kind === 'disk') {
      const isDone = (run: PlannedRun): boolean => this.#outcomes.get(run.id)?.kind === 'done';
      throw await fullDiskError(folder, this.#problem, runs, isDone);
    }
    if (this.#problem) throw this.#problem.error;
    return runs.flatMap((run) => this.#outcomes.get(run.id) ?? []);
  }

  /** Until every run has an outcome, or nothing more may be started. */
  async #workThrough(pollMilliseconds: number): Promise<void> {
    const { runs } = this.#options;
    let polledAt = Date.now();
    while (!this.#stopping) {
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      await this.#startReady();
      if (this.#outcomes.size === runs.length || this.#stopping) break;
      const pause = new AbortController();
      const poll =
        this.#elsewhere.size === 0
          ? new Promise<void>(() => {})
          : delay(pollMilliseconds, undefined, { signal: pause.signal }).catch(() => {});
      await Promise.race([woken, poll]);
      pause.abort();
      if (Date.now() - polledAt >= pollMilliseconds) {
        await this.#lookElsewhere();
        polledAt = Date.now();
      }
    }
  }

  /** The states of all runs, in the plan's order; reads the files of those that are going only. */
  async look(): Promise<RunState[]> {
    const { folder, runs } = this.#options;
    const going = [...this.#active.values()].map(({ run }) => run);
    for (const run of [...going, ...this.#elsewhere.values()]) {
      const state = await readRunState(folder, run);
      // It may have ended meanwhile; what is known of its end is newer.
      if (!this.#outcomes.has(run.id)) this.#states.set(run.id, state);
    }
    return runs.flatMap((run) => this.#states.get(run.id) ?? []);
  }

  get #stopping(): boolean {
    return this.#options.signal?.aborted === true || this.#problem !== undefined;
  }

  #settle(outcome: RunOutcome): void {
    const { run, kind } = outcome;
    if (this.#outcomes.has(run.id)) return;
    this.#outcomes.set(run.id, outcome);
    this.#ready.remove(run);
    this.#elsewhere.delete(run.id);
    const before = this.#states.get(run.id);
    const status = kind === 'done' || kind === 'failed' ? kind : 'interrupted';
    const record = 'record' in outcome ? outcome.record : before?.record;
    const reason = 'reason' in outcome ? outcome.reason : undefined;
    this.#states.set(run.id, {
      run,
      status: kind === 'blocked' ? 'waiting' : status,
      record,
      reason,
    });
    this.#options.onOutcome?.(outcome);
    const waiting = this.#waiting.get(run.id) ?? [];
    this.#waiting.delete(run.id);
    for (const target of waiting) {
      if (this.#outcomes.has(target.id)) continue;
      if (kind === 'done') {
        this.#ready.add(target);
        continue;
      }
      const reason = `its source run ${run.id} ${kind === 'failed' ? 'failed' : 'did not end'}`;
      this.#settle({ kind: 'blocked', run: target, reason });
    }
    this.#wake();
  }

  /** Whether the state on disk is an end that this call accepts: done, or failed since it began. */
  #settleFromState(state: RunState): boolean {
    const { run, status, record, reason, failedAt } = state;
    this.#states.set(run.id, state);
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

  /** Starts runs, in the plan's order, while there is room. */
  async #startReady(): Promise<void> {
    const { executor } = this.#options;
    for (;;) {
      const run = this.#ready.take((candidate) => executor.hasRoom(candidate));
      if (!run || this.#stopping) break;
      await this.#start(run);
    }
    try {
      await executor.flush();
    } catch (error) {
      this.#problem = { kind: 'executor', error };
    }
  }

  /** Looks at the runs that other processes had in hand. */
  async #lookElsewhere(): Promise<void> {
    for (const run of [...this.#elsewhere.values()]) {
      const state = await readRunState(this.#options.folder, run, { verify: true });
      if (this.#settleFromState(state) || state.status === 'running') continue;
      this.#elsewhere.delete(run.id);
      this.#ready.add(run);
    }
  }

  async #start(run: PlannedRun): Promise<void> {
    const { folder, executor, onStart } = this.#options;
    let held: Reservation | undefined;
    try {
      const first = await readRunState(folder, run, { verify: true });
      if (this.#settleFromState(first)) return;
      if (first.status === 'running' && !executor.mayStart(first)) {
        this.#elsewhere.set(run.id, run);
        return;
      }
      held = await executor.reserve(run);
      if (!held) {
        this.#elsewhere.set(run.id, run);
        return;
      }
      const reservation = held;
      // Another runner may have ended the run between the look at it and the reservation.
      const state = await readRunState(folder, run, { ignoreLock: true, verify: true });
      const elsewhere = state.status === 'running' && !executor.mayStart(state);
      if (elsewhere) this.#elsewhere.set(run.id, run);
      if (this.#settleFromState(state) || elsewhere || this.#stopping) {
        await held.release();
        return;
      }
      if (state.damage !== undefined) await this.#setAside(run, state.damage);
      await clearFailure(folder, run.id);
      const attempt = await executor.start(run);
      const ended = attempt.ended
        .then((end) => this.#finish(run, end))
        .catch((error: unknown) => this.#fail(run, error))
        .then(async () => {
          this.#active.delete(run.id);
          await reservation.release();
          this.#wake();
        });
      this.#active.set(run.id, { run, ended });
      onStart?.(run);
    } catch (error) {
      await this.#fail(run, error);
      await held?.release();
    }
  }

  async #setAside(run: PlannedRun, damage: string): Promise<void> {
    const place = await setAside(this.#options.folder, run.id);
    this.#options.onNote?.(
      `${runTitle(run)} (${run.id}) is done again: ${damage}; what was there is in ${place}`,
    );
  }

  /** A run's process has ended: what that means for the run. */
  async #finish(run: PlannedRun, end: AttemptEnd): Promise<void> {
    const { folder } = this.#options;
    if (end.left) return;
    const { status, record } = await readRunState(folder, run, { ignoreLock: true });
    if (status === 'done') {
      this.#settle({ kind: 'done', run, record });
      return;
    }
    // Another process owns the run (one left behind by a killed runner, or started by hand): wait for it.
    if (end.pid !== undefined && record && isAlive(record) && record.owner?.pid !== end.pid) {
      this.#elsewhere.set(run.id, run);
      return;
    }
    const reason = end.lost ?? end.cancelled ?? failureReason(end, record);
    // Where the disk is full, a process may not even have been able to say so.
    const full =
      isFullDisk(reason) || isFullDisk(end.output) || (await freeBytes(folder)) < LEAST_FREE;
    if (full) this.#problem ??= { kind: 'disk', reason };
    const stopped = end.lost === undefined && (this.#stopping || record?.status === 'stopped');
    if (full || stopped || end.cancelled !== undefined) {
      const told = end.cancelled === undefined ? {} : { reason };
      this.#settle({ kind: 'stopped', run, ...told });
      return;
    }
    await writeFailure(folder, run.id, {
      at: new Date().toISOString(),
      message: reason,
      ...(end.exitCode === null ? {} : { exitCode: end.exitCode }),
      ...(end.signal === null ? {} : { signal: end.signal }),
      output: end.output,
    });
    this.#settle({ kind: 'failed', run, reason });
  }

  /** A run that could not be started or watched. */
  async #fail(run: PlannedRun, error: unknown): Promise<void> {
    const message = error instanceof Error ? error.message : String(error);
    if (isFullDisk(message)) {
      this.#problem ??= { kind: 'disk', reason: message };
      this.#settle({ kind: 'stopped', run });
      return;
    }
    const failure = { at: new Date().toISOString(), message, output: '' };
    // The note itself may be what cannot be written; the outcome says it all the same.
    await writeFailure(this.#options.folder, run.id, failure).catch(() => {});
    this.#settle({ kind: 'failed', run, reason: message });
  }
}

/** Why a process ended early: its last error line, else what its record says, else how it ended. */
function failureReason(end: AttemptEnd, record: RunRecord | undefined): string {
  const line = end.output.split('\n').findLast((text) => text.startsWith('error: '));
  if (line) return line.slice('error: '.length);
  if (record?.status === 'failed' && record.error) return record.error.message;
  if (end.signal) {
    const hint = end.signal === 'SIGKILL' ? ' (the system may have run out of memory)' : '';
    return `its process was ended by ${end.signal}${hint}`;
  }
  return `its process ended with code ${end.exitCode} and no result`;
}

export interface Execution {
  /**
   * The outcomes, in the plan's order; after an abort, of the runs that had one. Rejects with a
   * WorkError where the disk is full, once everything has stopped.
   */
  finished: Promise<RunOutcome[]>;
  /** The states of all runs, in the plan's order, at little cost. */
  look(): Promise<RunState[]>;
  /** Ends all children at once, without waiting for a step boundary. */
  kill(): void;
}

/** Begins to work through a plan. */
export function execute(options: ExecuteOptions): Execution {
  const runner = new Runner(options);
  return {
    finished: runner.work(),
    look: () => runner.look(),
    kill: () => options.executor.kill(),
  };
}
