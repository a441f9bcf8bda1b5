/**
 * Slices of NIfTI volumes, plain or gzipped. A slice is taken as it is stored, without turning it by
 * the file's orientation: along the third axis x runs to the right and y down; along the second x and
 * z, along the first y and z.
 */
import { readFile, stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { constants, gunzip, gunzipSync } from 'node:zlib';
import { BadImageError, checkPixelCount, unreadable } from '../images/badImage.ts';
import { type ImageReference, refuseSelections } from '../images/reference.ts';
import type { RgbImage } from '../images/rows.ts';
import { greyImage, greyLevels, rangeOf } from './grey.ts';
import { type NiftiHeader, niftiHeaderBytes, parseNiftiHeader } from './niftiHeader.ts';

interface Volume {
  header: NiftiHeader;
  /** One number a voxel; three or four for colours. */
  voxels: ArrayLike<number>;
  colours: 0 | 3 | 4;
  /** Of a number. */
  bits: number;
  /** Of all voxels, so that the slices of a volume can be compared. */
  window: readonly [number, number];
}

/** Volumes of more bytes are no input for pictures. */
const longestVolume = 2 ** 31 - 1;

/** The volume read last: slices of one are asked for one after another. */
let latest: { key: string; volume: Promise<Volume> } | undefined;

/** @throws BadImageError */
export async function decodeNifti(reference: ImageReference, maxPixels: number): Promise<RgbImage> {
  refuseSelections(reference, ['axis', 'slice', 'window'], 'a NIfTI volume');
  const { size } = await stat(reference.file).then(
    ({ size: bytes, mtimeMs }) => ({ size: `${bytes} ${mtimeMs}` }),
    (error: unknown) => {
      throw unreadable(error);
    },
  );
  const key = `${reference.file} ${size}`;
  if (latest?.key !== key) latest = { key, volume: readVolume(reference.file) };
  const volume = await latest.volume;
  return cut(volume, reference, maxPixels);
}

async function readVolume(path: string): Promise<Volume> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw unreadable(error);
  });
  const zipped = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const head = zipped ? inflateHead(bytes) : bytes.subarray(0, niftiHeaderBytes);
  const header = parseNiftiHeader(head);
  const type = typeOf(header);
  const [x, y, z] = header.size;
  const voxelBytes = x * y * z * type.bytes;
  const end = header.offset + voxelBytes;
  if (!(end <= longestVolume)) {
    throw new BadImageError(`a NIfTI volume of ${(end / 1e9).toFixed(1)} GB, more than 2 GB`);
  }
  const whole = zipped ? await inflate(bytes, end) : bytes;
  if (whole.length < end) {
    throw new BadImageError(`truncated: ${whole.length} bytes, where ${end} were expected`);
  }
  // A copy: typed arrays need aligned memory, and swapping must leave the file's bytes alone.
  const data = Buffer.alloc(voxelBytes);
  whole.copy(data, 0, header.offset, end);
  if (!header.littleEndian) swap(data, type.itemBytes);
  const voxels = type.read(data.buffer, data.byteOffset, voxelBytes / type.itemBytes);
  const { slope, intercept } = header;
  const plain = header.datatype === 2 && slope === 1 && intercept === 0;
  const [low, high] = plain ? [0, 255] : rangeOf(voxels);
  const ends = [low * slope + intercept, high * slope + intercept];
  const window = header.window ?? ([Math.min(...ends), Math.max(...ends)] as const);
  return { header, voxels, colours: type.colours, bits: type.itemBytes * 8, window };
}

/** The header's bytes, of a file of which no more is inflated. */
function inflateHead(bytes: Buffer): Buffer {
  try {
    const options = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: 1 << 26 };
    return gunzipSync(bytes.subarray(0, 1 << 14), options);
  } catch (error) {
    throw damaged(error);
  }
}

async function inflate(bytes: Buffer, end: number): Promise<Buffer> {
  try {
    return await promisify(gunzip)(bytes, { maxOutputLength: end + (1 << 20) });
  } catch (error) {
    throw damaged(error);
  }
}

function damaged(error: unknown): BadImageError {
  const reason = error instanceof Error ? error.message : String(error);
  return new BadImageError(`truncated or damaged (gzip: ${reason})`);
}

interface VoxelType {
  /** Bytes of a voxel. */
  bytes: number;
  /** Bytes of a number. */
  itemBytes: number;
  colours: 0 | 3 | 4;
  read: (buffer: ArrayBufferLike, offset: number, count: number) => ArrayLike<number>;
}

/** @throws BadImageError for types that no picture has. */
function typeOf({ datatype }: NiftiHeader): VoxelType {
  const type = types.get(datatype);
  if (type) return type;
  throw new BadImageError(
    `a NIfTI volume of data type ${datatype}, where integers, floats or RGB were expected`,
  );
}

const plain = (bytes: number, read: VoxelType['read']): VoxelType => ({
  bytes,
  itemBytes: bytes,
  colours: 0,
  read,
});

const types = new Map<number, VoxelType>([
  [2, plain(1, (buffer, at, count) => new Uint8Array(buffer, at, count))],
  [4, plain(2, (buffer, at, count) => new Int16Array(buffer, at, count))],
  [8, plain(4, (buffer, at, count) => new Int32Array(buffer, at, count))],
  [16, plain(4, (buffer, at, count) => new Float32Array(buffer, at, count))],
  [64, plain(8, (buffer, at, count) => new Float64Array(buffer, at, count))],
  [256, plain(1, (buffer, at, count) => new Int8Array(buffer, at, count))],
  [512, plain(2, (buffer, at, count) => new Uint16Array(buffer, at, count))],
  [768, plain(4, (buffer, at, count) => new Uint32Array(buffer, at, count))],
  [1024, plain(8, (buffer, at, n) => Float64Array.from(new BigInt64Array(buffer, at, n), Number))],
  [1280, plain(8, (buffer, at, n) => Float64Array.from(new BigUint64Array(buffer, at, n), Number))],
  [128, { ...plain(3, (b, at, count) => new Uint8Array(b, at, count)), itemBytes: 1, colours: 3 }],
  [2304, { ...plain(4, (b, at, count) => new Uint8Array(b, at, count)), itemBytes: 1, colours: 4 }],
]);

function swap(data: Buffer, itemBytes: number): void {
  if (itemBytes === 2) data.swap16();
  else if (itemBytes === 4) data.swap32();
  else if (itemBytes === 8) data.swap64();
}

/** The slice as a picture. */
function cut(volume: Volume, reference: ImageReference, maxPixels: number): RgbImage {
  const { axis = 2 } = reference;
  const { size } = volume.header;
  const count = size[axis as 0 | 1 | 2];
  const chosen = reference.slice === 'middle' ? Math.floor(count / 2) : reference.slice;
  if (chosen === undefined && count > 1) {
    throw new BadImageError(
      `a volume of ${size.join(' × ')}: name a slice after the file name, for example #slice=${Math.floor(count / 2)} (or #axis=1&slice=…, or #slice=middle)`,
    );
  }
  const slice = chosen ?? 0;
  if (slice >= count)
    throw new BadImageError(`no slice ${slice} among ${count} along axis ${axis}`);
  const steps = [1, size[0], size[0] * size[1]] as const;
  const [across, down] = axis === 2 ? [0, 1] : axis === 1 ? [0, 2] : [1, 2];
  const [width, height] = [size[across as 0 | 1], size[down as 1 | 2]];
  checkPixelCount(width, height, maxPixels);
  const start = slice * (steps[axis as 0 | 1 | 2] ?? 1);
  const at = (x: number, y: number): number =>
    start + x * (steps[across as 0 | 1] ?? 1) + y * (steps[down as 1 | 2] ?? 1);
  const image =
    volume.colours === 0
      ? greySlice(volume, width, height, at, reference.window ?? volume.window)
      : colourSlice(volume, volume.colours, width, height, at);
  const source = { format: 'nifti', channels: volume.colours || 1, bits: volume.bits };
  return { ...image, source };
}

function greySlice(
  { voxels, header }: Volume,
  width: number,
  height: number,
  at: (x: number, y: number) => number,
  [low, high]: readonly [number, number],
): RgbImage {
  const values = new Float64Array(width * height);
  for (let pixel = 0; pixel < values.length; pixel++) {
    const voxel = voxels[at(pixel % width, Math.floor(pixel / width))] as number;
    values[pixel] = voxel * header.slope + header.intercept;
  }
  return greyImage(greyLevels(values, low, high), width, height);
}

function colourSlice(
  { voxels }: Volume,
  colours: number,
  width: number,
  height: number,
  at: (x: number, y: number) => number,
): RgbImage {
  const data = new Uint8Array(width * height * 3);
  for (let pixel = 0; pixel < width * height; pixel++) {
    const voxel = at(pixel % width, Math.floor(pixel / width)) * colours;
    for (let channel = 0; channel < 3; channel++) {
      data[pixel * 3 + channel] = voxels[voxel + channel] as number;
    }
  }
  return { width, height, data };
}
