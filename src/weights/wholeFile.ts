/** A file that is complete under its name or not there at all: temporary name, sync, rename. */
import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { explainWriteFailure, refuseToReplace } from '../util/index.ts';

/** A temporary file that was not written to for so long has lost its process, in milliseconds. */
const staleAfter = 10 * 60 * 1000;

/** Bytes handed to the system at once. */
const largestWrite = 2 ** 30;

export class WholeFile {
  readonly path: string;
  readonly #temporary: string;
  readonly #handle: FileHandle;

  private constructor(path: string, temporary: string, handle: FileHandle) {
    this.path = path;
    this.#temporary = temporary;
    this.#handle = handle;
  }

  /**
   * Opens a temporary file beside `path`; folders are made. End it by `commit` or `abandon`.
   * @throws RequestError where `path` is a folder or a device, WorkError where nothing can be written there.
   */
  static async create(path: string): Promise<WholeFile> {
    const folder = dirname(path);
    const temporary = join(folder, `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
    try {
      await mkdir(folder, { recursive: true });
      await refuseToReplace(path);
      await removeStale(path);
      return new WholeFile(path, temporary, await open(temporary, 'wx'));
    } catch (error) {
      throw explainWriteFailure(path, error);
    }
  }

  /** Writes `bytes` at a place, or behind what was written last without one. */
  async write(bytes: Uint8Array, position?: number): Promise<void> {
    let written = 0;
    try {
      while (written < bytes.byteLength) {
        const length = Math.min(bytes.byteLength - written, largestWrite);
        const at = position === undefined ? null : position + written;
        written += (await this.#handle.write(bytes, written, length, at)).bytesWritten;
      }
    } catch (error) {
      throw explainWriteFailure(this.path, error);
    }
  }

  /** Puts the file in its place. A failure leaves what was there before. */
  async commit(): Promise<void> {
    try {
      await this.#handle.sync();
      await this.#handle.close();
      await rename(this.#temporary, this.path);
      await syncFolder(dirname(this.path));
    } catch (error) {
      throw explainWriteFailure(this.path, error);
    }
  }

  /** Takes back what was written. Harmless after a commit that failed. */
  async abandon(): Promise<void> {
    await this.#handle.close().catch(() => undefined);
    await rm(this.#temporary, { force: true });
  }
}

/**
 * Finds out whether a file can be written to `path`, before the work whose result goes there.
 * @throws as `WholeFile.create`
 */
export async function requireWritable(path: string): Promise<void> {
  const file = await WholeFile.create(path);
  await file.abandon();
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Removes temporary files of `path` that killed processes left, so that they do not fill the disk. */
async function removeStale(path: string): Promise<void> {
  const prefix = `.${basename(path)}.`;
  for (const name of await readdir(dirname(path))) {
    if (!name.startsWith(prefix) || !/^[0-9a-f]{12}\.tmp$/.test(name.slice(prefix.length)))
      continue;
    const left = join(dirname(path), name);
    // Another writer may rename or remove it meanwhile.
    const modified = await stat(left).then(
      ({ mtimeMs }) => mtimeMs,
      () => Number.POSITIVE_INFINITY,
    );
    if (Date.now() - modified > staleAfter) await rm(left, { force: true });
  }
}
