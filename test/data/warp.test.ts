import { describe, expect, it } from 'vitest';
import { trainingBatch } from '../../src/data/augment/apply.ts';
import { drawChange } from '../../src/data/augment/draw.ts';
import { parseAugment } from '../../src/data/augment/settings.ts';
import { warpImage } from '../../src/data/augment/warpImage.ts';
import { fromTypedArray, ops, scope } from '../../src/tensor/index.ts';
import { picture } from './pictures.ts';

const norm = { mean: [0.5, 0.4, 0.3], std: [0.2, 0.3, 0.25] };

describe('images changed on the CPU', () => {
  it.each([
    [64, 56],
    [37, 35],
    [50, 7],
    [9, 9],
    [3, 2],
  ])('equal those changed by tensor operators: %i to %i', (resize, size) => {
    const settings = parseAugment({
      scale: [0.2, 1],
      colourJitter: { probability: 0.6, hue: 0.4 },
    });
    if (settings === false) throw new Error('settings expected');
    const count = 12;
    const pictures = Array.from({ length: count }, (_, seed) => picture(resize, resize, seed));
    const changes = pictures.map((_, index) =>
      drawChange(settings, { resize, size }, { seed: 3, epoch: 1, index }),
    );
    expect(changes.some(({ colour }) => colour.length > 0)).toBe(true);
    const length = size * size * 3;
    const images = new Float32Array(count * length);
    changes.forEach((change, k) => {
      const target = images.subarray(k * length, (k + 1) * length);
      warpImage(pictures[k] ?? new Uint8Array(), resize, change, { size, ...norm }, target);
    });
    const expected = scope(() => {
      const bytes = new Uint8Array(pictures.flatMap((each) => [...each]));
      const held = fromTypedArray(bytes, [count, resize, resize, 3]);
      return ops
        .permute(trainingBatch(held, changes, size, norm), [0, 2, 3, 1])
        .contiguous()
        .toArray();
    });
    expect([...images]).toBeAllclose(expected, { absolute: 2e-5 });
  });
});
