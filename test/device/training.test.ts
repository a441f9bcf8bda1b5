import { mkdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  Loader,
  type LoaderOptions,
  openDataSet,
  parseAugment,
  parseDataArgument,
} from '../../src/data/index.ts';
import { createModel, describeModel } from '../../src/models/index.ts';
import { trainingSchema } from '../../src/results/index.ts';
import { liveTensors, scope, setDeterministic, tensor } from '../../src/tensor/index.ts';
import { Stepper } from '../../src/train/index.ts';
import { initialise } from '../../src/transfer/index.ts';
import { Workplace, writeClasses } from '../train/fixture.ts';
import { device } from './device.ts';

const workplace = new Workplace();
const pictures = workplace.path('pictures');

beforeAll(async () => {
  mkdirSync(pictures, { recursive: true });
  await writeClasses(pictures, ['a', 'b', 'c'], 6);
});

afterAll(() => workplace.remove());

/** Losses of some steps on images that do not change, and the live tensors after each. */
function losses(model: string, steps: number): { losses: number[]; live: number[] } {
  if (device !== 'cpu') setDeterministic(true);
  const network = createModel(model, { classes: 3 });
  initialise(network, { scheme: 'ri', seed: 3 });
  network.to({ device });
  network.train();
  const { family, imageSize } = describeModel(model);
  const optimizer = family === 'cnn' ? 'adam' : 'adamw';
  const stepper = new Stepper({
    model: network,
    task: 'multiclass',
    training: trainingSchema.parse({}),
    resolved: { device, precision: 'fp32', optimizer, learningRate: 1e-3 },
  });
  const pixels = Float32Array.from({ length: 6 * 3 * imageSize ** 2 }, (_, k) =>
    Math.sin(k * Math.floor(1 + k / (3 * imageSize ** 2))),
  );
  const batch = {
    images: tensor(pixels, { shape: [6, 3, imageSize, imageSize] }).to({ device }),
    labels: tensor([0, 1, 2, 0, 1, 2], { dtype: 'int64' }).to({ device }),
    indices: [],
    dispose: () => {},
  };
  const live: number[] = [];
  for (let step = 0; step < steps; step++) {
    stepper.step(batch, 1e-3, step);
    live.push(liveTensors().count);
  }
  const found = [...stepper.readLosses(steps)];
  stepper.dispose();
  network.dispose();
  batch.images.dispose();
  batch.labels.dispose();
  return { losses: found, live };
}

describe(`training on ${device}`, () => {
  it.each(['resnet18_micro', 'deit_micro'])('%s: the same losses twice, and they fall', (model) => {
    const first = losses(model, 12);
    expect(losses(model, 12).losses).toEqual(first.losses);
    expect(first.losses.at(-1)).toBeLessThan((first.losses[0] ?? 0) * 0.95);
    // The first step makes the optimiser's state.
    expect(new Set(first.live.slice(1)).size).toBe(1);
  });
});

describe(`batches on ${device}`, () => {
  async function firstBatch(settings: Partial<LoaderOptions>): Promise<number[]> {
    const dataset = await openDataSet(parseDataArgument(`folder:${pictures}`));
    const loader = await Loader.open({
      dataset,
      indices: dataset.samples.map((_, index) => index),
      size: 28,
      resize: 32,
      mean: [0, 0, 0],
      std: [1, 1, 1],
      batchSize: 8,
      augment: parseAugment(true),
      shuffle: true,
      dropLast: true,
      seed: 4,
      workers: 0,
      onBadImage: 'error',
      ...settings,
    });
    for await (const batch of loader.epoch(0)) {
      const values = scope(() =>
        [...batch.images.to({ device: 'cpu' }).contiguous().toArray()].map(Number),
      );
      batch.dispose();
      await loader.close();
      return values;
    }
    throw new Error('no batch');
  }

  it.each([true, false])('are those of the CPU to 1/255 (augmented: %s)', async (augmented) => {
    const augment = augmented && parseAugment(true);
    const here = await firstBatch({ device, augment });
    const there = await firstBatch({ augment });
    const greatest = Math.max(...here.map((value, k) => Math.abs(value - (there[k] ?? 9))));
    expect(greatest).toBeLessThan(1 / 255);
  });

  it('leave no tensors behind', async () => {
    const before = liveTensors().count;
    await firstBatch({ device });
    expect(liveTensors().count).toBe(before);
  });
});
