import { describe, expect, it } from 'vitest';
import { createModel, describeModel, type ImageModel } from '../../src/models/index.ts';
import { crossEntropy } from '../../src/nn/index.ts';
import {
  autocast,
  backward,
  type DType,
  gradientsOf,
  manualSeed,
  ops,
  scope,
  type Tensor,
  tensor,
} from '../../src/tensor/index.ts';
import { initialise } from '../../src/transfer/index.ts';
import { toDouble } from '../models/formula.ts';
import { device } from './device.ts';

const models = ['resnet18_micro', 'deit_micro', 'swin_micro'];

interface Pass {
  logits: number[];
  gradients: number[][];
}

/** Logits and gradients of one step of a network with the same weights and images wherever it is. */
function pass(id: string, place: string, dtype: DType): Pass {
  return scope(() => {
    const model = createModel(id, { classes: 5 });
    initialise(model, { scheme: 'ri', seed: 1 });
    manualSeed(2);
    const { imageSize } = describeModel(id);
    const images = ops.normal_(ops.zeros([4, 3, imageSize, imageSize]));
    if (dtype === 'float64') toDouble(model);
    model.to({ device: place });
    model.train();
    const logits = model.forward(images.to({ dtype }).to({ device: place }));
    const labels = tensor([0, 1, 2, 3], { dtype: 'int64' }).to({ device: place });
    backward(crossEntropy(logits, labels));
    const result = { logits: numbers(logits), gradients: gradients(model) };
    model.dispose();
    return result;
  });
}

function gradients(model: ImageModel): number[][] {
  const parameters = [...model.namedParameters().values()];
  return gradientsOf(parameters).map((gradient) => (gradient ? numbers(gradient) : []));
}

const numbers = (value: Tensor): number[] =>
  [...value.detach().to({ device: 'cpu', dtype: 'float64' }).toArray()].map(Number);

/** Largest difference, as a share of the largest magnitude. */
function difference(a: readonly number[], b: readonly number[]): number {
  if (a.length !== b.length) return Number.NaN;
  const scale = greatest(b.map(Math.abs), 1e-6);
  return greatest(a.map((value, index) => Math.abs(value - (b[index] ?? Number.NaN)))) / scale;
}

/** NaN where any is. */
function greatest(values: readonly number[], floor = 0): number {
  return values.reduce((most, value) => Math.max(most, value), floor);
}

describe(`networks on ${device}`, () => {
  it.each(models)('%s: logits and gradients are the CPU’s in float64', (id) => {
    const [here, there] = [pass(id, device, 'float64'), pass(id, 'cpu', 'float64')];
    expect(difference(here.logits, there.logits)).toBeLessThan(1e-9);
    here.gradients.forEach((gradient, index) => {
      expect(difference(gradient, there.gradients[index] ?? [])).toBeLessThan(1e-7);
    });
  });

  // GPUs may multiply float32 as TensorFloat-32 (10 bits of mantissa) in convolutions, as PyTorch lets them.
  it.each(models)('%s: logits are the CPU’s in float32 within 1 %', (id) => {
    const [here, there] = [pass(id, device, 'float32'), pass(id, 'cpu', 'float32')];
    expect(difference(here.logits, there.logits)).toBeLessThan(1e-2);
  });

  it('computes in bfloat16 under autocast', () => {
    scope(() => {
      const model = createModel('deit_micro', { classes: 5 });
      initialise(model, { scheme: 'ri', seed: 1 });
      model.to({ device });
      const { imageSize } = describeModel('deit_micro');
      const images = ops.zeros([1, 3, imageSize, imageSize], { device });
      const logits = autocast({ device, dtype: 'bfloat16', enabled: true }, () =>
        model.forward(images),
      );
      expect(logits.dtype).toBe('bfloat16');
      model.dispose();
    });
  });
});
