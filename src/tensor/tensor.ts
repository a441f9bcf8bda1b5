/** A tensor of LibTorch, owned from JavaScript. */
import { CarryoverError } from '../util/index.ts';
import {
  type DType,
  dtypeCode,
  dtypeOf,
  elementSize,
  halfToNumber,
  type MemoryFormat,
  memoryFormatCode,
  type TypedArray,
  typedArrayOver,
} from './dtype.ts';
import { type Handle, native } from './native.ts';
import { invoke, Operator } from './operator.ts';
import { adopt, exempt, Ownership, release, runScoped } from './ownership.ts';

/** `cpu`, `cuda`, `cuda:1`. */
export type Device = string;

/** What an ATen `Scalar` may be. A whole number acts as an integer, as in Python. */
export type Scalar = number | boolean;

/** A tensor was used after it was freed. */
export class DisposedTensorError extends CarryoverError {
  constructor() {
    super(
      {
        where: 'tensor',
        expected: 'a live tensor',
        got: 'one that was disposed of',
        hint: 'return it from its scope, or `keep` it',
      },
      1,
    );
  }
}

const toOperator = new Operator('aten::to', 'dtype_layout');
const contiguousOperator = new Operator('aten::contiguous');
const detachOperator = new Operator('aten::detach');
const pinOperator = new Operator('aten::pin_memory');

export class Tensor {
  /** Shared with the scope that frees it. */
  readonly #ownership: Ownership;
  #shape: readonly number[] | undefined;

  /** Wraps a handle that the addon gave, and hands it to the innermost scope. */
  constructor(handle: Handle) {
    this.#ownership = new Ownership(handle);
    adopt(this, this.#ownership);
  }

  /** The addon's name of this tensor. @throws DisposedTensorError */
  get handle(): Handle {
    const { handle } = this.#ownership;
    if (handle === 0) throw new DisposedTensorError();
    return handle;
  }

  /** Sizes by dimension; empty for a scalar. */
  get shape(): readonly number[] {
    this.#shape ??= Object.freeze(native.shape(this.handle));
    return this.#shape;
  }

  /** Elements to step over by dimension. */
  get strides(): readonly number[] {
    return native.strides(this.handle);
  }

  get dtype(): DType {
    return dtypeOf(native.dtype(this.handle));
  }

  get device(): Device {
    return native.device(this.handle);
  }

  /** Number of elements. */
  get elementCount(): number {
    return this.shape.reduce((product, size) => product * size, 1);
  }

  /** Bytes of the elements, without what a shared storage holds besides. */
  get byteCount(): number {
    return this.elementCount * elementSize(this.dtype);
  }

  /** Whether the elements lie densely in the order of the format. */
  isContiguous(format: Exclude<MemoryFormat, 'preserve'> = 'contiguous'): boolean {
    return native.isContiguous(this.handle, memoryFormatCode(format));
  }

  get requiresGrad(): boolean {
    return native.requiresGrad(this.handle);
  }

  set requiresGrad(value: boolean) {
    native.setRequiresGrad(this.handle, value);
  }

  /** The gradient that `backward` accumulated, or `undefined`. */
  get grad(): Tensor | undefined {
    const handle = native.grad(this.handle);
    return handle === 0 ? undefined : new Tensor(handle);
  }

  setGrad(gradient: Tensor | undefined): void {
    native.setGrad(this.handle, gradient === undefined ? 0 : gradient.handle);
  }

  clearGrad(): void {
    native.setGrad(this.handle, 0);
  }

  /** Takes over the values, device, dtype and layout of `other`, keeping this tensor's identity: PyTorch's `.data =`. */
  setData(other: Tensor): void {
    native.setData(this.handle, other.handle);
    this.#shape = undefined;
  }

  /** Whether both name the same tensor in LibTorch. */
  is(other: Tensor): boolean {
    return native.identity(this.handle) === native.identity(other.handle);
  }

  /**
   * This tensor with another dtype, device or layout: itself where nothing changes. With `nonBlocking` a
   * copy from pinned memory to a GPU is queued there and not waited for.
   */
  to(options: {
    dtype?: DType;
    device?: Device;
    memoryFormat?: MemoryFormat;
    copy?: boolean;
    nonBlocking?: boolean;
  }): Tensor {
    const { dtype, device, memoryFormat, copy = false, nonBlocking = false } = options;
    return new Tensor(
      invoke(
        toOperator,
        this.handle,
        dtype && dtypeCode(dtype),
        undefined,
        device,
        undefined,
        nonBlocking,
        copy,
        memoryFormat && memoryFormatCode(memoryFormat),
      ) as Handle,
    );
  }

  /** Dense in the order of the format: itself where it is so already. */
  contiguous(format: Exclude<MemoryFormat, 'preserve'> = 'contiguous'): Tensor {
    return new Tensor(invoke(contiguousOperator, this.handle, memoryFormatCode(format)) as Handle);
  }

  /**
   * A copy of a CPU tensor in memory that a GPU reads by itself. LibTorch's allocator of such memory keeps
   * it, and gives it to nobody else before the copies queued from it have been made, whenever it is freed
   * here.
   * @throws Error where LibTorch sees no GPU.
   */
  pinned(): Tensor {
    return new Tensor(invoke(pinOperator, this.handle) as Handle);
  }

  /** The same memory outside the gradient graph. */
  detach(): Tensor {
    return new Tensor(invoke(detachOperator, this.handle) as Handle);
  }

  /** The value of a tensor with one element; waits for the device. */
  item(): number {
    return Number(native.item(this.handle));
  }

  /**
   * The elements in row-major order over the tensor's own memory, which they keep alive: no copy, and
   * later changes show. 16-bit floats come as their bits.
   * @throws CarryoverError unless the tensor is on the CPU and contiguous.
   */
  view(): TypedArray {
    if (this.device !== 'cpu' || !this.isContiguous()) {
      throw new CarryoverError(
        {
          where: 'tensor.view',
          expected: 'a contiguous tensor on the CPU',
          got: `strides [${this.strides.join(', ')}] on ${this.device}`,
          hint: 'use toTypedArray, which copies',
        },
        1,
      );
    }
    return typedArrayOver(this.dtype, native.toBuffer(this.handle));
  }

  /** A copy of the elements in row-major order, from any device and layout. 16-bit floats come as their bits. */
  toTypedArray(): TypedArray {
    return scope(() => this.to({ device: 'cpu' }).contiguous().detach().view().slice());
  }

  /** The elements in row-major order as numbers, whatever the dtype; int64 beyond 2^53 loses precision. */
  toArray(): number[] {
    const { dtype } = this;
    const values = this.toTypedArray();
    const isHalf = dtype === 'float16' || dtype === 'bfloat16';
    const numbers = new Array<number>(values.length);
    for (let index = 0; index < values.length; index++) {
      const value = Number(values[index]);
      numbers[index] = isHalf ? halfToNumber(value, dtype) : value;
    }
    return numbers;
  }

  get disposed(): boolean {
    return this.#ownership.handle === 0;
  }

  /** Frees this handle now; the memory goes when no other tensor or graph holds it. Harmless a second time. */
  dispose(): void {
    release(this.#ownership);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** For `scope` and `keep` alone. */
  static ownershipOf(tensor: Tensor): Ownership {
    return tensor.#ownership;
  }
}

/** Every tensor in a value: tensors, arrays, maps and plain objects of them. */
function* tensorsIn(value: unknown): Generator<readonly [Tensor, Ownership]> {
  if (value instanceof Tensor) {
    yield [value, Tensor.ownershipOf(value)];
  } else if (Array.isArray(value)) {
    for (const element of value) yield* tensorsIn(element);
  } else if (value instanceof Map) {
    for (const element of value.values()) yield* tensorsIn(element);
  } else if (typeof value === 'object' && value !== null) {
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype === Object.prototype || prototype === null) {
      for (const element of Object.values(value)) yield* tensorsIn(element);
    }
  }
}

/**
 * Runs `body` and frees every tensor made inside except those in what it returns (a tensor, or arrays,
 * maps and plain objects of them) and those that were kept. `body` must not be asynchronous.
 */
export function scope<T>(body: () => T): T {
  return runScoped(() => {
    const value = body();
    if (value instanceof Promise) {
      throw new CarryoverError(
        {
          where: 'scope',
          expected: 'a synchronous body',
          got: 'a promise',
          hint: 'await outside the scope',
        },
        1,
      );
    }
    return value;
  }, tensorsIn);
}

/** Takes the tensors in `value` out of all scopes: they live until disposed of. Returns `value`. */
export function keep<T>(value: T): T {
  for (const [tensor, ownership] of tensorsIn(value)) exempt(tensor, ownership);
  return value;
}

/**
 * Tensors held by handles, the bytes of the distinct storages behind them, and the external bytes that
 * V8 was told of: the most that were in use, in steps of 8 MiB, since `returnFreedMemory` was last called.
 */
export function liveTensors(): { count: number; bytes: number; reportedBytes: number } {
  const [count, bytes, reportedBytes] = native.liveTensors();
  return { count, bytes, reportedBytes };
}
