/** JPEG files of one size, alike on every machine: soft shapes under a little noise, as photographs are. */
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { RandomStream } from '../src/util/index.ts';

export interface JpegSetOptions {
  count: number;
  /** Pixels of a side. */
  side: number;
  say(line: string): void;
}

/** Writes the files in two class folders, unless they are there. */
export async function writeJpegSet(
  folder: string,
  { count, side, say }: JpegSetOptions,
): Promise<void> {
  if (existsSync(folder)) return;
  say(`writing ${count} JPEG files of ${side} px to ${folder}`);
  const partial = `${folder}.partial`;
  rmSync(partial, { recursive: true, force: true });
  const noise = noiseOf(side);
  for (let index = 0; index < count; index++) {
    const path = join(partial, index % 2 === 0 ? 'even' : 'odd', `${index}.jpg`);
    mkdirSync(dirname(path), { recursive: true });
    await writeJpeg(path, index, side, noise);
  }
  renameSync(partial, folder);
}

async function writeJpeg(
  path: string,
  seed: number,
  side: number,
  noise: Int8Array,
): Promise<void> {
  const random = new RandomStream('jpeg', seed);
  const coarse = 24;
  const blobs = Uint8Array.from({ length: coarse * coarse * 3 }, () => random.integer(256));
  const pixels = await sharp(blobs, { raw: { width: coarse, height: coarse, channels: 3 } })
    .resize(side, side, { kernel: 'cubic' })
    .raw()
    .toBuffer();
  const shift = random.integer(noise.length);
  for (let at = 0; at < pixels.length; at++) {
    const value = (pixels[at] ?? 0) + (noise[(at + shift) % noise.length] ?? 0);
    pixels[at] = Math.max(0, Math.min(255, value));
  }
  await sharp(pixels, { raw: { width: side, height: side, channels: 3 } })
    .jpeg({ quality: 90 })
    .toFile(path);
}

function noiseOf(side: number): Int8Array {
  const random = new RandomStream('noise');
  return Int8Array.from({ length: side * side }, () => Math.round(4 * random.normal()));
}
