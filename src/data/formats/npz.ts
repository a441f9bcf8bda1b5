/** NumPy's .npz archives: a zip of .npy files (`savez`, `savez_compressed`), as MedMNIST publishes. */
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import * as yauzl from 'yauzl';
import { CarryoverError, errorCode, RequestError } from '../../util/index.ts';
import { BadImageError } from '../images/badImage.ts';
import { rowReference } from '../images/reference.ts';
import type { OpenOptions } from '../kind.ts';
import type { ArrayDescription, ArrayFile, PictureArray } from './arrayFile.ts';
import { type NpyHeader, npyHeaderLength, npyImageShape, parseNpyHeader } from './npy.ts';
import { unpack } from './unpack.ts';

/** Arrays that are read as a whole hold labels, not pictures: larger ones are a mistake. */
const longestValues = 1 << 28;

/** More arrays than any data set has. */
const mostEntries = 10_000;

export class NpzFile implements ArrayFile {
  readonly path: string;
  readonly #zip: yauzl.ZipFile;
  readonly #options: OpenOptions;
  readonly #entries = new Map<string, yauzl.Entry>();

  private constructor(path: string, zip: yauzl.ZipFile, options: OpenOptions) {
    this.path = path;
    this.#zip = zip;
    this.#options = options;
  }

  static async open(path: string, options: OpenOptions): Promise<NpzFile> {
    let zip: yauzl.ZipFile | undefined;
    try {
      zip = await yauzl.openPromise(path, { autoClose: false });
      const file = new NpzFile(path, zip, options);
      if (zip.entryCount > mostEntries) throw new Error(`${zip.entryCount} entries`);
      for await (const entry of zip.eachEntry()) {
        if (entry.fileName.endsWith('.npy')) file.#entries.set(entry.fileName.slice(0, -4), entry);
      }
      return file;
    } catch (error) {
      zip?.close();
      throw refusal(path, error);
    }
  }

  get names(): string[] {
    return [...this.#entries.keys()];
  }

  async describe(name: string): Promise<ArrayDescription> {
    const { shape, type } = await this.#header(name);
    return { shape, type };
  }

  async values(name: string): Promise<(number | string)[]> {
    const entry = this.#entry(name);
    const where = `${this.path}: ${name}`;
    if (entry.uncompressedSize > longestValues) {
      const got = `${(entry.uncompressedSize / 1e9).toFixed(1)} GB`;
      throw new RequestError({ where, expected: 'labels', got });
    }
    try {
      const bytes = await buffer(await this.#zip.openReadStreamPromise(entry));
      return npyValues(bytes, parseNpyHeader(bytes));
    } catch (error) {
      throw refusal(where, error);
    }
  }

  async pictures(name: string): Promise<PictureArray> {
    const entry = this.#entry(name);
    const header = await this.#header(name);
    try {
      const shape = npyImageShape(header);
      const length = header.shape.reduce((product, size) => product * size, header.itemSize);
      if (header.offset + length !== entry.uncompressedSize) {
        throw new BadImageError(
          `${entry.uncompressedSize} bytes, where its header asks for ${header.offset + length}`,
        );
      }
      const file = await unpack(
        {
          path: this.path,
          part: entry.fileName,
          name: `${name.replace(/[^A-Za-z0-9_.-]/g, '_')}.npy`,
          isWhole: (bytes) => bytes === entry.uncompressedSize,
          open: () => this.#zip.openReadStreamPromise(entry),
        },
        this.#options,
      );
      return { shape, reference: (row) => rowReference(file, row) };
    } catch (error) {
      throw refusal(`${this.path}: ${name}`, error);
    }
  }

  close(): void {
    this.#zip.close();
  }

  #entry(name: string): yauzl.Entry {
    const entry = this.#entries.get(name);
    if (entry) return entry;
    throw new RequestError({ where: this.path, expected: `an array ${name}`, got: 'none' });
  }

  async #header(name: string): Promise<NpyHeader> {
    try {
      const stream = await this.#zip.openReadStreamPromise(this.#entry(name));
      return parseNpyHeader(await head(stream));
    } catch (error) {
      throw refusal(`${this.path}: ${name}`, error);
    }
  }
}

/** The first bytes of a stream, as many as hold the header. */
async function head(stream: Readable): Promise<Buffer> {
  let bytes = Buffer.alloc(0);
  for await (const chunk of stream) {
    if (!Buffer.isBuffer(chunk)) break;
    bytes = Buffer.concat([bytes, chunk]);
    const needed = bytes.length < 12 ? 12 : (npyHeaderLength(bytes) ?? 0);
    if (bytes.length >= needed) break;
  }
  return bytes;
}

const readers: Record<string, (view: DataView, at: number, little: boolean) => number> = {
  b1: (view, at) => view.getUint8(at),
  u1: (view, at) => view.getUint8(at),
  i1: (view, at) => view.getInt8(at),
  u2: (view, at, little) => view.getUint16(at, little),
  i2: (view, at, little) => view.getInt16(at, little),
  u4: (view, at, little) => view.getUint32(at, little),
  i4: (view, at, little) => view.getInt32(at, little),
  u8: (view, at, little) => Number(view.getBigUint64(at, little)),
  i8: (view, at, little) => Number(view.getBigInt64(at, little)),
  f4: (view, at, little) => view.getFloat32(at, little),
  f8: (view, at, little) => view.getFloat64(at, little),
};

function npyValues(bytes: Buffer, header: NpyHeader): (number | string)[] {
  const { type, shape, offset, itemSize, littleEndian } = header;
  const count = shape.reduce((product, length) => product * length, 1);
  if (bytes.length < offset + count * itemSize) throw new BadImageError('an array cut off');
  const at = (index: number): number => offset + index * itemSize;
  const read = readers[type];
  if (read) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return Array.from({ length: count }, (_, index) => read(view, at(index), littleEndian));
  }
  const isText = /^[US]\d+$/.test(type);
  if (!isText || (type.startsWith('U') && !littleEndian)) {
    throw new BadImageError(`values of type ${type}, where numbers or texts were expected`);
  }
  return Array.from({ length: count }, (_, index) => {
    const item = bytes.subarray(at(index), at(index + 1));
    return type.startsWith('S') ? item.toString('utf8').replace(/\0+$/, '') : fromUtf32(item);
  });
}

function fromUtf32(bytes: Buffer): string {
  let text = '';
  for (let at = 0; at + 4 <= bytes.length; at += 4) {
    const code = bytes.readUInt32LE(at);
    if (code > 0 && code <= 0x10ffff) text += String.fromCodePoint(code);
  }
  return text;
}

function refusal(where: string, error: unknown): Error {
  if (errorCode(error) === 'ENOENT') {
    return new RequestError({ where, expected: 'an .npz file', got: 'no such file' });
  }
  if (error instanceof BadImageError) {
    const expected = 'an array of pictures or of labels';
    return new RequestError({ where, expected, got: error.message }, { cause: error });
  }
  if (error instanceof CarryoverError) return error;
  if (error instanceof Error && error.name === 'AbortError') return error;
  const got = error instanceof Error ? error.message : String(error);
  return new RequestError(
    { where, expected: 'a whole .npz file', got, hint: 'download or save it again' },
    { cause: error },
  );
}
