/** Element types, their codes in LibTorch (c10/core/ScalarType.h) and the typed arrays that hold them. */
import { RequestError } from '../util/index.ts';

export type DType =
  | 'float32'
  | 'float64'
  | 'float16'
  | 'bfloat16'
  | 'int64'
  | 'int32'
  | 'int16'
  | 'int8'
  | 'uint8'
  | 'bool';

/** The JavaScript array that holds a dtype's elements; 16-bit floats are held as their bits. */
export type TypedArray =
  | Float32Array
  | Float64Array
  | BigInt64Array
  | Int32Array
  | Int16Array
  | Int8Array
  | Uint8Array
  | Uint16Array;

const codes: Readonly<Record<DType, number>> = {
  uint8: 0,
  int8: 1,
  int16: 2,
  int32: 3,
  int64: 4,
  float16: 5,
  float32: 6,
  float64: 7,
  bool: 11,
  bfloat16: 15,
};

const names = new Map<number, DType>(
  (Object.keys(codes) as DType[]).map((name) => [codes[name], name]),
);

const arrays: Readonly<
  Record<DType, new (buffer: ArrayBufferLike, offset?: number, length?: number) => TypedArray>
> = {
  uint8: Uint8Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  float16: Uint16Array,
  float32: Float32Array,
  float64: Float64Array,
  bool: Uint8Array,
  bfloat16: Uint16Array,
};

/** LibTorch's code of a dtype. */
export function dtypeCode(dtype: DType): number {
  return codes[dtype];
}

/** The dtype of LibTorch's code. @throws RequestError for complex and quantised types. */
export function dtypeOf(code: number): DType {
  const name = names.get(code);
  if (name === undefined) {
    throw new RequestError({
      where: 'tensor',
      expected: `a dtype among ${[...names.values()].join(', ')}`,
      got: `LibTorch's type number ${code}`,
    });
  }
  return name;
}

/** A typed array over `buffer` that holds elements of `dtype`. */
export function typedArrayOver(
  dtype: DType,
  buffer: ArrayBufferLike,
  offset = 0,
  length?: number,
): TypedArray {
  return new arrays[dtype](buffer, offset, length);
}

/** Bytes of one element. */
export function elementSize(dtype: DType): number {
  return typedArrayOver(dtype, new ArrayBuffer(0)).BYTES_PER_ELEMENT;
}

/** The dtype that a typed array's elements have by nature. */
export function naturalDType(data: TypedArray): DType {
  if (data instanceof Float32Array) return 'float32';
  if (data instanceof Float64Array) return 'float64';
  if (data instanceof BigInt64Array) return 'int64';
  if (data instanceof Int32Array) return 'int32';
  if (data instanceof Int16Array) return 'int16';
  if (data instanceof Int8Array) return 'int8';
  if (data instanceof Uint8Array) return 'uint8';
  return 'bfloat16';
}

export type MemoryFormat = 'contiguous' | 'preserve' | 'channelsLast';

const memoryFormats: Readonly<Record<MemoryFormat, number>> = {
  contiguous: 0,
  preserve: 1,
  channelsLast: 2,
};

/** LibTorch's code of a memory format (c10/core/MemoryFormat.h). */
export function memoryFormatCode(format: MemoryFormat): number {
  return memoryFormats[format];
}

/** 16-bit floats, given as bits, as numbers. */
export function halfToNumber(bits: number, dtype: 'float16' | 'bfloat16'): number {
  if (dtype === 'bfloat16') {
    const word = new Uint32Array([bits << 16]);
    return new Float32Array(word.buffer)[0] ?? Number.NaN;
  }
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
