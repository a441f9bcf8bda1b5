/** What a checkpoint file holds, whatever its format: named tensors as bytes, and text about them. */
import { type DType, elementSize, type TypedArray, typedArrayOver } from '../tensor/index.ts';

export type WeightFormat = 'safetensors' | 'pth';

/** A tensor's type and sizes, without its values. */
export interface TensorDescription {
  dtype: DType;
  shape: readonly number[];
}

/** A tensor in plain memory: row-major, dense, little-endian. */
export interface StoredTensor extends TensorDescription {
  bytes: Uint8Array;
}

/** A checkpoint that was read whole. */
export interface WeightFile {
  path: string;
  format: WeightFormat;
  /** By the file's own names, in the file's own order. */
  tensors: Map<string, StoredTensor>;
  /** The text that came with the tensors; for `.pth`, `wrapper` names the key that the weights were under. */
  metadata: Record<string, string>;
}

/** A checkpoint's table of contents. */
export interface WeightListing {
  path: string;
  format: WeightFormat;
  tensors: Map<string, TensorDescription>;
  metadata: Record<string, string>;
}

/** A checkpoint whose contents are known and checked, and whose values are still on disk. */
export interface OpenedWeights extends WeightListing {
  /** The values of one of `tensors`, dense; `undefined` is no name of the file. */
  read(name: string): Promise<Uint8Array | undefined>;
}

/** Number of elements of a shape, or `undefined` when a size is no count or the product is past 2^53. */
export function countElements(shape: readonly number[]): number | undefined {
  let count = 1;
  for (const size of shape) {
    if (!Number.isSafeInteger(size) || size < 0) return undefined;
    // A zero size makes the product zero, whatever the others.
    count = shape.includes(0) ? 0 : count * size;
    if (!Number.isSafeInteger(count)) return undefined;
  }
  return count;
}

/** Bytes of a dense tensor, or `undefined` when they cannot be counted. */
export function countBytes({ dtype, shape }: TensorDescription): number | undefined {
  const count = countElements(shape);
  const bytes = count === undefined ? undefined : count * elementSize(dtype);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** A file's own text as an error may quote it: on one line, without what steers a terminal. */
export function quotable(text: string): string {
  return text.replaceAll(/\p{C}+/gu, ' ');
}

/** A shape for people: `[64, 3, 7, 7]`. */
export function formatShape(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}

/** A stored tensor's elements, copied only if they lie unaligned; 16-bit floats come as their bits. */
export function elementsOf({ dtype, bytes }: StoredTensor): TypedArray {
  const aligned = bytes.byteOffset % elementSize(dtype) === 0 ? bytes : bytes.slice();
  const count = Math.floor(aligned.byteLength / elementSize(dtype));
  return typedArrayOver(dtype, aligned.buffer, aligned.byteOffset, count);
}
