/** Finds NaN and infinity in stored tensors. */
import type { TypedArray } from '../tensor/index.ts';
import { elementsOf, type StoredTensor, type WeightFile } from './stored.ts';

/** Exponent bits, all set in NaN and infinity (IEEE 754), by the type of float. */
const exponents = { float16: 0x7c00, bfloat16: 0x7f80, float32: 0x7f800000 } as const;

function hasExponent(words: Uint16Array | Uint32Array, mask: number): boolean {
  for (let index = 0; index < words.length; index++) {
    if (((words[index] ?? 0) & mask) === mask) return true;
  }
  return false;
}

function overflowsFloat32(values: TypedArray): boolean {
  return values.some((value) => !Number.isFinite(Math.fround(Number(value))));
}

/** Whether a value is NaN or infinite as float32, in which models compute. */
export function hasNonFinite(stored: StoredTensor): boolean {
  const values = elementsOf(stored);
  switch (stored.dtype) {
    case 'float64':
      return overflowsFloat32(values);
    case 'float32':
      return hasExponent(
        new Uint32Array(values.buffer, values.byteOffset, values.length),
        exponents.float32,
      );
    case 'float16':
    case 'bfloat16':
      return hasExponent(
        new Uint16Array(values.buffer, values.byteOffset, values.length),
        exponents[stored.dtype],
      );
    default:
      return false;
  }
}

/** The file's names of tensors with NaN or infinity. */
export function findNonFinite(file: WeightFile): string[] {
  return [...file.tensors].filter(([, stored]) => hasNonFinite(stored)).map(([name]) => name);
}
