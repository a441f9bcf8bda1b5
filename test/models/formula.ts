/**
 * Weights by formula: the same function of (tensor name, element index) as in
 * scripts/golden/models_common.py, in integer arithmetic and IEEE doubles.
 */
import { readFileSync } from 'node:fs';
import { type ImageModel, tensorRoles } from '../../src/models/index.ts';
import { fromTypedArray, noGrad, ops, scope, type Tensor } from '../../src/tensor/index.ts';

/** The finaliser of MurmurHash3 (Appleby). */
function mix(value: number): number {
  let z = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
  return z ^ (z >>> 16);
}

/** 32-bit FNV-1a of an ASCII name. */
function nameHash(name: string): number {
  let state = 2166136261;
  for (let index = 0; index < name.length; index++) {
    state = Math.imul(state ^ name.charCodeAt(index), 16777619);
  }
  return state;
}

/** offset + scale · u for `count` numbers u in [-1, 1) with 24 random bits each. */
function uniform(name: string, count: number, offset: number, scale: number): Float32Array {
  const hash = nameHash(name);
  const values = new Float32Array(count);
  for (let index = 0; index < count; index++) {
    const noise = (mix(mix(index) ^ hash) >>> 8) / 8388608 - 1;
    values[index] = offset + scale * noise;
  }
  return values;
}

/** The value of the parameter or buffer `name`, scaled so that activations stay near 1. */
export function formula(name: string, shape: readonly number[]): Tensor {
  const count = shape.reduce((product, size) => product * size, 1);
  const [offset, scale] = range(name, shape, count);
  return fromTypedArray(uniform(name, count, offset, scale), shape);
}

function range(name: string, shape: readonly number[], count: number): [number, number] {
  if (name.endsWith('running_var')) return [1, 0.25];
  if (name.endsWith('.bn.bias')) return [1.5, 0.1];
  if (name.endsWith('running_mean') || name.endsWith('bias')) return [0, 0.1];
  if (name.endsWith('bn3.weight')) return [0.2, 0.05];
  if (shape.length === 1) return [0.9, 0.2];
  if (name === 'cls_token' || name === 'pos_embed') return [0, 0.3];
  if (name.startsWith('input')) return [0, 1.5];
  return [0, Math.sqrt(4 / (count / (shape[0] ?? 1)))];
}

/** [B, 3, S, S] of noise in squares of 8 x 8 pixels: white noise would average out in a CNN. */
export function images(batch: number, size: number, name = 'input'): Tensor {
  return scope(() => {
    const coarse = size / 8;
    const noise = ops.reshape(formula(name, [batch, 3, coarse, coarse]), [
      batch,
      3,
      coarse,
      1,
      coarse,
      1,
    ]);
    return ops.reshape(ops.expand(noise, [batch, 3, coarse, 8, coarse, 8]), [batch, 3, size, size]);
  });
}

/** Gives every parameter and floating-point buffer its value by formula. */
export function fill<M extends ImageModel>(model: M): M {
  const roles = tensorRoles(model);
  for (const [name, tensor] of model.state()) {
    if (roles.get(name)?.part === 'num_batches_tracked') continue;
    scope(() => noGrad(() => ops.copy_(tensor, formula(name, tensor.shape))));
  }
  return model;
}

/** Turns all floating-point parameters and buffers to float64. */
export function toDouble<M extends ImageModel>(model: M): M {
  for (const tensor of model.state().values()) {
    if (tensor.dtype !== 'float32') continue;
    scope(() => noGrad(() => tensor.setData(tensor.detach().to({ dtype: 'float64' }))));
  }
  return model;
}

/** What the golden scripts write of a tensor. */
export interface Summary {
  shape: number[];
  /** Euclidean. */
  norm: number;
  /** Elements evenly strided from the first, in row-major order. */
  samples: number[];
}

/** The same summary of a tensor of ours, with as many samples as `count`. */
export function summarise(tensor: Tensor, count: number): Summary {
  const values = tensor.toArray();
  const stride = Math.max(1, Math.floor(values.length / count));
  return {
    shape: [...tensor.shape],
    norm: Math.sqrt(values.reduce((sum, value) => sum + value * value, 0)),
    samples: Array.from(
      { length: Math.min(count, values.length) },
      (_, i) => values[i * stride] ?? 0,
    ),
  };
}

/** What golden files of models hold. */
export interface Golden {
  classes: number;
  names: string[];
  evaluation: {
    size: number;
    batch: number;
    logits: number[];
    taps: Record<string, { value: Summary; embeddings: Record<string, Summary> }>;
    attention?: Record<string, Summary>;
  };
  training: TrainingGolden[];
}

/** One train-mode pass and its gradients, in float64. */
export interface TrainingGolden {
  size: number;
  /** Name of the images. */
  input: string;
  labels: number[];
  loss: number;
  gradients: Record<string, Summary>;
  buffers?: Record<string, Summary>;
}

/** Reads a file of test/golden/models. */
export function readGolden<T>(name: string): T {
  return JSON.parse(
    readFileSync(new URL(`../golden/models/${name}.json`, import.meta.url), 'utf8'),
  );
}
