/** Views of a storage by offset and strides, laid out densely. */
import { type DType, elementSize } from '../tensor/index.ts';
import { countBytes } from './stored.ts';

/** A view: element i₀, i₁, … lies at `offset + Σ iₖ · strides[k]`, all in elements. */
export interface StridedView {
  dtype: DType;
  offset: number;
  shape: readonly number[];
  strides: readonly number[];
}

/** Whether the view's elements lie one after another in row-major order. */
export function isDense({ shape, strides }: StridedView): boolean {
  if (shape.includes(0)) return true;
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis] ?? 0;
    if (size !== 1 && strides[axis] !== expected) return false;
    expected *= size;
  }
  return true;
}

type Words = Uint8Array | Uint16Array | Uint32Array;

/** The bytes as words of `size` bytes, so that values move bit by bit. */
function wordsOver(bytes: Uint8Array, size: number): Words {
  const { buffer, byteOffset, byteLength } = bytes;
  const count = Math.floor(byteLength / size);
  if (size === 4) return new Uint32Array(buffer, byteOffset, count);
  if (size === 2) return new Uint16Array(buffer, byteOffset, count);
  return new Uint8Array(buffer, byteOffset, count);
}

/**
 * The view's elements as dense bytes. `storage` must start at a multiple of the element's size in its
 * buffer and hold every element of the view.
 */
export function gatherStrided(storage: Uint8Array, view: StridedView): Uint8Array {
  const size = elementSize(view.dtype);
  const wordSize = Math.min(size, 4);
  const wordsPerElement = size / wordSize;
  const bytes = Buffer.allocUnsafeSlow(countBytes(view) ?? 0);
  const source = wordsOver(storage, wordSize);
  const target = wordsOver(bytes, wordSize);
  // The words of one element are a last axis, contiguous in source and target.
  const shape = [...view.shape, wordsPerElement];
  const strides = [...view.strides.map((stride) => stride * wordsPerElement), 1];
  let to = 0;
  const gather = (axis: number, start: number): void => {
    const length = shape[axis] ?? 0;
    const stride = strides[axis] ?? 0;
    const end = start + length * stride;
    if (axis === shape.length - 1) {
      for (let from = start; from < end; from += stride) {
        target[to] = source[from] ?? 0;
        to += 1;
      }
      return;
    }
    for (let index = 0; index < length; index++) gather(axis + 1, start + index * stride);
  };
  gather(0, view.offset * wordsPerElement);
  return bytes;
}
