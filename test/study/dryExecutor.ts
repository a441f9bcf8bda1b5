/** Runs that are done the moment they start: a finished record and nothing trained. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Attempt, Executor, PlannedRun, Reservation } from '../../src/study/index.ts';
import { finishedRecord } from './finishedRuns.ts';

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
    await writeFile(
      join(place, 'run.json'),
      JSON.stringify(finishedRecord(run, { metric: 0.5, seconds: 1 })),
    );
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
