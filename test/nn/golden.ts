/** Reads the golden files of `scripts/golden/nn_*.py` and compares tensors with them. */
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { type DType, type Tensor, tensor } from '../../src/tensor/index.ts';

/** A tensor in a golden file. */
export interface Packed {
  shape: number[];
  values: number[];
}

/** The golden file `test/golden/nn/<name>.json`, whose layout its script states. */
export function readGolden<T>(name: string): T {
  const url = new URL(`../golden/nn/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(url, 'utf8')) as T;
}

export function unpack({ shape, values }: Packed, dtype: DType = 'float32'): Tensor {
  return tensor(values, { shape, dtype });
}

/** 1e-6 of each value, or of the tensor's largest where a value came from cancellation. */
export function expectGolden(actual: Tensor | undefined, expected: Packed): void {
  expect(actual?.shape).toEqual(expected.shape);
  const largest = Math.max(...expected.values.map(Math.abs));
  expect(actual?.toArray() ?? []).toBeAllclose(expected.values, {
    relative: 1e-6,
    absolute: 1e-6 * largest,
  });
}
