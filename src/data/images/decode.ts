/**
 * Image files to 8-bit RGB, as Pillow's `exif_transpose(Image.open(f)).convert("RGB")` has it: turned
 * as EXIF says, palettes looked up, grey repeated, alpha dropped, colour profiles ignored, CMYK by
 * Pillow's formula. 16 bits become 8 by dropping the lower byte. DICOM, NIfTI and rows of arrays are
 * read by `formats/`. The type is told by content.
 */
import { type FileHandle, open } from 'node:fs/promises';
import sharp, { type Metadata, type Sharp } from 'sharp';
import { BadImageError, checkPixelCount, unreadable } from './badImage.ts';
import { fileTypeOf, headBytes } from './fileType.ts';
import { readJpegHead } from './jpegHead.ts';
import { type ImageReference, parseReference, refuseSelections } from './reference.ts';
import type { ImageSource, RgbImage } from './resize.ts';

export { BadImageError, isReadFault } from './badImage.ts';

/** Pillow's limit against decompression bombs, in pixels. */
export const defaultMaxPixels = 178_956_970;

const formats = new Set(['jpeg', 'png', 'tiff', 'webp', 'gif', 'heif']);

// One thread and no cache of its own: the decoding threads are the parallelism.
sharp.cache(false);
sharp.concurrency(1);

/**
 * The picture that a reference names (`reference.ts`); the first one of a file with several pages.
 * @throws BadImageError with the reason.
 */
export async function decodeImage(
  path: string,
  maxPixels: number = defaultMaxPixels,
): Promise<RgbImage> {
  const decode = await readImage(path);
  return decode(maxPixels);
}

/**
 * Reads the file, where it is decoded as a whole, and returns what decodes it.
 * @throws BadImageError with the reason, now or then.
 */
export async function readImage(path: string): Promise<(maxPixels: number) => Promise<RgbImage>> {
  const reference = parseReference(path);
  const file = await open(reference.file, 'r').catch((error: unknown) => {
    throw unreadable(error);
  });
  try {
    return await readFile(file, reference);
  } finally {
    await file.close();
  }
}

/** Readers of what most data sets have none of: a decoding thread starts sooner without. */
const load = {
  npy: () => import('../formats/npy.ts'),
  hdf5: () => import('../formats/hdf5Image.ts'),
  nifti: () => import('../formats/nifti.ts'),
  dicom: () => import('../formats/dicom/decodeDicom.ts'),
};

async function readFile(
  file: FileHandle,
  reference: ImageReference,
): Promise<(maxPixels: number) => Promise<RgbImage>> {
  const head = await readHead(file);
  if (head.length === 0) throw new BadImageError('empty file (0 bytes)');
  switch (fileTypeOf(head)) {
    case 'npy':
      return async (maxPixels) => (await load.npy()).decodeNpy(reference, maxPixels);
    case 'hdf5':
      return async (maxPixels) => (await load.hdf5()).decodeHdf5(reference, maxPixels);
    case 'nifti':
    case 'gzip':
      return async (maxPixels) => (await load.nifti()).decodeNifti(reference, maxPixels);
    case 'dicom': {
      const bytes = await readWhole(file);
      return async (maxPixels) => (await load.dicom()).decodeDicom(bytes, reference, maxPixels);
    }
    case 'picture':
    case 'unknown': {
      refuseSelections(reference, [], 'a single picture');
      const bytes = await readWhole(file);
      return (maxPixels) => decodePicture(bytes, maxPixels);
    }
  }
}

async function readHead(file: FileHandle): Promise<Buffer> {
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0);
    return buffer.subarray(0, bytesRead);
  } catch (error) {
    throw unreadable(error);
  }
}

/** From the start: reading the head at a position has moved nothing. */
async function readWhole(file: FileHandle): Promise<Buffer> {
  return file.readFile().catch((error: unknown) => {
    throw unreadable(error);
  });
}

async function decodePicture(bytes: Buffer, maxPixels: number): Promise<RgbImage> {
  try {
    const { space, depth, width, height, source } = await inspect(bytes, maxPixels);
    const settings = { failOn: 'error', ignoreIcc: true, limitInputPixels: maxPixels } as const;
    const input = sharp(bytes, settings).autoOrient();
    if (space === 'cmyk' && depth === 'uchar') {
      const inks = await raw(input.pipelineColourspace('cmyk').toColourspace('cmyk'));
      return { ...cmykToRgb(inks), source };
    }
    const image = await raw(input.removeAlpha().toColourspace('srgb'));
    if (image.channels !== 3 || image.data.length !== width * height * 3) {
      throw new BadImageError(`${image.channels} channels in colour space ${space}`);
    }
    return { ...image, source };
  } catch (error) {
    if (error instanceof BadImageError) throw error;
    throw new BadImageError(reasonOf(error));
  }
}

interface Inspected {
  space: string;
  depth: string;
  width: number;
  height: number;
  source: ImageSource;
}

/** What the file's head says, checked before any pixel is decoded. */
async function inspect(bytes: Buffer, maxPixels: number): Promise<Inspected> {
  const head = readJpegHead(bytes);
  if (head) {
    const { width, height, channels } = head;
    checkPixelCount(width, height, maxPixels);
    const source = { format: 'jpeg', channels, bits: 8 };
    return { space: channels === 1 ? 'b-w' : 'srgb', depth: 'uchar', width, height, source };
  }
  let metadata: Metadata;
  try {
    metadata = await sharp(bytes, { failOn: 'error', limitInputPixels: false }).metadata();
  } catch (error) {
    if (/unsupported image format/.test(String(error))) {
      throw new BadImageError(`no image of a known type; it begins with ${firstBytes(bytes)}`);
    }
    throw error;
  }
  const { format, width, height, space, depth, channels } = metadata;
  if (!formats.has(format)) throw new BadImageError(`a file of type ${format}`);
  checkPixelCount(width, height, maxPixels);
  if (depth !== 'uchar' && depth !== 'ushort') {
    throw new BadImageError(`pixels of type ${depth}, where 8 or 16 bits a channel were expected`);
  }
  const source = { format, channels, bits: depth === 'uchar' ? 8 : 16 };
  return { space, depth, width, height, source };
}

async function raw(image: Sharp): Promise<RgbImage & { channels: number }> {
  const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height, channels: info.channels };
}

/** Pillow's conversion: what is left of white after black, less the part that each ink takes. */
function cmykToRgb({ width, height, data }: RgbImage): RgbImage {
  const result = new Uint8Array(width * height * 3);
  for (let pixel = 0; pixel < width * height; pixel++) {
    const light = 255 - (data[pixel * 4 + 3] ?? 0);
    for (let channel = 0; channel < 3; channel++) {
      const product = (data[pixel * 4 + channel] ?? 0) * light + 128;
      const taken = ((product >> 8) + product) >> 8;
      result[pixel * 3 + channel] = Math.max(0, light - taken);
    }
  }
  return { width, height, data: result };
}

/** sharp's messages without their prefix and repetition. */
function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const first = message.split('\n')[0] ?? message;
  const text = first.replace(/^(Input (buffer|file)[^:]*: )/, '').trim();
  return /^unknown error$/i.test(text) ? 'truncated or damaged' : `truncated or damaged (${text})`;
}

function firstBytes(bytes: Buffer): string {
  const head = bytes.subarray(0, 12);
  const text = head.toString('latin1');
  return /^[\x20-\x7e\s]+$/.test(text) ? JSON.stringify(text) : `bytes ${head.toString('hex')}`;
}
