/** Predictions over batches: order, modes, stops, and logits that are no numbers. */
import { describe, expect, it } from 'vitest';
import type { Batch } from '../../src/data/index.ts';
import { PredictionStopped, predict } from '../../src/eval/index.ts';
import { createModel, type ImageModel } from '../../src/models/index.ts';
import { liveTensors, noGrad, ops, tensor } from '../../src/tensor/index.ts';
import { fill, formula } from '../models/formula.ts';

const options = { device: 'cpu', precision: 'fp32' } as const;

function model(): ImageModel {
  return fill(createModel('resnet18_micro', { classes: 3, imageSize: 32 }));
}

/** Batches of 2, 2 and 1 pictures, numbered. */
const loader = {
  async *epoch(): AsyncGenerator<Batch, void, undefined> {
    for (const indices of [[4, 7], [1, 9], [3]]) {
      const images = formula(`input${indices.join()}`, [indices.length, 3, 32, 32]);
      const labels = tensor(
        indices.map((index) => index % 3),
        { dtype: 'int64' },
      );
      const dispose = (): void => {
        images.dispose();
        labels.dispose();
      };
      yield { images, labels, indices, dispose };
    }
  },
};

describe('predict', () => {
  it('gives logits, labels and positions in the order of the batches', async () => {
    const network = model();
    const before = liveTensors().count;
    const result = await predict(network, loader, options);
    expect(result.indices).toEqual([4, 7, 1, 9, 3]);
    expect([...result.labels]).toEqual([1, 1, 1, 0, 0]);
    expect(result.outputs).toBe(3);
    expect(result.logits).toHaveLength(15);
    expect(liveTensors().count).toBe(before);
    network.eval();
    const images = formula('input3', [1, 3, 32, 32]);
    const alone = noGrad(() => network.forward(images)).toArray();
    expect([...result.logits.slice(12)]).toBeAllclose(alone, { absolute: 1e-5 });
    network.dispose();
  });

  it('evaluates, and puts the mode back', async () => {
    const network = model();
    const mean = network.namedBuffers().get('bn1.running_mean')?.toArray();
    await predict(network.train(), loader, options);
    expect(network.training).toBe(true);
    expect(network.namedBuffers().get('bn1.running_mean')?.toArray()).toEqual(mean);
    await predict(network.eval(), loader, options);
    expect(network.training).toBe(false);
    network.dispose();
  });

  it('stops between batches where asked to', async () => {
    const network = model().train();
    const seen: number[] = [];
    const stopped = predict(network, loader, {
      ...options,
      onProgress: (done) => seen.push(done),
      stopRequested: () => seen.length === 2,
    });
    await expect(stopped).rejects.toBeInstanceOf(PredictionStopped);
    expect(seen).toEqual([2, 4]);
    expect(network.training).toBe(true);
    network.dispose();
  });

  it('names the sample whose logits are no numbers', async () => {
    const network = model();
    const bias = network.namedParameters().get('fc.bias');
    if (bias) noGrad(() => ops.fill_(bias, Number.NaN));
    await expect(predict(network, loader, options)).rejects.toThrow(
      'prediction of sample 4: expected finite logits, got NaN',
    );
    network.dispose();
  });

  it('is close to float32 in bf16', async () => {
    const network = model();
    const exact = await predict(network, loader, options);
    const rounded = await predict(network, loader, { ...options, precision: 'bf16' });
    expect(rounded.logits).not.toEqual(exact.logits);
    expect(rounded.logits).toBeAllclose(exact.logits, { absolute: 0.2 });
    network.dispose();
  });
});
