/**
 * Nothing in a step waits for the device: where it would, a GPU stands still until the next kernel has been
 * asked for. Counted on the CPU, where the same code runs.
 */
import { mkdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { trainingBatch } from '../../src/data/augment/apply.ts';
import { drawChange } from '../../src/data/augment/draw.ts';
import { parseAugment } from '../../src/data/index.ts';
import { predict } from '../../src/eval/index.ts';
import { createModel } from '../../src/models/index.ts';
import { readLog } from '../../src/results/index.ts';
import { fromTypedArray, scope } from '../../src/tensor/index.ts';
import { trainRun } from '../../src/train/index.ts';
import { fill } from '../models/formula.ts';
import { waitsOf } from '../tensor/calls.ts';
import { shortRun, Workplace, writeClasses } from './fixture.ts';
import { batchOf, smallCase, stepperOf } from './parityCases.ts';

const CLASSES = 4;
const STEPS = 20;

describe('training steps', () => {
  it.each([
    ['resnet18_micro', 'multiclass'],
    ['resnet18_micro', 'multilabel'],
    ['deit_micro', 'binary'],
    ['swin_micro', 'multiclass'],
  ] as const)('of %s (%s) wait for nothing until losses are asked for', async (model, task) => {
    const parity = smallCase(model, task);
    const { stepper, dispose } = stepperOf(parity, CLASSES);
    for (let step = 0; step < STEPS; step++) {
      const batch = batchOf(parity, step, CLASSES);
      expect(await waitsOf(() => stepper.step(batch, 1e-4, step))).toEqual([]);
      batch.dispose();
    }
    expect(await waitsOf(() => void stepper.readLosses(STEPS))).toEqual(['toBuffer']);
    dispose();
  });
});

describe('augmentation on a device', () => {
  it('waits for nothing', async () => {
    const augment = parseAugment({ colourJitter: { probability: 1 } });
    if (augment === false) throw new Error('no augmentation');
    const waits = await waitsOf(() => {
      scope(() => {
        const sizes = { resize: 20, size: 16 };
        const pixels = fromTypedArray(new Uint8Array(3 * 20 * 20 * 3), [3, 20, 20, 3]);
        const changes = [0, 1, 2].map((index) =>
          drawChange(augment, sizes, { seed: 1, epoch: 0, index }),
        );
        trainingBatch(pixels, changes, 16, { mean: [0.5, 0.5, 0.5], std: [0.2, 0.2, 0.2] });
      });
    });
    expect(waits).toEqual([]);
  });
});

describe('an evaluation', () => {
  it.each([1, 5])('of %i batches waits for logits and labels once', async (count) => {
    const network = fill(createModel('resnet18_micro', { classes: CLASSES, imageSize: 64 }));
    const parity = smallCase('resnet18_micro');
    const loader = {
      async *epoch() {
        for (let step = 0; step < count; step++) yield batchOf(parity, step, CLASSES);
      },
    };
    const waits = await waitsOf(async () => {
      await predict(network, loader, { device: 'cpu', precision: 'fp32' });
    });
    expect(waits).toEqual(['toBuffer', 'toBuffer']);
    network.dispose();
  });
});

describe('a run', () => {
  const place = new Workplace();
  const pictures = place.path('pictures');
  beforeAll(async () => {
    mkdirSync(pictures, { recursive: true });
    await writeClasses(pictures, ['a', 'b'], 20);
  });
  afterAll(() => place.remove());

  /** Waits of a whole run, and the lines of its log that tell a loss of training. */
  async function run(logEvery: number): Promise<{ waits: number; lines: number }> {
    const training = { logEvery, maxEpochs: 2, evaluationsPerEpoch: 1 };
    const config = shortRun({ kind: 'folder', path: pictures }, { training });
    const folder = place.path(`run${logEvery}`);
    const { length } = await waitsOf(async () => {
      await trainRun(config, folder);
    });
    const log = await readLog(folder);
    return { waits: length, lines: log.filter(({ kind }) => kind === 'train').length };
  }

  it('waits once a line of its log, beside evaluating and saving', async () => {
    const [often, seldom] = [await run(1), await run(4)];
    expect(often.lines).toBeGreaterThan(seldom.lines);
    expect(often.waits - seldom.waits).toBe(often.lines - seldom.lines);
  });
});
