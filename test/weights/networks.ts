/** Networks for tests of checkpoints, and their weights as a file would hold them. */
import { createHash } from 'node:crypto';
import { afterAll } from 'vitest';
import { createModel, type ImageModel } from '../../src/models/index.ts';
import { type DType, fromTypedArray, scope } from '../../src/tensor/index.ts';
import type { StoredTensor, WeightFile } from '../../src/weights/index.ts';

const models: ImageModel[] = [];
afterAll(() => {
  for (const model of models) model.dispose();
});

/** A network that lives as long as the test file. */
export function build(
  id: string,
  options: Partial<Parameters<typeof createModel>[1]> = {},
): ImageModel {
  const model = createModel(id, { classes: 5, ...options });
  models.push(model);
  return model;
}

export function store(
  values: number[] | Float32Array,
  shape: readonly number[],
  dtype: DType,
): StoredTensor {
  return scope(() => {
    const converted = fromTypedArray(Float32Array.from(values), shape).to({ dtype });
    const array = converted.toTypedArray();
    return {
      dtype,
      shape,
      bytes: new Uint8Array(array.buffer, array.byteOffset, array.byteLength),
    };
  });
}

/** A network's weights, each renamed and converted. */
export function weightsOf(
  model: ImageModel,
  change: {
    rename?: (name: string) => string;
    dtype?: DType;
    without?: (name: string) => boolean;
  } = {},
): WeightFile {
  const tensors = new Map<string, StoredTensor>();
  for (const [name, tensor] of model.state()) {
    if (change.without?.(name)) continue;
    const dtype = tensor.dtype === 'float32' ? (change.dtype ?? 'float32') : tensor.dtype;
    const stored = store(tensor.toArray(), tensor.shape, dtype);
    tensors.set(change.rename?.(name) ?? name, stored);
  }
  return { path: 'model.pth', format: 'pth', tensors, metadata: {} };
}

/** A digest of every tensor's bytes, by name. */
export function statesOf(model: ImageModel): Record<string, string> {
  return Object.fromEntries(
    [...model.state()].map(([name, tensor]) => {
      const { buffer, byteOffset, byteLength } = tensor.toTypedArray();
      const bytes = new Uint8Array(buffer, byteOffset, byteLength);
      return [name, createHash('sha256').update(bytes).digest('hex')];
    }),
  );
}
