/**
 * Runs as jobs of a Slurm cluster: arrays of what can start, followed by the queue and the runs' own
 * files. Jobs go on without this runner; one that is started again finds them by what
 * `slurm/<number>/batch.json` keeps. A cluster that does not answer is waited for.
 */
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import lockfile from 'proper-lockfile';
import { isAlive } from '../../results/index.ts';
import { errorCode, isFullDisk, WorkError, writeJson } from '../../util/index.ts';
import { type PlannedRun, runTitle, studyPaths } from '../run.ts';
import { type RunState, readRunState } from '../state.ts';
import type { ChildProgram } from './child.ts';
import type { Attempt, AttemptEnd, Executor, Reservation } from './executor.ts';
import type { SlurmSettings } from './settings.ts';
import {
  type PlacedBatch,
  prepareBatch,
  readBatches,
  slurmFolder,
  writeBatch,
} from './slurmBatch.ts';
import {
  beginNow,
  ClusterSilent,
  isOver,
  largestArray,
  type QueuedTask,
  readQueue,
  submit,
} from './slurmCommands.ts';

export interface SlurmOptions {
  folder: string;
  /** The study's name, for those of its jobs. */
  title: string;
  settings: SlurmSettings;
  program: ChildProgram;
  onNote: (text: string) => void;
  signal?: AbortSignal;
}

/** Jobs in the queue at once at most; clusters limit how many a user may have. */
const MOST_QUEUED = 1000;

/** A run that lost its job so often without having got on is given up. */
const MOST_LOSSES = 3;

/** Polls for which an ended job may leave its run undecided: files of another machine arrive late. */
const GRACE = 2;

/** As much of a run's console as a failure keeps. */
const OUTPUT_BYTES = 4096;

interface Task {
  run: PlannedRun;
  resolve: (end: AttemptEnd) => void;
  /** Absent while it waits for the next submission. */
  place?: { batch: PlacedBatch; index: number };
  /** Jobs of this run that are over. */
  endedJobs: string[];
  /** Size of console.log when it was submitted. */
  consoleBegin: number;
  /** Steps that the run had behind it when it was submitted. */
  stepsBefore: number;
  losses: number;
  /** Polls since the job was first seen to be over. */
  overFor: number;
  /** Requeues that were let go on at once. */
  released: number;
}

export class SlurmExecutor implements Executor {
  readonly #options: SlurmOptions;
  readonly #tasks = new Map<string, Task>();
  /** Runs whose jobs are in the queue from before, and where. */
  readonly #found = new Map<string, { batch: PlacedBatch; index: number }>();
  /** All jobs that were in the queue when this runner began. */
  #liveJobs: ReadonlySet<string> = new Set();
  /** Submissions of which Slurm has not said whether it took them. */
  readonly #unsure = new Set<PlacedBatch>();
  /** Reasons for which submissions had to wait, each told once. */
  readonly #refusals = new Set<string>();
  #unlock: () => Promise<void> = async () => {};
  #arrayLimit = 1000;
  #timer: NodeJS.Timeout | undefined;
  #polling: Promise<void> | undefined;
  #silent = false;
  #stopped = false;

  private constructor(options: SlurmOptions) {
    this.#options = options;
  }

  /**
   * Finds the jobs that are in the queue from before; waits for the cluster to answer.
   * @throws WorkError where another runner submits this study's jobs, RequestError without Slurm.
   */
  static async open(options: SlurmOptions): Promise<SlurmExecutor> {
    const executor = new SlurmExecutor(options);
    await executor.#lock();
    try {
      await executor.#findJobs();
    } catch (error) {
      await executor.close();
      throw error;
    }
    return executor;
  }

  classOf(): string {
    return '';
  }

  hasRoom(): boolean {
    return this.#tasks.size < MOST_QUEUED;
  }

  mayStart({ run, record }: RunState): boolean {
    if (this.#found.has(run.id)) return true;
    const job = record?.owner?.job;
    return job !== undefined && !this.#liveJobs.has(job);
  }

  async reserve(): Promise<Reservation> {
    return { release: async () => {} };
  }

  async start(run: PlannedRun): Promise<Attempt> {
    const { folder, settings } = this.#options;
    const { training } = run.config;
    const paths = studyPaths(folder);
    await mkdir(paths.run(run.id), { recursive: true });
    const config = { ...run.config, training: { ...training, threads: settings.cpus } };
    await writeJson(paths.config(run.id), config);
    const place = this.#found.get(run.id);
    this.#found.delete(run.id);
    const consoleBegin = place ? 0 : await sizeOf(paths.console(run.id));
    const { record } = await readRunState(folder, run, { ignoreLock: true });
    const lastJob = record?.owner?.job;
    const isOver = lastJob !== undefined && !this.#liveJobs.has(lastJob);
    const ended = new Promise<AttemptEnd>((resolve) => {
      this.#tasks.set(run.id, {
        run,
        resolve,
        ...(place ? { place } : {}),
        endedJobs: isOver ? [lastJob] : [],
        consoleBegin,
        stepsBefore: record?.progress.iteration ?? 0,
        losses: 0,
        overFor: 0,
        released: 0,
      });
    });
    this.#schedule();
    return { ended };
  }

  async flush(): Promise<void> {
    if (this.#silent || this.#stopped || this.#unsure.size > 0) return;
    const waiting = [...this.#tasks.values()].filter(({ place }) => place === undefined);
    for (let begin = 0; begin < waiting.length; begin += this.#arrayLimit) {
      await this.#submit(waiting.slice(begin, begin + this.#arrayLimit));
    }
  }

  /** Leaves the jobs in the queue. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    clearTimeout(this.#timer);
    const left = [...this.#tasks.values()].filter((task) => nameOf(task) !== undefined).length;
    for (const task of this.#tasks.values()) {
      task.resolve({ exitCode: null, signal: null, output: '', left: true });
    }
    this.#tasks.clear();
    if (left > 0) {
      this.#options.onNote(
        `${left} jobs stay in Slurm's queue: the same command follows them again, ` +
          'carryover study cancel cancels them',
      );
    }
  }

  kill(): void {
    this.stop();
  }

  async close(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#polling;
    await this.#unlock();
  }

  async #lock(): Promise<void> {
    const place = slurmFolder(this.#options.folder);
    await mkdir(place, { recursive: true });
    try {
      const release = await lockfile.lock(place, {
        lockfilePath: join(place, 'runner.lock'),
        stale: 10_000,
        // A runner that was killed a moment ago leaves its lock behind for ten seconds.
        retries: { retries: 24, factor: 1, minTimeout: 500, maxTimeout: 500 },
        onCompromised: () => {},
      });
      this.#unlock = () => release().catch(() => {});
    } catch (error) {
      if (errorCode(error) !== 'ELOCKED') throw error;
      throw new WorkError({
        where: place,
        expected: 'to be the only one that submits jobs of this study',
        got: 'another study run that does',
        hint: 'leave it to that one; carryover study status shows how far it is',
      });
    }
  }

  async #findJobs(): Promise<void> {
    const { folder, onNote } = this.#options;
    const batches = await readBatches(folder);
    const queue = await this.#untilAnswered(readQueue);
    this.#arrayLimit = Math.min(MOST_QUEUED, await this.#untilAnswered(largestArray));
    const live = new Map(queue.map((task) => [`${task.job}_${task.task}`, task]));
    this.#liveJobs = new Set([...live].flatMap(([job, task]) => (isOver(task) ? [] : [job])));
    for (const batch of batches) {
      await adopt(batch, queue);
      batch.runs.forEach((id, index) => {
        const task = live.get(`${batch.job}_${index}`);
        if (task && !isOver(task)) this.#found.set(id, { batch, index });
      });
    }
    if (this.#found.size > 0) {
      onNote(`${this.#found.size} jobs of this study are in Slurm's queue: followed again`);
    }
  }

  /** Asks until the cluster answers. */
  async #untilAnswered<T>(ask: () => Promise<T>): Promise<T> {
    const { signal, settings } = this.#options;
    for (;;) {
      try {
        const answer = await ask();
        this.#answered();
        return answer;
      } catch (error) {
        if (!(error instanceof ClusterSilent)) throw error;
        this.#unanswered(error);
        await delay(settings.poll * 1000, undefined, { signal }).catch(() => {});
        signal?.throwIfAborted();
      }
    }
  }

  #answered(): void {
    if (this.#silent) this.#options.onNote('Slurm answers again');
    this.#silent = false;
  }

  #unanswered(error: Error): void {
    if (!this.#silent) {
      this.#options.onNote(
        `Slurm does not answer (${error.message}): waiting for it; its jobs go on meanwhile`,
      );
    }
    this.#silent = true;
  }

  async #submit(tasks: readonly Task[]): Promise<void> {
    const { folder, title, settings, program } = this.#options;
    const runs = tasks.map(({ run, endedJobs }) => ({ id: run.id, endedJobs }));
    const batch = await prepareBatch({ study: folder, title, settings, program, runs });
    tasks.forEach((task, index) => {
      task.place = { batch, index };
      task.overFor = 0;
    });
    this.#unsure.add(batch);
    await this.#hand(batch);
  }

  /** Hands a submission to Slurm, unless that is away. */
  async #hand(batch: PlacedBatch): Promise<void> {
    try {
      batch.job = await submit(join(batch.folder, 'job.sh'));
      this.#unsure.delete(batch);
      await writeBatch(batch);
      this.#options.onNote(`submitted ${batch.runs.length} runs as Slurm job ${batch.job}`);
    } catch (error) {
      if (!(error instanceof ClusterSilent)) {
        this.#unsure.delete(batch);
        throw error;
      }
      const { message } = error;
      if (!this.#refusals.has(message)) this.#options.onNote(`not submitted yet: ${message}`);
      this.#refusals.add(message);
    }
  }

  #schedule(): void {
    if (this.#timer || this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#polling = this.#poll().finally(() => {
        this.#timer = undefined;
        this.#polling = undefined;
        if (this.#tasks.size > 0) this.#schedule();
      });
    }, this.#options.settings.poll * 1000);
  }

  async #poll(): Promise<void> {
    try {
      const queue = await readQueue();
      this.#answered();
      for (const batch of [...this.#unsure]) {
        // Slurm may have taken it and not been able to say so.
        await adopt(batch, queue);
        if (batch.job === undefined) await this.#hand(batch);
        else this.#unsure.delete(batch);
      }
      const live = new Map(queue.map((task) => [`${task.job}_${task.task}`, task]));
      for (const task of [...this.#tasks.values()]) {
        const job = nameOf(task);
        if (job !== undefined && !this.#stopped) await this.#follow(task, job, live.get(job));
      }
      await this.flush();
    } catch (error) {
      if (error instanceof ClusterSilent) this.#unanswered(error);
      else this.#giveUp(error);
    }
  }

  /** Something that waiting does not mend: all runs that wait for Slurm end with it. */
  #giveUp(error: unknown): void {
    const lost = error instanceof Error ? error.message : String(error);
    for (const task of [...this.#tasks.values()]) {
      if (nameOf(task) === undefined) this.#end(task, { lost });
    }
  }

  /** What the queue and the run's files say of a task. */
  async #follow(task: Task, job: string, entry: QueuedTask | undefined): Promise<void> {
    if (entry && !isOver(entry)) {
      task.overFor = 0;
      const held = entry.states.includes('PENDING') && entry.reason === 'BeginTime';
      if (held && entry.restarts > task.released) {
        task.released = entry.restarts;
        await beginNow(job);
      }
      return;
    }
    const state = await readRunState(this.#options.folder, task.run, { ignoreLock: true });
    if (state.status === 'done') {
      this.#end(task, {});
      return;
    }
    const owner = state.record?.owner;
    // Another process has taken the run up, perhaps on this machine: it is waited for.
    if (state.record && isAlive(state.record) && owner?.job !== job) return;
    task.overFor++;
    if (task.overFor < GRACE) return;
    await this.#afterwards(task, job, entry, state);
  }

  /** A job is over and its run is not done: the run has failed, was cancelled, or is to go on. */
  async #afterwards(
    task: Task,
    job: string,
    entry: QueuedTask | undefined,
    { record }: RunState,
  ): Promise<void> {
    const { folder, onNote } = this.#options;
    const states = entry?.states ?? [];
    if (states.includes('CANCELLED')) {
      this.#end(task, { cancelled: `its Slurm job ${job} was cancelled` });
      return;
    }
    const output = await tail(studyPaths(folder).console(task.run.id), task.consoleBegin);
    const told = output.split('\n').findLast((line) => line.startsWith('error: ')) ?? '';
    // A run that was begun and was stopped or killed says nothing of itself: its job did it.
    const begun = record?.status === 'stopped' || record?.status === 'running';
    if (record?.status === 'failed' || (told !== '' && !begun) || isFullDisk(told)) {
      this.#end(task, { output });
      return;
    }
    if (states.includes('OUT_OF_MEMORY')) {
      const lost = `its Slurm job ${job} ran out of memory (raise memory of executor)`;
      this.#end(task, { lost, output });
      return;
    }
    const steps = record?.progress.iteration ?? 0;
    task.losses = steps > task.stepsBefore ? 1 : task.losses + 1;
    const how = states.join(' ').toLowerCase().replaceAll('_', ' ') || 'gone from the queue';
    const what = `Slurm job ${job} of ${runTitle(task.run)} ended early (${how}) at step ${steps}`;
    if (task.losses > MOST_LOSSES) {
      this.#end(task, { lost: `${what}, ${task.losses} times without getting on`, output });
      return;
    }
    onNote(`${what}: submitted again`);
    task.stepsBefore = steps;
    task.endedJobs.push(job);
    task.released = 0;
    delete task.place;
  }

  #end(task: Task, end: Partial<AttemptEnd>): void {
    this.#tasks.delete(task.run.id);
    task.resolve({ exitCode: null, signal: null, output: '', ...end });
  }
}

/** The task's name for Slurm, once it has one. */
function nameOf({ place }: Task): string | undefined {
  return place?.batch.job === undefined ? undefined : `${place.batch.job}_${place.index}`;
}

/** Takes a submission's number from the queue, where Slurm took it but could not say so. */
async function adopt(batch: PlacedBatch, queue: readonly QueuedTask[]): Promise<void> {
  if (batch.job !== undefined) return;
  const found = queue.find(({ name }) => name === batch.name);
  if (!found) return;
  batch.job = found.job;
  await writeBatch(batch);
}

async function sizeOf(path: string): Promise<number> {
  const file = await open(path, 'r').catch(() => undefined);
  try {
    return (await file?.stat())?.size ?? 0;
  } finally {
    await file?.close();
  }
}

/** The last of a file from `begin` on. */
async function tail(path: string, begin: number): Promise<string> {
  const file = await open(path, 'r').catch(() => undefined);
  if (!file) return '';
  try {
    const { size } = await file.stat();
    const length = Math.min(OUTPUT_BYTES, Math.max(0, size - begin));
    const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.toString('utf8').trim();
  } finally {
    await file.close();
  }
}
