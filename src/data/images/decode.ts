/**
 * Image files to 8-bit RGB, as Pillow's `exif_transpose(Image.open(f)).convert("RGB")` has it: turned
 * as EXIF says, palettes looked up, grey repeated, alpha dropped, colour profiles ignored, CMYK by
 * Pillow's formula. 16 bits become 8 by dropping the lower byte. The type is told by content.
 */
import { readFile } from 'node:fs/promises';
import sharp, { type Metadata, type Sharp } from 'sharp';
import type { RgbImage } from './resize.ts';

/** Why a file is no usable image, in words for a user. */
export class BadImageError extends Error {}

/** Pillow's limit against decompression bombs, in pixels. */
export const defaultMaxPixels = 178_956_970;

const formats = new Set(['jpeg', 'png', 'tiff', 'webp', 'gif', 'heif']);

// One thread and no cache of its own: the decoding threads are the parallelism.
sharp.cache(false);
sharp.concurrency(1);

/**
 * The picture in a file; the first one where there are several.
 * @throws BadImageError with the reason.
 */
export async function decodeImage(
  path: string,
  maxPixels: number = defaultMaxPixels,
): Promise<RgbImage> {
  const bytes = await readBytes(path);
  if (bytes.length === 0) throw new BadImageError('empty file (0 bytes)');
  try {
    const { space, depth, width, height } = await inspect(bytes, maxPixels);
    const settings = { failOn: 'error', ignoreIcc: true, limitInputPixels: maxPixels } as const;
    const input = sharp(bytes, settings).autoOrient();
    if (space === 'cmyk' && depth === 'uchar') {
      return cmykToRgb(await raw(input.pipelineColourspace('cmyk').toColourspace('cmyk')));
    }
    const image = await raw(input.removeAlpha().toColourspace('srgb'));
    if (image.channels !== 3 || image.data.length !== width * height * 3) {
      throw new BadImageError(`${image.channels} channels in colour space ${space}`);
    }
    return image;
  } catch (error) {
    if (error instanceof BadImageError) throw error;
    throw new BadImageError(reasonOf(error));
  }
}

async function readBytes(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new BadImageError(`${readFault}${code === 'ENOENT' ? 'no such file' : code}`);
  }
}

const readFault = 'cannot be read: ';

/** True of the reason for a file whose bytes could not be had, which says nothing of the bytes. */
export function isReadFault(reason: unknown): boolean {
  return typeof reason === 'string' && reason.startsWith(readFault);
}

/** What the file's head says, checked before any pixel is decoded. */
async function inspect(
  bytes: Buffer,
  maxPixels: number,
): Promise<{ space: string; depth: string; width: number; height: number }> {
  let metadata: Metadata;
  try {
    metadata = await sharp(bytes, { failOn: 'error', limitInputPixels: false }).metadata();
  } catch (error) {
    if (/unsupported image format/.test(String(error))) {
      throw new BadImageError(`no image of a known type; it begins with ${firstBytes(bytes)}`);
    }
    throw error;
  }
  const { format, width, height, space, depth } = metadata;
  if (!formats.has(format)) throw new BadImageError(`a file of type ${format}`);
  if (width * height > maxPixels) {
    const millions = (count: number): string => (count / 1e6).toFixed(0);
    throw new BadImageError(
      `${width} × ${height} = ${millions(width * height)} million pixels, more than the ${millions(maxPixels)} million allowed`,
    );
  }
  if (depth !== 'uchar' && depth !== 'ushort') {
    throw new BadImageError(`pixels of type ${depth}, where 8 or 16 bits a channel were expected`);
  }
  return { space, depth, width, height };
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
