/**
 * Image files to 8-bit RGB, as Pillow's `exif_transpose(Image.open(f)).convert("RGB")` has it: turned
 * as EXIF says, palettes looked up, grey repeated, alpha dropped, colour profiles ignored, CMYK by
 * Pillow's formula. 16 bits become 8 by dropping the lower byte. DICOM, NIfTI and rows of arrays are
 * read by `formats/`. The type is told by content.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { BadImageError, unreadable } from './badImage.ts';
import { fileTypeOf, headBytes } from './fileType.ts';
import { readPlainJpeg } from './plainJpeg.ts';
import { type ImageReference, parseReference, refuseSelections } from './reference.ts';
import { imageOf, type RgbImage, type RowReader, rowsOf } from './rows.ts';

export { BadImageError, isReadFault } from './badImage.ts';

/** Pillow's limit against decompression bombs, in pixels. */
export const defaultMaxPixels = 178_956_970;

/**
 * The picture that a reference names (`reference.ts`); the first one of a file with several pages.
 * @throws BadImageError with the reason.
 */
export async function decodeImage(
  path: string,
  maxPixels: number = defaultMaxPixels,
): Promise<RgbImage> {
  const decode = await readImage(path);
  return decode(maxPixels, imageOf);
}

/**
 * Decodes a picture and returns what `use` makes of its rows, all of which it reads. It may be called
 * twice, where a file turns out half way to need another decoder.
 * @throws BadImageError with the reason.
 */
export type Decode = <Result>(
  maxPixels: number,
  use: (rows: RowReader) => Result,
) => Promise<Result>;

/**
 * Reads the file, where it is decoded as a whole, and returns what decodes it.
 * @throws BadImageError with the reason, now or then.
 */
export async function readImage(path: string): Promise<Decode> {
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

/** Decoders that many a data set needs none of: a decoding thread starts sooner without. */
const load = {
  picture: () => import('./picture.ts'),
  npy: () => import('../formats/npy.ts'),
  hdf5: () => import('../formats/hdf5Image.ts'),
  nifti: () => import('../formats/nifti.ts'),
  dicom: () => import('../formats/dicom/decodeDicom.ts'),
};

async function readFile(file: FileHandle, reference: ImageReference): Promise<Decode> {
  const head = await readHead(file);
  if (head.length === 0) throw new BadImageError('empty file (0 bytes)');
  switch (fileTypeOf(head)) {
    case 'npy':
      return whole(async (maxPixels) => (await load.npy()).decodeNpy(reference, maxPixels));
    case 'hdf5':
      return whole(async (maxPixels) => (await load.hdf5()).decodeHdf5(reference, maxPixels));
    case 'nifti':
    case 'gzip':
      return whole(async (maxPixels) => (await load.nifti()).decodeNifti(reference, maxPixels));
    case 'dicom': {
      const bytes = await readWhole(file);
      return whole(async (maxPixels) =>
        (await load.dicom()).decodeDicom(bytes, reference, maxPixels),
      );
    }
    case 'picture':
    case 'unknown': {
      refuseSelections(reference, [], 'a single picture');
      const bytes = await readWhole(file);
      const otherwise = whole(async (maxPixels) =>
        (await load.picture()).decodePicture(bytes, maxPixels),
      );
      return async (maxPixels, use) =>
        readPlainJpeg(bytes, maxPixels, use) ?? otherwise(maxPixels, use);
    }
  }
}

/** Of a decoder that makes all rows at once. */
function whole(decode: (maxPixels: number) => Promise<RgbImage>): Decode {
  return async (maxPixels, use) => use(rowsOf(await decode(maxPixels)));
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
