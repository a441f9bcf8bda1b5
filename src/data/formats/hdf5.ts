/** HDF5 files: their arrays, as a whole or row by row. Reading is synchronous, inside the library. */
import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { createGunzip } from 'node:zlib';
import type { Dataset, File } from 'h5wasm/node';
import { CarryoverError, errorCode, RequestError } from '../../util/index.ts';
import { BadImageError } from '../images/badImage.ts';
import { rowReference } from '../images/reference.ts';
import type { OpenOptions } from '../kind.ts';
import type { ArrayDescription, ArrayFile, PictureArray } from './arrayFile.ts';
import { type ImageShape, imageShape } from './arrayImage.ts';
import { unpack } from './unpack.ts';

/** Arrays that are read as a whole hold labels, not pictures: longer ones are a mistake. */
const longestValues = 1 << 26;

export class Hdf5File implements ArrayFile {
  readonly path: string;
  readonly names: readonly string[];
  /** Where the bytes are: the file itself, or its unpacked copy. */
  readonly #plainPath: string;
  readonly #file: File;

  private constructor(path: string, plainPath: string, file: File, names: readonly string[]) {
    this.path = path;
    this.names = names;
    this.#plainPath = plainPath;
    this.#file = file;
  }

  /** A gzipped file is unpacked into the cache folder first. */
  static async open(path: string, options: OpenOptions): Promise<Hdf5File> {
    try {
      const plainPath = (await isGzip(path)) ? await gunzipped(path, options) : path;
      const file = await openHdf5(plainPath);
      const names = file.paths().filter((name) => datasetOf(file, name) !== undefined);
      return new Hdf5File(path, plainPath, file, names);
    } catch (error) {
      throw refusal(path, error);
    }
  }

  async describe(name: string): Promise<ArrayDescription> {
    const dataset = this.#dataset(name);
    return { shape: dataset.shape ?? [], type: typeName(dataset) };
  }

  async values(name: string): Promise<(number | string)[]> {
    const where = `${this.path}: ${name}`;
    const dataset = this.#dataset(name);
    const count = (dataset.shape ?? []).reduce((product, length) => product * length, 1);
    if (count > longestValues) {
      throw new RequestError({ where, expected: 'labels', got: `${count} values` });
    }
    try {
      return [...flatten(dataset.value)];
    } catch (error) {
      throw refusal(where, error);
    }
  }

  async pictures(name: string): Promise<PictureArray> {
    try {
      const shape = hdf5ImageShape(this.#dataset(name));
      return { shape, reference: (row) => rowReference(this.#plainPath, row, name) };
    } catch (error) {
      throw refusal(`${this.path}: ${name}`, error);
    }
  }

  close(): void {
    this.#file.close();
  }

  #dataset(name: string): Dataset {
    const found = datasetOf(this.#file, name);
    if (found) return found;
    throw new RequestError({ where: this.path, expected: `an array ${name}`, got: 'none' });
  }
}

/** Megabytes of WebAssembly, which runs and decoding threads without HDF5 files never load. */
let library: typeof import('h5wasm/node') | undefined;

/** @throws Error whose message is the library's last word. */
export async function openHdf5(path: string): Promise<File> {
  library ??= await import('h5wasm/node');
  const module = await library.ready;
  // Without it, faults are printed and the library goes on with what it does not have.
  module.activate_throwing_error_handler();
  try {
    return new library.File(path, 'r');
  } catch (error) {
    throw new Error(hdf5Reason(error), { cause: error });
  }
}

/** The array of that name; the library throws where there is nothing. */
export function datasetOf(file: File, name: string): Dataset | undefined {
  try {
    const found = file.get(name);
    return library && found instanceof library.Dataset ? found : undefined;
  } catch {
    return undefined;
  }
}

/** The innermost message of the library's report. */
export function hdf5Reason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const inner = [...message.matchAll(/#\d+: \S+ line \d+ in \w+\(\): (.*)/g)].at(-1)?.[1];
  const length = /^truncated file: eof = (\d+),.* stored_eof = (\d+)/.exec(inner ?? '');
  if (length) return `truncated file: ${length[1]} of ${length[2]} bytes`;
  return inner ?? message.split('\n')[0] ?? message;
}

/** @throws BadImageError for another shape or type than pictures have. */
export function hdf5ImageShape(dataset: Dataset): ImageShape {
  const { type, size, signed } = dataset.metadata;
  const whole = type === integerClass && !signed;
  const width = whole && size === 1 ? 'uint8' : whole && size === 2 ? 'uint16' : undefined;
  // Whatever the file's byte order, the library gives numbers in the machine's.
  return imageShape(dataset.shape ?? [], width, typeName(dataset), true);
}

/** HDF5's class of whole numbers. */
const integerClass = 0;

/** NumPy's code, as h5py shows it. */
function typeName(dataset: Dataset): string {
  const { type, size, signed } = dataset.metadata;
  if (type === integerClass) return `${signed ? 'int' : 'uint'}${size * 8}`;
  if (type === 1) return `float${size * 8}`;
  return typeof dataset.dtype === 'string' ? dataset.dtype : 'compound';
}

/** Numbers and texts of an array of any depth. */
function* flatten(value: unknown): Generator<number | string> {
  if (typeof value === 'number' || typeof value === 'string') yield value;
  else if (typeof value === 'bigint' || typeof value === 'boolean') yield Number(value);
  else if (Array.isArray(value) || ArrayBuffer.isView(value)) {
    for (const item of Array.isArray(value) ? value : numbersOf(value)) yield* flatten(item);
  } else throw new BadImageError('values of another type than numbers or texts');
}

function numbersOf(view: ArrayBufferView): Iterable<unknown> {
  return Symbol.iterator in view ? (view as Iterable<unknown> & ArrayBufferView) : [];
}

async function isGzip(path: string): Promise<boolean> {
  const file = await open(path, 'r');
  try {
    const { buffer } = await file.read(Buffer.alloc(2), 0, 2, 0);
    return buffer[0] === 0x1f && buffer[1] === 0x8b;
  } finally {
    await file.close();
  }
}

async function gunzipped(path: string, options: OpenOptions): Promise<string> {
  const length = await lengthInTrailer(path);
  return unpack(
    {
      path,
      part: basename(path),
      name: basename(path).replace(/\.gz$/i, ''),
      isWhole: (bytes) => bytes % 2 ** 32 === length,
      open: async () => {
        const source = createReadStream(path);
        const gunzip = createGunzip();
        source.on('error', (error) => gunzip.destroy(error));
        return source.pipe(gunzip);
      },
    },
    options,
  );
}

/** The length that a gzip file ends with, modulo 2^32. */
async function lengthInTrailer(path: string): Promise<number> {
  const { size } = await stat(path);
  const file = await open(path, 'r');
  try {
    const { buffer } = await file.read(Buffer.alloc(4), 0, 4, Math.max(0, size - 4));
    return buffer.readUInt32LE(0);
  } finally {
    await file.close();
  }
}

function refusal(where: string, error: unknown): Error {
  if (error instanceof CarryoverError) return error;
  if (error instanceof Error && error.name === 'AbortError') return error;
  const code = errorCode(error);
  if (error instanceof BadImageError) {
    const expected = 'an array of pictures or of labels';
    return new RequestError({ where, expected, got: error.message }, { cause: error });
  }
  const got =
    code === 'ENOENT' ? 'no such file' : code === 'EISDIR' ? 'a folder' : hdf5Reason(error);
  return new RequestError(
    { where, expected: 'a whole HDF5 file', got, hint: 'check the path, or download it again' },
    { cause: error },
  );
}
