/** One process a run: claiming a folder, keeping the claim alive, and letting go. */
import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import lockfile from 'proper-lockfile';
import { isAlive, type RunRecord, readRunRecord, writeRunRecord } from '../results/index.ts';
import { explainWriteFailure, WorkError } from '../util/index.ts';

/** Seconds between two signs of life in run.json. */
const HEARTBEAT_SECONDS = 15;

/**
 * Reads the record of `folder` and decides about it while no other process does: whoever returns a
 * record from `decide` owns the run from then on.
 * @throws WorkError where another process works on the run.
 */
export async function claim(
  folder: string,
  decide: (existing: RunRecord | undefined) => RunRecord | undefined,
): Promise<RunRecord | undefined> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw explainWriteFailure(folder, error);
  }
  // Held for the moment of the decision only. A process that is killed in that moment leaves the lock
  // behind; it counts as left behind after ten seconds.
  let release: () => Promise<void>;
  try {
    release = await lockfile.lock(folder, {
      lockfilePath: resolve(folder, 'claim.lock'),
      stale: 10_000,
      retries: { retries: 40, factor: 1, minTimeout: 300, maxTimeout: 300 },
    });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ELOCKED') {
      throw new WorkError({
        where: folder,
        expected: 'a moment in which no other process begins this run',
        got: 'claim.lock, held for more than ten seconds',
        hint: 'start again',
      });
    }
    throw explainWriteFailure(folder, error);
  }
  try {
    const existing = await readRunRecord(folder);
    if (existing) refuseIfInUse(folder, existing);
    const record = decide(existing);
    if (record) await writeRunRecord(folder, record);
    return record;
  } finally {
    await release();
  }
}

/** @throws WorkError where another process works on the run. */
export function refuseIfInUse(folder: string, record: RunRecord): void {
  if (!isAlive(record)) return;
  const { owner } = record;
  throw new WorkError({
    where: folder,
    expected: 'a run that no other process trains',
    got: `process ${owner?.pid} on ${owner?.host}, last heard of at ${record.heartbeat}`,
    hint: 'wait for it, stop it, or choose another --out',
  });
}

/** The record of a run that this process owns, written when it changes and as a sign of life. */
export class OwnedRecord {
  readonly #folder: string;
  #record: RunRecord;
  readonly #timer: NodeJS.Timeout;

  constructor(folder: string, record: RunRecord, seconds = HEARTBEAT_SECONDS) {
    this.#folder = folder;
    this.#record = record;
    this.#timer = setInterval(() => {
      // A full disk is for the next write that matters to tell.
      this.update({}).catch(() => undefined);
    }, seconds * 1000);
    this.#timer.unref();
  }

  get current(): RunRecord {
    return this.#record;
  }

  /** Changes the record and writes it. Writes end in the order in which they were begun. */
  async update(change: Partial<RunRecord>): Promise<void> {
    this.note(change);
    this.#record = { ...this.#record, heartbeat: new Date().toISOString() };
    await writeRunRecord(this.#folder, this.#record);
  }

  /** Changes the record, to be written with the next sign of life. */
  note(change: Partial<RunRecord>): void {
    this.#record = { ...this.#record, ...change };
  }

  /** Writes the final word and gives the run up. */
  async release(change: Partial<RunRecord> & Pick<RunRecord, 'status'>): Promise<void> {
    clearInterval(this.#timer);
    await this.update({ ...change, owner: undefined });
  }
}
