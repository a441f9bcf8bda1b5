/**
 * The records of a zip archive as `torch.save` writes it: stored without compression, each, by default,
 * with a checksum. Because nothing is compressed and records may not share bytes, an archive can never give
 * more bytes than the file has.
 */
import { crc32 } from 'node:zlib';
import * as yauzl from 'yauzl';
import { WorkError } from '../util/index.ts';
import type { RegularFile } from './regularFile.ts';
import { damaged, mostRecords } from './stateDict.ts';
import { quotable } from './stored.ts';

export class ZipArchive {
  readonly #file: RegularFile;
  readonly #zip: yauzl.ZipFile;
  readonly #entries = new Map<string, yauzl.Entry>();
  /** False where every checksum is 0: PyTorch writes none after `set_crc32_options(False)`. */
  #hasChecksums = false;

  private constructor(file: RegularFile, zip: yauzl.ZipFile) {
    this.#file = file;
    this.#zip = zip;
  }

  /** Reads the table of contents; `close` the archive. @throws WorkError */
  static async open(file: RegularFile): Promise<ZipArchive> {
    try {
      const zip = await yauzl.openPromise(file.path, { autoClose: false });
      const archive = new ZipArchive(file, zip);
      try {
        await archive.#readEntries();
        return archive;
      } catch (error) {
        archive.close();
        throw error;
      }
    } catch (error) {
      throw asWorkError(file.path, error);
    }
  }

  async #readEntries(): Promise<void> {
    if (this.#zip.entryCount > mostRecords) {
      throw this.#fail(`at most ${mostRecords} records`, String(this.#zip.entryCount));
    }
    let total = 0;
    for await (const entry of this.#zip.eachEntry()) {
      total += entry.compressedSize;
      if (total > this.#file.size)
        throw this.#fail('records that lie apart', 'records that overlap');
      if (this.#entries.has(entry.fileName)) {
        throw this.#fail('every record once', `two called "${entry.fileName.slice(0, 120)}"`);
      }
      this.#entries.set(entry.fileName, entry);
      this.#hasChecksums ||= entry.crc32 !== 0;
    }
  }

  #fail(expected: string, got: string, hint = damaged): WorkError {
    return new WorkError({
      where: this.#file.path,
      expected: quotable(expected),
      got: quotable(got),
      hint,
    });
  }

  /** The records' names, in the order of the table of contents. */
  get names(): string[] {
    return [...this.#entries.keys()];
  }

  /** Bytes of a record, or `undefined` where there is none. */
  sizeOf(name: string): number | undefined {
    return this.#entries.get(name)?.uncompressedSize;
  }

  /** The bytes of a record, checked against its checksum. @throws WorkError */
  async read(name: string): Promise<Uint8Array> {
    const entry = this.#entries.get(name);
    if (!entry) throw this.#fail(`a record "${name}"`, 'none');
    if (entry.compressionMethod !== 0 || entry.isEncrypted()) {
      const got = entry.isEncrypted() ? 'an encrypted one' : 'a compressed one';
      const hint = 'save it with torch.save, without zipping it again';
      throw this.#fail(`a plain record "${name}"`, got, hint);
    }
    try {
      const { fileDataStart } = await this.#zip.readLocalFileHeaderPromise(entry, {
        minimal: true,
      });
      const bytes = await this.#file.read(fileDataStart, entry.uncompressedSize);
      if (!this.#hasChecksums || crc32(bytes) === entry.crc32) return bytes;
    } catch (error) {
      throw asWorkError(this.#file.path, error);
    }
    throw this.#fail(`a record "${name}" that matches its checksum`, 'one that does not');
  }

  close(): void {
    this.#zip.close();
  }
}

function asWorkError(path: string, error: unknown): WorkError {
  if (error instanceof WorkError) return error;
  const got = quotable(error instanceof Error ? error.message.slice(0, 200) : String(error));
  return new WorkError(
    { where: path, expected: 'a whole zip archive', got, hint: damaged },
    { cause: error },
  );
}
