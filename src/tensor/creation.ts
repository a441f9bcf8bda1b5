/** Tensors from JavaScript's own values. */
import { RequestError } from '../util/index.ts';
import { type DType, dtypeCode, elementSize, naturalDType, type TypedArray } from './dtype.ts';
import { native } from './native.ts';
import { type Device, scope, Tensor } from './tensor.ts';

const describe = (shape: readonly number[]) => `[${shape.join(', ')}]`;

/**
 * A tensor over the memory of `data`, without a copy on the CPU: `data` must not change while the
 * tensor lives. `dtype` reads the same bytes otherwise: `bool` over a Uint8Array, `float16` or
 * `bfloat16` over a Uint16Array, any over the bytes of a file.
 * @throws RequestError when the bytes do not fill the shape exactly.
 */
export function fromTypedArray(
  data: TypedArray,
  shape: readonly number[],
  options: { dtype?: DType; device?: Device } = {},
): Tensor {
  const { dtype = naturalDType(data), device = 'cpu' } = options;
  const wanted = shape.reduce((product, size) => product * size, 1) * elementSize(dtype);
  if (shape.some((size) => !Number.isSafeInteger(size) || size < 0) || wanted !== data.byteLength) {
    throw new RequestError({
      where: 'fromTypedArray',
      expected: `${wanted} bytes for ${dtype} ${describe(shape)}`,
      got: `${data.byteLength}`,
    });
  }
  if (wanted > 0 && data.byteOffset % elementSize(dtype) !== 0) {
    return fromTypedArray(
      new Uint8Array(data.buffer.slice(data.byteOffset, data.byteOffset + wanted)),
      shape,
      {
        dtype,
        device,
      },
    );
  }
  if (device === 'cpu') return new Tensor(native.fromBuffer(data, shape, dtypeCode(dtype)));
  return scope(() => sent(new Tensor(native.fromBuffer(data, shape, dtypeCode(dtype))), device));
}

/**
 * A copy on a GPU, by way of pinned memory: the copy is queued behind the work that is there, where one from
 * JavaScript's own memory would wait for all of that. `held` may change as soon as this returns, and the
 * pinned copy may be freed: see {@link Tensor.pinned}.
 */
function sent(held: Tensor, device: Device): Tensor {
  return held.pinned().to({ device, nonBlocking: true });
}

/**
 * A tensor of its own memory from a number, numbers or a typed array; the shape is that of a list
 * unless given, a scalar's for a number.
 */
export function tensor(
  values: number | readonly number[] | TypedArray,
  options: { shape?: readonly number[]; dtype?: DType; device?: Device } = {},
): Tensor {
  const isTyped = ArrayBuffer.isView(values);
  const dtype = options.dtype ?? (isTyped ? naturalDType(values) : 'float32');
  const held: TypedArray = isTyped
    ? values.slice()
    : Float64Array.from(typeof values === 'number' ? [values] : values);
  const shape = options.shape ?? (typeof values === 'number' ? [] : [held.length]);
  return scope(() => {
    const holder = fromTypedArray(held, shape, isTyped && sameSize(held, dtype) ? { dtype } : {});
    return holder.to({ dtype, device: options.device ?? 'cpu', copy: true });
  });
}

/** Whether bytes of this array can be read as the dtype, as 16-bit floats and booleans are. */
function sameSize(data: TypedArray, dtype: DType): boolean {
  return (
    (data instanceof Uint16Array && (dtype === 'float16' || dtype === 'bfloat16')) ||
    (data instanceof Uint8Array && dtype === 'bool')
  );
}
