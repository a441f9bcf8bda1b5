/** Small copies of sets that come as arrays: PatchCamelyon, MedMNIST, and HDF5 of one's own. */
import { createWriteStream, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { crc32, deflateRawSync, gzipSync } from 'node:zlib';
import { File, ready } from 'h5wasm/node';
import { colourPicture, greyPicture } from './draw.ts';
import { writeText } from './publicSets.ts';

export interface ArrayOptions {
  /** Rows of a chunk; absent for an array without chunks. */
  chunkRows?: number;
  /** Level of deflate, of an array in chunks. */
  level?: number;
}

interface NamedArray extends ArrayOptions {
  name: string;
  shape: number[];
  data: Uint8Array | Uint16Array | Float32Array | BigInt64Array | string[];
}

/** Writes an HDF5 file. Slashes in names make groups. */
export async function writeHdf5(path: string, arrays: readonly NamedArray[]): Promise<void> {
  await ready;
  mkdirSync(dirname(path), { recursive: true });
  rmSync(path, { force: true });
  const file = new File(path, 'w');
  const groups = new Set<string>();
  for (const { name, shape, data, chunkRows, level } of arrays) {
    const group = name.includes('/') ? name.slice(0, name.lastIndexOf('/')) : '';
    if (group !== '' && !groups.has(group)) file.create_group(group);
    groups.add(group);
    const chunks = chunkRows === undefined ? null : [chunkRows, ...shape.slice(1)];
    file.create_dataset({
      name,
      data,
      shape,
      chunks,
      ...(level === undefined ? {} : { compression: level }),
    });
  }
  file.close();
}

const splits = { train: 24, valid: 12, test: 12 } as const;

/**
 * Six files and three tables of slides. Chunked and compressed in another way in each split; the test
 * split as the .h5.gz that is published.
 */
export async function writePatchCamelyon(folder: string): Promise<void> {
  const layouts: Record<keyof typeof splits, ArrayOptions> = {
    train: { chunkRows: 5, level: 4 },
    valid: { chunkRows: 1 },
    test: {},
  };
  let seed = 0;
  for (const split of ['train', 'valid', 'test'] as const) {
    const count = splits[split];
    const labels = Uint8Array.from({ length: count }, (_, row) => row % 2);
    const patches = new Uint8Array(count * 96 * 96 * 3);
    labels.forEach((label, row) => {
      patches.set(colourPicture(96, 96, { seed: seed++, label }), row * 96 * 96 * 3);
    });
    const stem = join(folder, `camelyonpatch_level_2_split_${split}`);
    const x = { name: 'x', shape: [count, 96, 96, 3], data: patches, ...layouts[split] };
    await writeHdf5(`${stem}_x.h5`, [x]);
    await writeHdf5(`${stem}_y.h5`, [{ name: 'y', shape: [count, 1, 1, 1], data: labels }]);
    const rows = [...labels].map((label, row) => {
      const slide = `camelyon16_${split}_${label ? 'tumor' : 'normal'}_${String(row >> 2).padStart(3, '0')}`;
      return `${row},${1000 + row},${2000 + row},${label ? 'True' : 'False'},${label ? 'True' : 'False'},${slide}`;
    });
    const header = ',coord_y,coord_x,tumor_patch,center_tumor_patch,wsi';
    writeText(`${stem}_meta.csv`, `${header}\n${rows.join('\n')}\n`);
    if (split !== 'test') continue;
    for (const part of ['x', 'y']) {
      writeFileSync(`${stem}_${part}.h5.gz`, gzipSync(readFileSync(`${stem}_${part}.h5`)));
      rmSync(`${stem}_${part}.h5`);
    }
  }
}

/** Bytes of an .npy file (version 1.0). @param type NumPy's code, for example `|u1` or `<i8`. */
export function npy(type: string, shape: readonly number[], data: ArrayBufferView): Buffer {
  const size = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const text = `{'descr': '${type}', 'fortran_order': False, 'shape': (${size}), }`;
  // The numbers begin at a multiple of 64 bytes.
  const padded = `${text.padEnd(Math.ceil((text.length + 11) / 64) * 64 - 11)}\n`;
  const head = Buffer.alloc(10);
  head.write('\x93NUMPY\x01\x00', 'latin1');
  head.writeUInt16LE(padded.length, 8);
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return Buffer.concat([head, Buffer.from(padded, 'latin1'), bytes]);
}

/** Writes a zip of .npy files, as numpy.savez and, compressed, numpy.savez_compressed do. */
export async function writeNpz(
  path: string,
  arrays: Readonly<Record<string, Buffer>>,
  { compressed = true }: { compressed?: boolean } = {},
): Promise<void> {
  mkdirSync(dirname(path), { recursive: true });
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, bytes] of Object.entries(arrays)) {
    const body = compressed ? deflateRawSync(bytes) : bytes;
    const file = Buffer.from(`${name}.npy`);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(compressed ? 8 : 0, 4);
    common.writeUInt32LE(crc32(bytes), 10);
    common.writeUInt32LE(body.length, 14);
    common.writeUInt32LE(bytes.length, 18);
    common.writeUInt16LE(file.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), common, file, body]);
    const entry = Buffer.alloc(46);
    entry.write('PK\x01\x02', 'latin1');
    entry.writeUInt16LE(20, 4);
    common.copy(entry, 6);
    entry.writeUInt32LE(offset, 42);
    directory.push(entry, file);
    locals.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(locals.length, 8);
  end.writeUInt16LE(locals.length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  await new Promise<void>((resolve, reject) => {
    const sink = createWriteStream(path).on('finish', resolve).on('error', reject);
    sink.end(Buffer.concat([...locals, central, end]));
  });
}

export interface MedmnistOptions {
  size?: number;
  colour?: boolean;
  /** Label columns; more than one is a multi-label set. */
  columns?: number;
  classes?: number;
  compressed?: boolean;
}

/** A file in the keys and types of MedMNIST. */
export async function writeMedmnist(path: string, options: MedmnistOptions = {}): Promise<void> {
  const { size = 28, colour = true, columns = 1, classes = 3, compressed } = options;
  const arrays: Record<string, Buffer> = {};
  let seed = 0;
  for (const [split, count] of [
    ['train', 24],
    ['val', 12],
    ['test', 12],
  ] as const) {
    const shape = colour ? [count, size, size, 3] : [count, size, size];
    const length = size * size * (colour ? 3 : 1);
    const images = new Uint8Array(count * length);
    const labels = new Uint8Array(count * columns);
    for (let row = 0; row < count; row++) {
      const label = row % classes;
      const draw = colour ? colourPicture : greyPicture;
      images.set(draw(size, size, { seed: seed++, label }), row * length);
      for (let column = 0; column < columns; column++) {
        labels[row * columns + column] = columns === 1 ? label : (row + column) % 3 === 0 ? 1 : 0;
      }
    }
    arrays[`${split}_images`] = npy('|u1', shape, images);
    arrays[`${split}_labels`] = npy('|u1', [count, columns], labels);
  }
  await writeNpz(path, arrays, { compressed });
}

/** An HDF5 file of one's own: pictures, labels as texts, patients. */
export async function writeOwnHdf5(path: string, count = 40): Promise<void> {
  const images = new Uint8Array(count * 32 * 32);
  for (let row = 0; row < count; row++) {
    images.set(greyPicture(32, 32, { seed: row, label: (row >> 1) % 2 }), row * 32 * 32);
  }
  const rows = Array.from({ length: count }, (_, row) => row);
  await writeHdf5(path, [
    { name: 'scans/images', shape: [count, 32, 32], data: images, chunkRows: 8, level: 1 },
    {
      name: 'scans/finding',
      shape: [count],
      data: rows.map((row) => ((row >> 1) % 2 ? 'nodule' : 'clear')),
    },
    { name: 'scans/patient', shape: [count], data: rows.map((row) => `p${row >> 1}`) },
  ]);
}
