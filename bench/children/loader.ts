/**
 * Times the data path of a run: `epochs` a cold and a warm one, `feed` a consumer of a given rate,
 * `memory` the resident bytes over an epoch of very many samples. Prints one JSON object.
 */
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { DataSet, Loader, LoaderOptions } from '../../src/data/index.ts';
import { writeJpegSet } from '../jpegSet.ts';

/** The program as it is installed, where it was built: threads of the sources are compiled when they start. */
async function modules(): Promise<{
  data: typeof import('../../src/data/index.ts');
  tensor: typeof import('../../src/tensor/index.ts');
}> {
  const isBuilt = existsSync(fileURLToPath(new URL('../../dist/data/index.js', import.meta.url)));
  const [folder, ending] = isBuilt ? ['dist', 'js'] : ['src', 'ts'];
  const [data, tensor] = await Promise.all(
    ['data', 'tensor'].map((name) => import(`../../${folder}/${name}/index.${ending}`)),
  );
  return { data, tensor };
}

const { data: dataModule, tensor } = await modules();
const { openDataSet, parseAugment, parseDataArgument } = dataModule;
const { libtorchVersion, setThreadCount } = tensor;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    data: { type: 'string', default: '' },
    cache: { type: 'string', default: '' },
    workers: { type: 'string', default: '2' },
    batch: { type: 'string', default: '64' },
    rate: { type: 'string', default: '2000' },
    samples: { type: 'string', default: '100000' },
    resize: { type: 'string', default: '64' },
  },
});
const workers = Number(values.workers);
const batchSize = Number(values.batch);
const rate = Number(values.rate);
setThreadCount(workers);

const seconds = (): number => Number(process.hrtime.bigint()) / 1e9;

function openSet(cacheFolder: string): Promise<DataSet> {
  return openDataSet(parseDataArgument(`folder:${values.data}`), { cacheFolder });
}

function openLoader(dataset: DataSet, more: Partial<LoaderOptions> = {}): Promise<Loader> {
  return dataModule.Loader.open({
    dataset,
    indices: dataset.samples.map((_, index) => index),
    size: 224,
    resize: 256,
    mean: [0.5, 0.5, 0.5],
    std: [0.25, 0.25, 0.25],
    batchSize,
    augment: parseAugment(true),
    shuffle: true,
    dropLast: true,
    seed: 0,
    workers,
    onBadImage: 'error',
    cacheFolder: values.cache,
    ...more,
  });
}

/** Takes all batches of an epoch and returns how many images they held. */
async function drain(loader: Loader, epoch: number): Promise<number> {
  let images = 0;
  for await (const batch of loader.epoch(epoch)) {
    images += batch.indices.length;
    batch.dispose();
  }
  return images;
}

async function epochs(): Promise<Record<string, unknown>> {
  rmSync(values.cache, { recursive: true, force: true });
  const start = seconds();
  const loader = await openLoader(await openSet(values.cache));
  const images = await drain(loader, 0);
  const middle = seconds();
  await drain(loader, 1);
  const end = seconds();
  await loader.close();
  return {
    coldSeconds: middle - start,
    warmSeconds: end - middle,
    images,
    version: libtorchVersion(),
  };
}

/** A consumer that is busy elsewhere, as with a GPU, for as long as its rate allows. */
async function feed(): Promise<Record<string, unknown>> {
  const loader = await openLoader(await openSet(values.cache), { prefetch: 4 });
  const busy = batchSize / rate;
  await drain(loader, 0);
  const start = seconds();
  let [images, waited, asked] = [0, 0, start];
  for (let epoch = 1; epoch < 4; epoch++) {
    for await (const batch of loader.epoch(epoch)) {
      const got = seconds();
      waited += got - asked;
      images += batch.indices.length;
      batch.dispose();
      const rest = busy - (seconds() - got);
      if (rest > 0.001) await setTimeout(rest * 1000);
      asked = seconds();
    }
  }
  const total = seconds() - start;
  await loader.close();
  return { rate: images / total, waiting: waited / total };
}

/** Very many samples, which share a few files: the paths of memory are those of as many files. */
async function memory(): Promise<Record<string, unknown>> {
  const samples = Number(values.samples);
  const resize = Number(values.resize);
  const folder = join(values.data, 'set');
  mkdirSync(values.data, { recursive: true });
  await writeJpegSet(folder, { count: 200, side: 64, say: () => {} });
  const files = await openDataSet(parseDataArgument(`folder:${folder}`), {
    cacheFolder: values.cache,
  });
  const many: DataSet = {
    ...files,
    samples: Array.from({ length: samples }, (_, index) => {
      const sample = files.samples[index % files.samples.length];
      if (!sample) throw new Error('no samples');
      return { ...sample, id: `${sample.id}#${index}` };
    }),
  };
  const loader = await openLoader(many, { resize, size: (resize * 7) / 8 });
  let [seen, early, peak] = [0, 0, 0];
  for await (const batch of loader.epoch(0)) {
    seen += batch.indices.length;
    batch.dispose();
    const resident = process.memoryUsage.rss();
    if (seen <= samples / 10) early = Math.max(early, resident);
    else peak = Math.max(peak, resident);
  }
  await loader.close();
  return { samples: seen, early, peak };
}

const modes: Record<string, () => Promise<Record<string, unknown>>> = { epochs, feed, memory };
const mode = modes[positionals[0] ?? 'epochs'];
if (!mode) throw new Error(`unknown mode ${positionals[0]}`);
process.stdout.write(`${JSON.stringify(await mode())}\n`);
