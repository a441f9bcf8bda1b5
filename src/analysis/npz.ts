/**
 * Statistics as pytorch-fid and numpy's `savez` write them: a zip of `.npy` arrays (NEP 1), `mu` [D] and
 * `sigma` [D, D] in float64.
 */
import { buffer } from 'node:stream/consumers';
import { crc32 } from 'node:zlib';
import * as yauzl from 'yauzl';
import { errorCode, RequestError, WorkError, writeFileWhole } from '../util/index.ts';
import type { Moments } from './frechet.ts';

/** A covariance of 16,384 features; more is no statistic of ours. */
const LARGEST_ARRAY = 2 ** 31;

const MAGIC = '\x93NUMPY';

interface NumberArray {
  shape: number[];
  values: Float64Array;
}

/** Reads `mu` and `sigma`. @throws RequestError for no such file; WorkError for anything else in it. */
export async function readMoments(path: string): Promise<Moments> {
  let zip: yauzl.ZipFile;
  try {
    zip = await yauzl.openPromise(path, { autoClose: false });
  } catch (error) {
    const isAbsent = errorCode(error) === 'ENOENT';
    if (!isAbsent) throw damaged(path, error);
    throw new RequestError({ where: path, expected: 'an .npz file', got: 'no such file' });
  }
  const arrays = new Map<string, NumberArray>();
  try {
    for await (const entry of zip.eachEntry()) {
      const name = entry.fileName.replace(/\.npy$/, '');
      if (name !== 'mu' && name !== 'sigma') continue;
      if (entry.uncompressedSize > LARGEST_ARRAY) throw new Error(`${name} is too large`);
      arrays.set(name, parseNpy(await buffer(await zip.openReadStreamPromise(entry))));
    }
  } catch (error) {
    throw damaged(path, error);
  } finally {
    zip.close();
  }
  const [mu, sigma] = [arrays.get('mu'), arrays.get('sigma')];
  const width = mu?.shape[0] ?? 0;
  const fits =
    mu?.shape.length === 1 && sigma?.shape.length === 2 && sigma.shape.every((n) => n === width);
  if (!mu || !sigma || !fits || width === 0) {
    throw new WorkError({
      where: path,
      expected: 'arrays mu [D] and sigma [D, D], as pytorch-fid writes them',
      got: [...arrays].map(([name, { shape }]) => `${name} [${shape}]`).join(', ') || 'neither',
    });
  }
  return { mean: mu.values, covariance: sigma.values };
}

/** Writes `mu` and `sigma`, whole or not at all, readable by `numpy.load` and pytorch-fid. */
export async function writeMoments(path: string, moments: Moments): Promise<void> {
  const width = moments.mean.length;
  const content = zipOf([
    { name: 'mu.npy', bytes: npyOf([width], moments.mean) },
    { name: 'sigma.npy', bytes: npyOf([width, width], moments.covariance) },
  ]);
  await writeFileWhole(path, content);
}

function npyOf(shape: readonly number[], values: Float64Array): Buffer {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const text = `{'descr': '<f8', 'fortran_order': False, 'shape': ${tuple}, }`;
  // The numbers start at a multiple of 64 bytes.
  const length = Math.ceil((10 + text.length + 1) / 64) * 64 - 10;
  const head = Buffer.alloc(10);
  head.write(MAGIC, 'latin1');
  head.writeUInt8(1, 6);
  head.writeUInt16LE(length, 8);
  const header = Buffer.from(`${text.padEnd(length - 1)}\n`, 'latin1');
  const numbers = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  return Buffer.concat([head, header, numbers]);
}

function parseNpy(bytes: Buffer): NumberArray {
  if (bytes.length < 12 || bytes.toString('latin1', 0, 6) !== MAGIC) {
    throw new Error('not an .npy array');
  }
  const isFirst = bytes[6] === 1;
  const start = isFirst ? 10 : 12;
  const offset = start + (isFirst ? bytes.readUInt16LE(8) : bytes.readUInt32LE(8));
  const header = bytes.toString('latin1', start, Math.min(offset, start + 4096));
  const type = /'descr':\s*'<(f4|f8)'/.exec(header)?.[1];
  const dimensions = /'shape':\s*\(([\d,\s]*)\)/.exec(header)?.[1];
  if (type === undefined || dimensions === undefined) {
    throw new Error(`an array that is not of float32 or float64: ${header.trim().slice(0, 120)}`);
  }
  const shape = dimensions
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean)
    .map(Number);
  const count = shape.reduce((product, size) => product * size, 1);
  const itemSize = type === 'f8' ? 8 : 4;
  if (bytes.length < offset + count * itemSize) throw new Error('an array that is cut off');
  const values = new Float64Array(count);
  for (let at = 0; at < count; at++) {
    const place = offset + at * itemSize;
    values[at] = type === 'f8' ? bytes.readDoubleLE(place) : bytes.readFloatLE(place);
  }
  // A covariance is symmetric: the order of its axes does not matter.
  return { shape, values };
}

/** A zip archive with its members stored as they are. */
function zipOf(members: readonly { name: string; bytes: Buffer }[]): Buffer {
  const local: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const { name, bytes } of members) {
    // From the version needed to the lengths: alike in both records. 1 January 1980, 0:00.
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(0x21, 8);
    common.writeUInt32LE(crc32(bytes), 10);
    common.writeUInt32LE(bytes.length, 14);
    common.writeUInt32LE(bytes.length, 18);
    common.writeUInt16LE(name.length, 22);
    const head = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), common, Buffer.from(name)]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    central.push(
      Buffer.concat([Buffer.from('PK\x01\x02\x14\x00', 'latin1'), common, tail, Buffer.from(name)]),
    );
    local.push(head, bytes);
    offset += head.length + bytes.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(members.length, 8);
  end.writeUInt16LE(members.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...local, directory, end]);
}

function damaged(path: string, error: unknown): WorkError {
  return new WorkError(
    {
      where: path,
      expected: 'a whole .npz file',
      got: error instanceof Error ? error.message : String(error),
      hint: 'save or copy it again',
    },
    { cause: error },
  );
}
