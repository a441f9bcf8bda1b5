/** Images without labels, and networks that see one channel. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  channelStatistics,
  type DataSet,
  isLabelled,
  Loader,
  luminanceStatistics,
  makeSplits,
  openDataSet,
  parseDataArgument,
} from '../../src/data/index.ts';
import { RequestError } from '../../src/util/index.ts';

const root = mkdtempSync(join(tmpdir(), 'carryover-images-'));
const cacheFolder = join(root, 'cache');
afterAll(() => rmSync(root, { recursive: true, force: true }));

async function picture(path: string, colour: [number, number, number], size = 12): Promise<void> {
  const pixels = Uint8Array.from({ length: size * size * 3 }, (_, at) => {
    const wave = ((Math.floor(at / 3) * 37) % 41) - 20;
    return (colour[at % 3] ?? 0) + wave;
  });
  await sharp(pixels, { raw: { width: size, height: size, channels: 3 } })
    .png()
    .toFile(path);
}

async function open(folder: string): Promise<DataSet> {
  return openDataSet(parseDataArgument(`images:${join(root, folder)}`), { cacheFolder });
}

beforeAll(async () => {
  for (const folder of ['grey/deep', 'colour', 'empty']) {
    mkdirSync(join(root, folder), { recursive: true });
  }
  await picture(join(root, 'grey', 'b.png'), [60, 60, 60]);
  await picture(join(root, 'grey', 'deep', 'a.png'), [120, 120, 120]);
  writeFileSync(join(root, 'grey', 'notes.txt'), 'text');
  await picture(join(root, 'colour', 'c.png'), [60, 120, 200]);
});

describe('images:', () => {
  it('opens a folder at any depth, or one image', async () => {
    const dataset = await open('grey');
    expect(dataset.samples.map(({ id }) => id)).toEqual(['b.png', 'deep/a.png']);
    expect(dataset.classes).toEqual([]);
    expect(isLabelled(dataset)).toBe(false);
    expect(dataset.notes).toEqual(['1 files that are not images were left aside: notes.txt']);
    const single = await open('grey/deep/a.png');
    expect(single.samples.map(({ id }) => id)).toEqual(['a.png']);
    expect(single.name).toBe('a');
  });

  it('refuses what holds no image, and splits', async () => {
    await expect(open('empty')).rejects.toThrow('expected images, got none');
    await expect(open('nowhere')).rejects.toThrow('nothing at');
    const dataset = await open('grey');
    expect(() => makeSplits(dataset, { seed: 0 })).toThrow(RequestError);
    expect(() => makeSplits(dataset, { seed: 0 })).toThrow('a data set with labels');
  });
});

describe('one channel', () => {
  const images = { resize: 12, workers: 0, onBadImage: 'error', cacheFolder } as const;

  async function pixels(
    dataset: DataSet,
    { mean, std }: { mean: readonly number[]; std: readonly number[] },
  ): Promise<{ shape: readonly number[]; values: number[]; labels: number[] }> {
    const loader = await Loader.open({
      ...images,
      dataset,
      indices: dataset.samples.map((_, index) => index),
      size: 12,
      mean,
      std,
      batchSize: 4,
      shuffle: false,
      dropLast: false,
      seed: 0,
    });
    for await (const batch of loader.epoch(0)) {
      const { shape } = batch.images;
      const values = batch.images.toArray();
      const labels = batch.labels.toArray();
      batch.dispose();
      await loader.close();
      return { shape, values, labels };
    }
    throw new Error('no batch');
  }

  it('is grey itself, normalised by its own mean and deviation', async () => {
    const dataset = await open('grey');
    const three = await channelStatistics(dataset, [0, 1], images);
    const one = luminanceStatistics(three);
    expect(one.mean).toBeAllclose(three.mean.slice(0, 1), { relative: 1e-12 });
    expect(one.std).toBeAllclose(three.std.slice(0, 1), { relative: 1e-12 });
    const repeated = await pixels(dataset, three);
    const single = await pixels(dataset, one);
    expect(single.shape).toEqual([2, 1, 12, 12]);
    expect(repeated.shape).toEqual([2, 3, 12, 12]);
    expect(single.labels).toEqual([0, 0]);
    const first = [0, 432].flatMap((start) => repeated.values.slice(start, start + 144));
    expect(single.values).toBeAllclose(first, { absolute: 1e-5 });
  });

  it('is the luminance of colour', async () => {
    const dataset = await open('colour');
    const { values } = await pixels(dataset, { mean: [0], std: [1] });
    const plain = await pixels(dataset, { mean: [0, 0, 0], std: [1, 1, 1] });
    const expected = values.map(
      (_, at) =>
        0.299 * (plain.values[at] ?? 0) +
        0.587 * (plain.values[at + 144] ?? 0) +
        0.114 * (plain.values[at + 288] ?? 0),
    );
    expect(values).toBeAllclose(expected, { absolute: 1e-6 });
  });
});
