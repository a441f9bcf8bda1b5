/** Pictures of any usual type to 8-bit RGB, through sharp: see `decode.ts` for what becomes of their pixels. */
import type { Metadata, Sharp } from 'sharp';
import { BadImageError, checkPixelCount } from './badImage.ts';
import { readJpegHead } from './jpegHead.ts';
import type { ImageSource, RgbImage } from './rows.ts';
import { sharp } from './sharp.ts';

const formats = new Set(['jpeg', 'png', 'tiff', 'webp', 'gif', 'heif']);

/** The first picture of a file. @throws BadImageError with the reason. */
export async function decodePicture(bytes: Buffer, maxPixels: number): Promise<RgbImage> {
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
