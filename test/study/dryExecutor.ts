/** Runs that are done the moment they start: a finished record and nothing trained. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunRecord } from '../../src/results/index.ts';
import type { Attempt, Executor, PlannedRun, Reservation } from '../../src/study/index.ts';

const evaluation = {
  metric: 'recall' as const,
  primary: { value: 0.5 },
  loss: 1,
  samples: 10,
  metrics: {},
  perClass: {},
};

/** The record of a run that is finished. */
export function finishedRecord(run: PlannedRun): RunRecord {
  const now = new Date(0).toISOString();
  return {
    format: 1,
    runId: run.id,
    status: 'finished',
    heartbeat: now,
    startedAt: now,
    finishedAt: now,
    sessions: 1,
    progress: { iteration: 1, maxIterations: 1 },
    config: run.config,
    versions: { carryover: 'dry' },
    warnings: [],
    result: {
      ended: 'plateau',
      iterations: 1,
      epochs: 1,
      iterationsToBest: 1,
      validation: evaluation,
      test: evaluation,
      imagesPerSecond: 1,
      trainingSeconds: 1,
      wallSeconds: 1,
      peakMemoryBytes: 1,
    },
  };
}

const emptyCheckpoint = Buffer.concat([
  Buffer.from([8, 0, 0, 0, 0, 0, 0, 0]),
  Buffer.from('{}      '),
]);

export class DryExecutor implements Executor {
  readonly #folder: string;
  readonly #atOnce: number;
  readonly #seconds: number;
  #going = 0;

  /** @param seconds that every run takes */
  constructor(folder: string, { atOnce = 2, seconds = 0 } = {}) {
    this.#folder = folder;
    this.#atOnce = atOnce;
    this.#seconds = seconds;
  }

  classOf(): string {
    return '';
  }

  hasRoom(): boolean {
    return this.#going < this.#atOnce;
  }

  mayStart(): boolean {
    return false;
  }

  async reserve(): Promise<Reservation> {
    return { release: async () => {} };
  }

  async start(run: PlannedRun): Promise<Attempt> {
    this.#going++;
    const place = join(this.#folder, run.id);
    await mkdir(place, { recursive: true });
    await writeFile(join(place, 'best.safetensors'), emptyCheckpoint);
    await writeFile(join(place, 'run.json'), JSON.stringify(finishedRecord(run)));
    const wait = this.#seconds * 1000;
    const ended = new Promise((done) => setTimeout(done, wait)).then(() => {
      this.#going--;
      return { exitCode: 0, signal: null, output: '' };
    });
    return { ended };
  }

  async flush(): Promise<void> {}
  stop(): void {}
  kill(): void {}
  async close(): Promise<void> {}
}
