/** Writing log.jsonl: whole lines, and back to where a resumed run goes on. */
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { LogLine } from '../results/index.ts';
import { explainWriteFailure, WorkError } from '../util/index.ts';

/** The log of one run, open for writing by the one process that owns the run. */
export class RunLog {
  readonly #path: string;
  readonly #file: FileHandle;
  #bytes: number;

  private constructor(path: string, file: FileHandle, bytes: number) {
    this.#path = path;
    this.#file = file;
    this.#bytes = bytes;
  }

  /**
   * Opens the log at `path`, cut to its first `bytes` bytes: what a run that resumes had written when
   * its state was saved, 0 for one that starts.
   * @throws WorkError where the file is shorter than that.
   */
  static async open(path: string, bytes: number): Promise<RunLog> {
    try {
      await mkdir(dirname(path), { recursive: true });
      const file = await open(path, 'a');
      const { size } = await file.stat();
      if (size < bytes) {
        await file.close();
        throw new WorkError({
          where: path,
          expected: `at least ${bytes} bytes, as when the state to resume from was saved`,
          got: `${size} bytes`,
          hint: 'the log was changed from outside; remove the folder and start again',
        });
      }
      if (size > bytes) await file.truncate(bytes);
      return new RunLog(path, file, bytes);
    } catch (error) {
      throw explainWriteFailure(path, error);
    }
  }

  /** Length of the log so far. */
  get bytes(): number {
    return this.#bytes;
  }

  async append(line: LogLine): Promise<void> {
    const text = Buffer.from(`${JSON.stringify(line)}\n`);
    try {
      await this.#file.appendFile(text);
    } catch (error) {
      throw explainWriteFailure(this.#path, error);
    }
    this.#bytes += text.length;
  }

  /** Has the lines so far on the disk, before a state that counts on them is saved. */
  async sync(): Promise<void> {
    try {
      await this.#file.sync();
    } catch (error) {
      throw explainWriteFailure(this.#path, error);
    }
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}
