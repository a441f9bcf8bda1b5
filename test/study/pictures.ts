/** A small folder of pictures, one folder a class, that a network can tell apart. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { RandomStream } from '../../src/util/index.ts';

/** Stripes of one angle a class, over noise. */
export async function makePictures(
  folder: string,
  { classes = 3, each = 20, side = 40, seed = 0 }: Partial<Record<string, number>> = {},
): Promise<void> {
  for (let label = 0; label < classes; label++) {
    const place = join(folder, `class${label}`);
    await mkdir(place, { recursive: true });
    const angle = (Math.PI * label) / classes;
    for (let index = 0; index < each; index++) {
      const stream = new RandomStream('pictures', seed, label, index);
      const phase = stream.uniform(0, 2 * Math.PI);
      const pixels = Buffer.alloc(side * side * 3);
      for (let y = 0; y < side; y++) {
        for (let x = 0; x < side; x++) {
          const wave = Math.sin((x * Math.cos(angle) + y * Math.sin(angle)) / 2 + phase);
          for (let channel = 0; channel < 3; channel++) {
            pixels[(y * side + x) * 3 + channel] = 128 + 80 * wave + stream.uniform(-30, 30);
          }
        }
      }
      await sharp(pixels, { raw: { width: side, height: side, channels: 3 } })
        .png()
        .toFile(join(place, `${index}.png`));
    }
  }
}
