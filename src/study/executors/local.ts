/**
 * Runs on this machine: each a child process, so many at once as its cores, GPUs and memory carry. A
 * run's lock keeps other runners of the study from it.
 */
import { lockRun } from '../locks.ts';
import type { PlannedRun } from '../run.ts';
import { type Child, type ChildProgram, startChild } from './child.ts';
import type { Attempt, Executor, Reservation } from './executor.ts';

export interface LocalOptions {
  folder: string;
  program: ChildProgram;
  /** The GPUs that runs are given out to, as CUDA_VISIBLE_DEVICES names them; a run gets one. */
  gpus?: readonly string[];
  /** Bytes that a run is expected to take at most, where something is known of it. */
  memoryOf?: (run: PlannedRun) => number | undefined;
  /** Bytes that all runs at once may take. */
  memory?: number;
}

/** Runs at once, as shares of the machine that sum to 1; a little slack for rounding. */
const WHOLE_MACHINE = 1 + 1e-9;

interface Active {
  run: PlannedRun;
  child: Child;
  gpu: string | undefined;
}

export class LocalExecutor implements Executor {
  readonly #options: LocalOptions;
  readonly #active = new Map<string, Active>();
  /** Runs that are being started: they take room already. */
  readonly #starting = new Map<string, PlannedRun>();

  constructor(options: LocalOptions) {
    this.#options = options;
  }

  classOf(run: PlannedRun): string {
    return `${run.parallel} ${run.model}`;
  }

  hasRoom(run: PlannedRun): boolean {
    const going = [...this.#starting.values(), ...[...this.#active.values()].map((a) => a.run)];
    // One run may always go, however much it takes: what is known of it may be wrong.
    if (going.length === 0) return true;
    const load = going.reduce((sum, other) => sum + 1 / other.parallel, 0);
    if (load + 1 / run.parallel > WHOLE_MACHINE) return false;
    const { memory = Number.POSITIVE_INFINITY, memoryOf = () => undefined } = this.#options;
    const wanted = [run, ...going].reduce((sum, other) => sum + (memoryOf(other) ?? 0), 0);
    return wanted <= memory;
  }

  mayStart(): boolean {
    return false;
  }

  reserve(run: PlannedRun): Promise<Reservation | undefined> {
    return lockRun(this.#options.folder, run.id);
  }

  async start(run: PlannedRun): Promise<Attempt> {
    const { folder, program } = this.#options;
    const gpu = this.#freestGpu(run);
    this.#starting.set(run.id, run);
    try {
      const child = await startChild(folder, run, program, gpu);
      this.#active.set(run.id, { run, child, gpu });
      const ended = child.ended.finally(() => this.#active.delete(run.id));
      return { ended };
    } finally {
      this.#starting.delete(run.id);
    }
  }

  async flush(): Promise<void> {}

  stop(): void {
    for (const { child } of this.#active.values()) child.kill('SIGTERM');
  }

  kill(): void {
    for (const { child } of this.#active.values()) child.kill('SIGKILL');
  }

  async close(): Promise<void> {}

  /** The GPU with the fewest runs, for a run that computes on whichever it finds. */
  #freestGpu(run: PlannedRun): string | undefined {
    const { gpus = [] } = this.#options;
    const { device } = run.config.training;
    if (gpus.length === 0 || (device !== 'auto' && device !== 'cuda')) return undefined;
    const taken = [...this.#active.values()].map(({ gpu }) => gpu);
    const load = (gpu: string): number => taken.filter((other) => other === gpu).length;
    return gpus.reduce((best, gpu) => (load(gpu) < load(best) ? gpu : best));
  }
}
