/** One process a run: claiming a folder, keeping the claim alive, and letting go. */
import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import lockfile from 'proper-lockfile';
import {
  HEARTBEAT_LIMIT_SECONDS,
  isAlive,
  type Owner,
  ownerSchema,
  type RunRecord,
  readRunRecord,
  runPaths,
  writeRunRecord,
} from '../results/index.ts';
import { errorCode, explainWriteFailure, WorkError } from '../util/index.ts';

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
    if (errorCode(error) === 'ELOCKED') {
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
  /** Who took the run over while this process was suspended. */
  #taker: Owner | undefined;

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

  /**
   * Another process may take a run over once it was silent for long: this one was suspended, with its
   * machine or alone. To be called before anything is written.
   * @throws WorkError where that has happened; nothing of the run is this process' any more.
   */
  assertOwned(): void {
    const silent = Date.now() - Date.parse(this.#record.heartbeat);
    if (!this.#taker && silent > (HEARTBEAT_LIMIT_SECONDS * 1000) / 2) {
      const owner = ownerOnDisk(this.#folder);
      const { pid, host } = this.#record.owner ?? {};
      if (owner && (owner.pid !== pid || owner.host !== host)) this.#taker = owner;
    }
    if (!this.#taker) return;
    throw new WorkError({
      where: this.#folder,
      expected: 'a run that is still this process’',
      got: `process ${this.#taker.pid} on ${this.#taker.host}, which took it over while this one was suspended`,
      hint: 'nothing is lost: that process goes on with it',
    });
  }

  /** Changes the record and writes it. Writes end in the order in which they were begun. */
  async update(change: Partial<RunRecord>): Promise<void> {
    this.note(change);
    this.assertOwned();
    this.#record = { ...this.#record, heartbeat: new Date().toISOString() };
    await writeRunRecord(this.#folder, this.#record);
  }

  /** Changes the record, to be written with the next sign of life. */
  note(change: Partial<RunRecord>): void {
    this.#record = { ...this.#record, ...change };
  }

  /** Writes the final word and gives the run up; says nothing where another process has it by now. */
  async release(change: Partial<RunRecord> & Pick<RunRecord, 'status'>): Promise<void> {
    clearInterval(this.#timer);
    if (this.#taker) return;
    await this.update({ ...change, owner: undefined });
  }
}

/** The owner that run.json names now; `undefined` where it names none or cannot be read. */
function ownerOnDisk(folder: string): Owner | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(runPaths(folder).record, 'utf8'));
    const owner = typeof value === 'object' && value !== null && 'owner' in value && value.owner;
    return ownerSchema.safeParse(owner).data;
  } catch {
    return undefined;
  }
}
