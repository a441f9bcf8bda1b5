/** Networks of one channel: what they compute beside those that see grey three times. */
import { afterAll, describe, expect, it } from 'vitest';
import { createModel, type ImageModel } from '../../src/models/index.ts';
import { inferenceMode, ops, scope, type Tensor } from '../../src/tensor/index.ts';
import { initialise, type TransferSettings } from '../../src/transfer/index.ts';
import type { StoredTensor, WeightFile } from '../../src/weights/index.ts';
import { fill, images } from '../models/formula.ts';

const ids = ['resnet18_micro', 'deit_micro', 'swin_micro'] as const;
const made: ImageModel[] = [];
afterAll(() => {
  for (const model of made) model.dispose();
});

function build(id: string, options: Partial<Parameters<typeof createModel>[1]> = {}): ImageModel {
  const model = createModel(id, { classes: 3, ...options });
  made.push(model);
  return model;
}

function checkpointOf(id: string): WeightFile {
  const tensors = new Map<string, StoredTensor>();
  for (const [name, tensor] of fill(build(id)).state()) {
    const values = tensor.toTypedArray();
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    tensors.set(name, { dtype: tensor.dtype, shape: tensor.shape, bytes });
  }
  return { path: 'source.safetensors', format: 'safetensors', tensors, metadata: {} };
}

const logits = (model: ImageModel, input: Tensor): number[] =>
  scope(() => inferenceMode(() => model.eval().forward(input)).toArray());

describe.each(ids)('%s of one channel', (id) => {
  const weights = checkpointOf(id);
  const grey = (): Tensor => ops.narrow(images(2, 64), 1, 0, 1).contiguous();
  const initialised = (channels: 1 | 3, settings: Partial<TransferSettings>): ImageModel => {
    const model = build(id, { inputChannels: channels });
    initialise(model, { scheme: 'wt', seed: 4, weights, ...settings });
    return model;
  };

  it.each([
    ['wt', {}],
    ['st', { scheme: 'st' }],
    ['wt-st-1', { scheme: 'wt-st', keep: 1 }],
  ] as const)('under %s and sum gives what repeating grey gives', (_name, settings) => {
    scope(() => {
      const one = grey();
      const three = ops.cat([one, one, one], 1);
      const expected = logits(initialised(3, settings), three);
      expect(logits(initialised(1, settings), one)).toBeAllclose(expected, {
        relative: 1e-4,
        absolute: 1e-5,
      });
    });
  });

  it('under slice has the red filters', () => {
    scope(() => {
      const model = initialised(1, { firstConvolution: 'slice' });
      const stored = weights.tensors.get(model.firstConvolution);
      const own = model.state().get(model.firstConvolution);
      if (!stored || !own) throw new Error(id);
      const [outputs = 0, , height = 0, width = 0] = stored.shape;
      const values = new Float32Array(stored.bytes.buffer, stored.bytes.byteOffset);
      const pixels = height * width;
      const red = Array.from({ length: outputs }, (_, output) => [
        ...values.subarray(output * 3 * pixels, (output * 3 + 1) * pixels),
      ]).flat();
      expect(own.toArray()).toEqual(red);
      const black = ops.zeros([2, 1, 64, 64]);
      const one = grey();
      const expected = logits(initialised(3, {}), ops.cat([one, black, black], 1));
      expect(logits(model, one)).toBeAllclose(expected, { relative: 1e-4, absolute: 1e-5 });
    });
  });

  it('starts at random as any first convolution of one channel', () => {
    const model = build(id, { inputChannels: 1 });
    initialise(model, { scheme: 'ri', seed: 0 });
    const values = model.state().get(model.firstConvolution)?.toArray() ?? [];
    expect(new Set(values).size).toBeGreaterThan(values.length / 2);
  });
});

describe('statistics of tensors that are made to fit', () => {
  it('are those of the pretrained tensor itself', () => {
    const weights = checkpointOf('deit_micro');
    const stored = weights.tensors.get('pos_embed');
    if (!stored) throw new Error('pos_embed');
    const given = [...new Float32Array(stored.bytes.buffer, stored.bytes.byteOffset)];
    const model = build('deit_micro', { imageSize: 128 });
    const { checkpoint } = initialise(model, { scheme: 'st', seed: 1, weights });
    expect(checkpoint?.adapted.map(({ name }) => name)).toEqual(['pos_embed']);
    const drawn = model.state().get('pos_embed')?.toArray() ?? [];
    expect(drawn).toHaveLength((1 + 16 ** 2) * 96);
    const deviation = (values: number[]): number =>
      Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
    expect(deviation(drawn) / deviation(given)).toBeGreaterThan(0.98);
    expect(deviation(drawn) / deviation(given)).toBeLessThan(1.02);
  });
});
