/** NumPy's .npy files: a header of Python text, then the numbers (numpy.lib.format, versions 1 to 3). */
import { type FileHandle, open } from 'node:fs/promises';
import { BadImageError, checkPixelCount, unreadable } from '../images/badImage.ts';
import { type ImageReference, refuseSelections } from '../images/reference.ts';
import type { RgbImage } from '../images/rows.ts';
import { arrayImage, type ImageShape, imageShape } from './arrayImage.ts';

export interface NpyHeader {
  /** NumPy's code without byte order: `u1`, `i8`, `f4`, `b1`, `U3`, … */
  type: string;
  littleEndian: boolean;
  shape: number[];
  /** Bytes before the first number. */
  offset: number;
  /** Bytes of one number. */
  itemSize: number;
}

export const npyMagic = '\x93NUMPY';

/** The header's length is in bytes 8 to 9 or 8 to 11; longer ones are not NumPy's. */
const longestHeader = 1 << 20;

/** How many bytes from the file's start hold the header; `undefined` where it is no .npy file. */
export function npyHeaderLength(head: Buffer): number | undefined {
  if (head.length < 12 || head.toString('latin1', 0, 6) !== npyMagic) return undefined;
  const [major = 0] = head.subarray(6, 7);
  const length = major === 1 ? 10 + head.readUInt16LE(8) : 12 + head.readUInt32LE(8);
  return length > longestHeader ? undefined : length;
}

/** @throws BadImageError where the bytes are no header of an array of plain numbers, row by row. */
export function parseNpyHeader(head: Buffer): NpyHeader {
  const offset = npyHeaderLength(head);
  if (offset === undefined || head.length < offset) {
    throw new BadImageError('an .npy header that is cut off');
  }
  const text = head.toString('latin1', head[6] === 1 ? 10 : 12, offset);
  const descr = /'descr':\s*'([<>|=]?)([a-zA-Z]\d*)'/.exec(text);
  const shape = /'shape':\s*\(([\d,\sL]*)\)/.exec(text)?.[1];
  if (!descr || shape === undefined) {
    throw new BadImageError(`an .npy array of another kind than plain numbers: ${text.trim()}`);
  }
  if (/'fortran_order':\s*True/.test(text)) {
    throw new BadImageError('an .npy array in Fortran order: save it with numpy.ascontiguousarray');
  }
  const type = descr[2] ?? '';
  const width = Number(type.slice(1));
  return {
    type,
    littleEndian: descr[1] !== '>',
    shape: shape
      .split(',')
      .map((part) => part.trim().replace(/L$/, ''))
      .filter(Boolean)
      .map(Number),
    offset,
    itemSize: type.startsWith('U') ? width * 4 : width,
  };
}

/** Reads the header of an open file. @throws BadImageError */
export async function readNpyHeader(file: FileHandle): Promise<NpyHeader> {
  const first = await readAt(file, 0, 12);
  return parseNpyHeader(await readAt(file, 0, npyHeaderLength(first) ?? 12));
}

/** Row `reference.row` of an .npy file as a picture. @throws BadImageError */
export async function decodeNpy(reference: ImageReference, maxPixels: number): Promise<RgbImage> {
  refuseSelections(reference, ['row'], 'an .npy array');
  const file = await open(reference.file, 'r').catch((error: unknown) => {
    throw unreadable(error);
  });
  try {
    const header = await readNpyHeader(file);
    const shape = npyImageShape(header);
    checkPixelCount(shape.width, shape.height, maxPixels);
    const row = reference.row ?? 0;
    if (reference.row === undefined && shape.count !== 1) {
      throw new BadImageError(
        `an array of ${shape.count} pictures: name one, for example #row=0 after the file name`,
      );
    }
    if (row >= shape.count) throw new BadImageError(`no row ${row} among ${shape.count}`);
    const length = shape.width * shape.height * shape.channels * header.itemSize;
    const bytes = await readAt(file, header.offset + row * length, length);
    if (bytes.length < length) throw new BadImageError('truncated: the array ends too early');
    return arrayImage(bytes, shape);
  } finally {
    await file.close();
  }
}

const pictureTypes: Record<string, ImageShape['type'] | undefined> = { u1: 'uint8', u2: 'uint16' };

/** What an array holds, as pictures. @throws BadImageError for another shape or type. */
export function npyImageShape(header: NpyHeader): ImageShape {
  const { type, littleEndian, shape } = header;
  return imageShape(shape, pictureTypes[type], type, littleEndian);
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
    return buffer.subarray(0, bytesRead);
  } catch (error) {
    throw unreadable(error);
  }
}
