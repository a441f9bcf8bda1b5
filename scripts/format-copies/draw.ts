/** Small pictures that differ by class and by seed, and files of them. They show nothing real. */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import sharp from 'sharp';
import { RandomStream } from '../../src/util/index.ts';

/** [height * width] levels of 0 to 255: a ground of noise with one disc, or several dots. */
export function greyPicture(
  width: number,
  height: number,
  { seed, label, dots = 1 }: { seed: number; label: number; dots?: number },
): Uint8Array<ArrayBuffer> {
  const random = new RandomStream('format copies', seed, label);
  const result = new Uint8Array(width * height);
  for (let pixel = 0; pixel < result.length; pixel++) result[pixel] = 40 + random.integer(60);
  const radius = dots === 1 ? width / 5 : width / 20;
  for (let dot = 0; dot < dots; dot++) {
    const x0 = width * (0.2 + 0.6 * random.uniform(0, 1));
    const y0 = height * (0.2 + 0.6 * random.uniform(0, 1));
    for (let pixel = 0; pixel < result.length; pixel++) {
      const [x, y] = [pixel % width, Math.floor(pixel / width)];
      if (Math.hypot(x - x0, y - y0) > radius) continue;
      result[pixel] = Math.min(255, (result[pixel] ?? 0) + 60 + 20 * label);
    }
  }
  return result;
}

/** [height * width * 3]: the grey picture, tinted by its class. */
export function colourPicture(
  width: number,
  height: number,
  options: { seed: number; label: number; dots?: number },
): Uint8Array<ArrayBuffer> {
  const grey = greyPicture(width, height, options);
  const result = new Uint8Array(grey.length * 3);
  grey.forEach((level, pixel) => {
    result[pixel * 3] = level;
    result[pixel * 3 + 1] = Math.max(0, level - 12 * options.label);
    result[pixel * 3 + 2] = Math.max(0, level - 25);
  });
  return result;
}

/** Encodes by the ending of `path`; makes its folder. */
export async function writeImage(
  path: string,
  data: Uint8Array,
  width: number,
  height: number,
): Promise<void> {
  mkdirSync(dirname(path), { recursive: true });
  const channels = data.length === width * height ? 1 : 3;
  const image = sharp(data, { raw: { width, height, channels } });
  await image.toColourspace(channels === 1 ? 'b-w' : 'srgb').toFile(path);
}
