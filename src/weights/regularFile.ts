/** Reads at given places of a file whose size is known. */
import { constants } from 'node:buffer';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { RequestError, readFault, WorkError } from '../util/index.ts';

/** The kernel reads at most about 2 GiB at once. */
const largestRead = 2 ** 30;

/** A regular file, open for reading; `close` it. */
export class RegularFile {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  readonly #handle: FileHandle;

  private constructor(path: string, size: number, handle: FileHandle) {
    this.path = path;
    this.size = size;
    this.#handle = handle;
  }

  /**
   * Opens `path`, which must be a file and not a folder or a device (opening a pipe would wait for ever).
   * @throws RequestError
   */
  static async open(path: string): Promise<RegularFile> {
    try {
      const status = await stat(path);
      if (status.isFile()) return new RegularFile(path, status.size, await open(path, 'r'));
      throw new RequestError({
        where: path,
        expected: 'a checkpoint file',
        got: status.isDirectory() ? 'a folder' : 'something that is no regular file',
        hint: 'name the .safetensors, .pth or .pt file itself',
      });
    } catch (error) {
      if (error instanceof RequestError) throw error;
      throw new RequestError(
        {
          where: path,
          expected: 'a checkpoint file',
          got: readFault(error),
          hint: 'check the path',
        },
        { cause: error },
      );
    }
  }

  /**
   * `length` bytes from `offset` on, in memory of their own.
   * @throws WorkError when the file ends before.
   */
  async read(offset: number, length: number): Promise<Uint8Array> {
    if (offset + length > this.size) throw this.#endsEarly(offset + length, this.size);
    if (length > constants.MAX_LENGTH) {
      throw new WorkError({
        where: this.path,
        expected: `at most ${constants.MAX_LENGTH} bytes in one piece`,
        got: `${length}`,
      });
    }
    // Not pooled, so that the bytes start at offset 0 of their buffer: aligned for every dtype.
    const bytes = Buffer.allocUnsafeSlow(length);
    let filled = 0;
    while (filled < length) {
      const wanted = Math.min(length - filled, largestRead);
      const { bytesRead } = await this.#handle.read(bytes, filled, wanted, offset + filled);
      if (bytesRead === 0) throw this.#endsEarly(offset + length, offset + filled);
      filled += bytesRead;
    }
    return bytes;
  }

  #endsEarly(expected: number, got: number): WorkError {
    return new WorkError({
      where: this.path,
      expected: `at least ${expected} bytes`,
      got: `a file that ends after ${got}`,
      hint: 'it is truncated: copy or download it again',
    });
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}
