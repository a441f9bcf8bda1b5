import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeImage } from '../../src/data/images/decode.ts';
import { resizeSquare } from '../../src/data/images/resize.ts';
import {
  channelStatistics,
  type DataSet,
  Loader,
  type LoaderOptions,
  makeSplits,
  openDataSet,
  parseAugment,
  parseDataArgument,
} from '../../src/data/index.ts';
import { liveTensors } from '../../src/tensor/index.ts';
import { messageOf, temporaryFolder, writePictures, writeText } from './pictures.ts';

const base = temporaryFolder();
const cacheFolder = join(base, 'cache');
const root = join(base, 'set');
let dataset: DataSet;
const loaders: Loader[] = [];

beforeAll(async () => {
  const names = Array.from(
    { length: 22 },
    (_, k) => `${'abc'[k % 3]}/${k}.${k % 2 ? 'png' : 'jpg'}`,
  );
  await writePictures(root, names);
  dataset = await openDataSet(parseDataArgument(`folder:${root}`), { cacheFolder });
});

afterAll(async () => {
  await Promise.all(loaders.map((loader) => loader.close()));
});

const augment = parseAugment(true);

async function open(settings: Partial<LoaderOptions> = {}): Promise<Loader> {
  const chosen = settings.dataset ?? dataset;
  const loader = await Loader.open({
    dataset: chosen,
    indices: chosen.samples.map((_, index) => index),
    size: 14,
    resize: 16,
    mean: [0.5, 0.4, 0.3],
    std: [0.2, 0.25, 0.3],
    batchSize: 4,
    augment,
    shuffle: true,
    dropLast: true,
    seed: 5,
    workers: 0,
    onBadImage: 'error',
    cacheFolder,
    ...settings,
  });
  loaders.push(loader);
  return loader;
}

interface Seen {
  indices: number[];
  images: number[];
  labels: number[];
}

/** The batches of an epoch as numbers. */
async function read(loader: Loader, epoch: number, startBatch = 0): Promise<Seen[]> {
  const seen: Seen[] = [];
  for await (const { images, labels, indices, dispose } of loader.epoch(epoch, startBatch)) {
    seen.push({ indices, images: images.toArray(), labels: labels.toArray() });
    dispose();
  }
  return seen;
}

describe('batches', () => {
  it('are the same bit for bit with any number of workers, with and without cache', async () => {
    const expected = [await read(await open(), 0), await read(await open(), 1)];
    expect(expected[0]?.map(({ indices }) => indices)).not.toEqual(
      expected[1]?.map(({ indices }) => indices),
    );
    for (const settings of [
      { workers: 1, cacheFolder: join(base, 'other') },
      { workers: 0, cache: false },
      { workers: 4, cache: false, prefetch: 0 },
    ]) {
      const loader = await open(settings);
      expect([await read(loader, 0), await read(loader, 1)]).toEqual(expected);
    }
  });

  it('have shapes, labels and order as said, and go on from any batch', async () => {
    const before = liveTensors().count;
    const loader = await open();
    expect(loader.batchesPerEpoch).toBe(5);
    const whole = await read(loader, 3);
    expect(whole).toHaveLength(5);
    expect(await read(loader, 3, 2)).toEqual(whole.slice(2));
    expect(await read(loader, 3, 5)).toEqual([]);
    const seen = whole.flatMap(({ indices }) => indices);
    expect(new Set(seen).size).toBe(20);
    for (const { indices, labels, images } of whole) {
      expect(labels).toEqual(indices.map((index) => dataset.samples[index]?.label));
      expect(images).toHaveLength(4 * 3 * 14 * 14);
    }
    for await (const batch of loader.epoch(0)) {
      expect(batch.images.shape).toEqual([4, 3, 14, 14]);
      expect(batch.images.dtype).toBe('float32');
      expect(batch.images.isContiguous('channelsLast')).toBe(true);
      expect([batch.labels.shape, batch.labels.dtype]).toEqual([[4], 'int64']);
      batch.dispose();
      break;
    }
    expect(liveTensors().count).toBe(before);
  });

  it('of evaluation hold the centre of every image, in order', async () => {
    const settings = { augment: false, shuffle: false, dropLast: false, size: 16 } as const;
    const loader = await open(settings);
    const batches = await read(loader, 0);
    expect(batches.map(({ indices }) => indices.length)).toEqual([4, 4, 4, 4, 4, 2]);
    expect(batches.flatMap(({ indices }) => indices)).toEqual(dataset.samples.map((_, k) => k));
    const path = dataset.samples[5]?.path ?? '';
    const pixels = resizeSquare(await decodeImage(path), 16);
    const expected = [0, 1, 2].flatMap((channel) =>
      Array.from({ length: 256 }, (_, k) => {
        const mean = [0.5, 0.4, 0.3][channel] ?? 0;
        return ((pixels[k * 3 + channel] ?? 0) / 255 - mean) / ([0.2, 0.25, 0.3][channel] ?? 1);
      }),
    );
    expect(batches[1]?.images.slice(768, 1536) ?? []).toBeAllclose(expected, { absolute: 1e-6 });
    expect(await read(loader, 9)).toEqual(batches);
  });

  it('of several labels are floating point', async () => {
    const rows = dataset.samples.map(({ id }, k) => `${id},${k % 2},${k % 3 === 0 ? 1 : 0}`);
    const path = writeText(join(root, 'labels.csv'), `path,x,y\n${rows.join('\n')}\n`);
    const spec = parseDataArgument(`csv:${path}`, {}, { labelColumns: ['x', 'y'] });
    const loader = await open({
      dataset: await openDataSet(spec, { cacheFolder }),
      shuffle: false,
      batchSize: 3,
    });
    for await (const batch of loader.epoch(0)) {
      expect([batch.labels.shape, batch.labels.dtype]).toEqual([[3, 2], 'float32']);
      expect(batch.labels.toArray()).toEqual([0, 1, 1, 0, 0, 0]);
      batch.dispose();
      break;
    }
  });

  it('hold the whole split where it has fewer images than a batch', async () => {
    const loader = await open({ batchSize: 23 });
    expect([loader.batchSize, loader.batchesPerEpoch]).toEqual([22, 1]);
  });

  it('are refused where none can be made', async () => {
    expect(await messageOf(() => open({ indices: [] }))).toContain('got no images');
    expect(await messageOf(() => open({ resize: 8193 }))).toContain('at most 8192 pixels a side');
    expect(await messageOf(() => open({ size: 17 }))).toContain('at most resize, 16');
    expect(await messageOf(() => open({ std: [0.1, 0, 0.1] }))).toContain('standard deviation');
  });
});

describe('channel statistics', () => {
  it('are exact over the pixels of the split', async () => {
    const indices = [3, 8, 20];
    const options = { resize: 16, workers: 0, onBadImage: 'error', cacheFolder } as const;
    const { mean, std } = await channelStatistics(dataset, indices, options);
    const values: number[][] = [[], [], []];
    for (const index of indices) {
      const image = await decodeImage(dataset.samples[index]?.path ?? '');
      for (const [at, value] of resizeSquare(image, 16).entries())
        values[at % 3]?.push(value / 255);
    }
    values.forEach((list, channel) => {
      const average = list.reduce((a, b) => a + b, 0) / list.length;
      const variance = list.reduce((a, b) => a + (b - average) ** 2, 0) / list.length;
      expect(mean[channel]).toBeCloseTo(average, 10);
      expect(std[channel]).toBeCloseTo(Math.sqrt(variance), 10);
    });
    const again = { ...options, workers: 2, cacheFolder: join(base, 'third'), cache: false };
    expect(await channelStatistics(dataset, indices, again)).toEqual({ mean, std });
  });
});

describe('bad images', () => {
  const bad = join(base, 'bad');
  let damaged: DataSet;

  beforeAll(async () => {
    const names = Array.from({ length: 30 }, (_, k) => `${'ab'[k % 2]}/${k}.png`);
    await writePictures(bad, names);
    writeText(join(bad, 'a', 'empty.png'), '');
    writeText(join(bad, 'b', 'page.jpg'), '<html></html>');
    damaged = await openDataSet(parseDataArgument(`folder:${bad}`), { cacheFolder });
  });

  it.each([{ cache: true }, { cache: false }])('are all listed by default: %o', async (how) => {
    const message = await messageOf(() => open({ dataset: damaged, ...how }));
    expect(message).toContain(`${bad}: expected 32 images that can be decoded, got 2 bad images:`);
    expect(message).toContain('\n  a/empty.png: empty file (0 bytes)');
    expect(message).toContain('\n  b/page.jpg: no image of a known type');
    expect(message).toContain('onBadImage: skip');
  });

  it.each([{ cache: true, workers: 1 }, { cache: false }])(
    'are left out and counted: %o',
    async (how) => {
      const loader = await open({ dataset: damaged, onBadImage: 'skip', dropLast: false, ...how });
      expect(loader.skipped.map(({ file }) => file)).toEqual([
        join(bad, 'a', 'empty.png'),
        join(bad, 'b', 'page.jpg'),
      ]);
      const batches = await read(loader, 0);
      expect(batches.flatMap(({ indices }) => indices)).toHaveLength(30);
      const only = damaged.samples.findIndex(({ id }) => id === 'a/empty.png');
      const message = await messageOf(() =>
        open({ dataset: damaged, onBadImage: 'skip', indices: [only], dropLast: false, ...how }),
      );
      expect(message).toContain('in each split, got 1 bad image:\n  a/empty.png: empty file');
    },
  );

  it('are those with too many pixels, too', async () => {
    const message = await messageOf(() => open({ maxPixels: 100 }));
    expect(message).toContain('22 bad images:');
    expect(message).toContain('and 2 more');
  });

  it('that come up during a run end it', async () => {
    const copy = join(base, 'changing');
    await writePictures(copy, ['a/1.png', 'b/1.png', 'a/2.png', 'b/2.png']);
    const changing = await openDataSet(parseDataArgument(`folder:${copy}`), { cacheFolder });
    const loader = await open({ dataset: changing, cache: false });
    await read(loader, 0);
    await writePictures(copy, ['b/1.png', 'a/1.png']);
    expect(await messageOf(() => read(loader, 1))).toContain('got another picture');
    writeText(join(copy, 'a', '1.png'), '');
    expect(await messageOf(() => read(loader, 2))).toContain('empty file');
  });
});

const real = fileURLToPath(new URL('../../../shared/data/isic2019-mini', import.meta.url));

describe.skipIf(!existsSync(real))(`real dermoscopy (skipped without ${real})`, () => {
  it('is decoded, summed up and batched', async () => {
    const whole = await openDataSet(parseDataArgument(`isic2019:${real}`), { cacheFolder });
    const few = { ...whole, samples: whole.samples.filter((_, index) => index % 20 === 0) };
    const { train } = makeSplits(few, { seed: 0 });
    const options = { resize: 36, workers: 1, onBadImage: 'error', cacheFolder } as const;
    const { mean, std } = await channelStatistics(few, train, options);
    // Skin: more red than blue than green.
    expect(mean[0]).toBeGreaterThan(0.6);
    expect(mean[2]).toBeGreaterThan(mean[1] ?? 1);
    const loader = await open({ ...options, dataset: few, indices: train, size: 32, mean, std });
    const [first] = await read(loader, 0);
    const values = first?.images ?? [];
    expect(Math.abs(values.reduce((a, b) => a + b, 0) / values.length)).toBeLessThan(1);
    mkdirSync(cacheFolder, { recursive: true });
    expect(readdirSync(join(cacheFolder, 'images')).some((name) => name.endsWith('.rgb'))).toBe(
      true,
    );
  });
});
