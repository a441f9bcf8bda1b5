import { describe, expect, it } from 'vitest';
import { changedImages, evaluationBatch, trainingBatch } from '../../src/data/augment/apply.ts';
import {
  type Adjustment,
  type ColourChange,
  type CropBox,
  centreCrop,
  drawChange,
} from '../../src/data/augment/draw.ts';
import { parseAugment } from '../../src/data/augment/settings.ts';
import { fromTypedArray, liveTensors, scope } from '../../src/tensor/index.ts';
import { floatsOf, messageOf, picture, readGolden } from './pictures.ts';

interface Case {
  seed: number;
  special: boolean;
  crop: CropBox;
  flipHorizontal: boolean;
  flipVertical: boolean;
  colour: ColourChange;
  image: string;
}

const golden = readGolden<{
  resize: number;
  size: number;
  centre: { resize: number; size: number; start: number }[];
  cases: Case[];
}>('augment');
const { resize, size } = golden;

/** [resize, resize, 3] bytes, with the special colours of the golden script where it put them. */
function pixelsOf({ seed, special }: Case): Uint8Array<ArrayBuffer> {
  const pixels = picture(resize, resize, seed);
  if (special) {
    const put = (row: number, column: number, colour: number[]): void => {
      pixels.set(colour, (row * resize + column) * 3);
    };
    put(10, 12, [90, 90, 90]);
    put(10, 13, [0, 0, 0]);
    put(11, 12, [255, 255, 255]);
    put(11, 13, [255, 0, 255]);
  }
  return pixels;
}

describe('image changes', () => {
  it('equal torchvision on floating point, as one batch', () => {
    const { cases } = golden;
    const pixels = new Uint8Array(cases.flatMap((one) => [...pixelsOf(one)]));
    const before = liveTensors().count;
    const values = scope(() => {
      const held = fromTypedArray(pixels, [cases.length, resize, resize, 3]);
      return changedImages(held, cases, size).toArray();
    });
    expect(liveTensors().count).toBe(before);
    const length = 3 * size * size;
    cases.forEach(({ image }, position) => {
      const one = values.slice(position * length, (position + 1) * length);
      // A level is 1/255; LibTorch's weights are of single precision, these of double.
      expect(one).toBeAllclose(floatsOf(image), { absolute: 2e-5 });
    });
  });

  it('normalise by channel, channels-last', () => {
    const norm = { mean: [0.2, 0.4, 0.6], std: [0.5, 0.25, 0.125] };
    const [value, isChannelsLast] = scope(() => {
      const pixels = fromTypedArray(new Uint8Array(2 * 8 * 8 * 3).fill(51), [2, 8, 8, 3]);
      const images = evaluationBatch(pixels, 4, norm);
      expect(images.shape).toEqual([2, 3, 4, 4]);
      return [images.toArray(), images.isContiguous('channelsLast')];
    });
    const expected = [0, 1, 2].flatMap((c) =>
      Array.from({ length: 16 }, () => (0.2 - (norm.mean[c] ?? 0)) / (norm.std[c] ?? 1)),
    );
    expect(value).toBeAllclose([...expected, ...expected], { absolute: 1e-6 });
    expect(isChannelsLast).toBe(true);
  });

  it('crop the centre where torchvision does', () => {
    for (const { resize: from, size: to, start } of golden.centre) {
      expect(centreCrop(from, to)).toEqual({ top: start, left: start, height: to, width: to });
    }
  });

  it('without random changes are the evaluation batch', () => {
    const settings = parseAugment({
      crop: 'centre_crop',
      horizontalFlip: 0,
      verticalFlip: 0,
      colourJitter: false,
    });
    if (settings === false) throw new Error('settings expected');
    const norm = { mean: [0.5, 0.5, 0.5], std: [0.2, 0.3, 0.4] };
    const [evaluated, trained] = scope(() => {
      const pixels = fromTypedArray(picture(40, 40, 9), [1, 40, 40, 3]);
      const where = { seed: 1, epoch: 2, index: 3 };
      const change = drawChange(settings, { resize: 40, size: 30 }, where);
      return [
        evaluationBatch(pixels, 30, norm).toArray(),
        trainingBatch(pixels, [change], 30, norm).toArray(),
      ];
    });
    expect(trained ?? []).toBeAllclose(evaluated ?? [], { absolute: 1e-5 });
  });
});

describe('random choices', () => {
  const settings = parseAugment(true);
  if (settings === false) throw new Error('settings expected');
  const draw = (index: number, epoch = 0, seed = 0) =>
    drawChange(settings, { resize: 256, size: 224 }, { seed, epoch, index });

  it('are a pure function of seed, epoch and sample', () => {
    expect(draw(7, 3, 1)).toEqual(draw(7, 3, 1));
    expect(draw(7, 3, 1)).not.toEqual(draw(8, 3, 1));
    expect(draw(7, 3, 1)).not.toEqual(draw(7, 4, 1));
    expect(draw(7, 3, 1)).not.toEqual(draw(7, 3, 2));
  });

  it('have the frequencies and ranges of the settings', () => {
    const changes = Array.from({ length: 4000 }, (_, index) => draw(index));
    const share = (test: (change: (typeof changes)[number]) => boolean): number =>
      changes.filter(test).length / changes.length;
    expect(share(({ flipHorizontal }) => flipHorizontal)).toBeCloseTo(0.5, 1);
    expect(share(({ flipVertical }) => flipVertical)).toBeCloseTo(0.5, 1);
    expect(share(({ colour }) => colour.length === 4)).toBeCloseTo(0.2, 1);
    expect(share(({ colour }) => colour[0]?.adjustment === 'hue')).toBeCloseTo(0.05, 1);
    const areas = changes.map(({ crop }) => (crop.width * crop.height) / 256 ** 2);
    expect(Math.min(...areas)).toBeGreaterThan(0.79);
    expect(Math.max(...areas)).toBeLessThanOrEqual(1);
    for (const { crop, colour } of changes) {
      expect(crop.top + crop.height).toBeLessThanOrEqual(256);
      expect(crop.left + crop.width).toBeLessThanOrEqual(256);
      for (const { adjustment, amount } of colour) {
        const [low, high] = adjustment === 'hue' ? [-0.1, 0.1] : [0.8, 1.2];
        expect(amount).toBeGreaterThanOrEqual(low ?? 0);
        expect(amount).toBeLessThanOrEqual(high ?? 0);
      }
    }
  });

  it('are distributed as those of torchvision', () => {
    const drawn = readGolden<{
      draws: number;
      counts: Record<'top' | 'left' | 'height' | 'width', number[]>;
      ranges: Record<Adjustment, [number, number]>;
    }>('draws');
    const changes = Array.from({ length: 12_000 }, (_, index) => draw(index, 1, 7));
    // Two-sample Kolmogorov-Smirnov: a larger distance has a probability below one in a thousand.
    const limit = (n: number, m: number): number => 1.95 * Math.sqrt((n + m) / (n * m));
    for (const side of ['top', 'left', 'height', 'width'] as const) {
      const counts = drawn.counts[side].map(() => 0);
      for (const { crop } of changes) counts[crop[side]] = (counts[crop[side]] ?? 0) + 1;
      let [ours, theirs, distance] = [0, 0, 0];
      drawn.counts[side].forEach((count, value) => {
        ours += (counts[value] ?? 0) / changes.length;
        theirs += count / drawn.draws;
        distance = Math.max(distance, Math.abs(ours - theirs));
      });
      expect(distance).toBeLessThan(limit(changes.length, drawn.draws));
    }
    for (const adjustment of ['brightness', 'contrast', 'saturation', 'hue'] as const) {
      const [low, high] = drawn.ranges[adjustment];
      const amounts = changes
        .flatMap(({ colour }) => colour.filter((one) => one.adjustment === adjustment))
        .map(({ amount }) => (amount - low) / (high - low))
        .sort((a, b) => a - b);
      const distance = Math.max(
        ...amounts.map((value, at) => Math.abs(value - at / amounts.length)),
      );
      expect(amounts.length).toBeGreaterThan(2000);
      expect(distance).toBeLessThan(1.95 / Math.sqrt(amounts.length));
    }
  });

  it('make the plain crop of the paper on request', () => {
    const plain = parseAugment({ crop: 'random_crop' });
    if (plain === false) throw new Error('settings expected');
    const boxes = Array.from(
      { length: 300 },
      (_, index) =>
        drawChange(plain, { resize: 256, size: 224 }, { seed: 0, epoch: 0, index }).crop,
    );
    expect(boxes.every(({ width, height }) => width === 224 && height === 224)).toBe(true);
    expect(Math.min(...boxes.map(({ top }) => top))).toBe(0);
    expect(Math.max(...boxes.map(({ left }) => left))).toBe(32);
  });

  it('are set by strict settings', async () => {
    expect(parseAugment(false)).toBe(false);
    expect(await messageOf(() => parseAugment({ horizontalflip: 1 }))).toContain(
      'did you mean horizontalFlip',
    );
    expect(await messageOf(() => parseAugment({ colourJitter: { hues: 1 } }))).toContain('hue');
    expect(await messageOf(() => parseAugment({ scale: [1, 0.5] }))).toContain('scale');
    expect(await messageOf(() => parseAugment({ crop: 'random' }))).toContain('random_crop');
  });
});
