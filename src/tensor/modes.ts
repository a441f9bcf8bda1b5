/** Gradients, and the modes that surround operators. All bodies are synchronous. */
import { type DType, dtypeCode } from './dtype.ts';
import { native } from './native.ts';
import { type Device, Tensor } from './tensor.ts';

/** No call of the addon takes more lists of tensors than this. */
const LISTS = 8;
/** Lists by length, used in turn: a new typed array costs more than a small operator's arguments. */
const lists: { arrays: Float64Array[]; next: number }[] = [];

function listOf(length: number): Float64Array {
  let known = lists[length];
  if (!known) {
    known = { arrays: Array.from({ length: LISTS }, () => new Float64Array(length)), next: 0 };
    lists[length] = known;
  }
  known.next = (known.next + 1) % LISTS;
  return known.arrays[known.next] ?? new Float64Array(length);
}

/** Handles of tensors, as the addon takes lists: to be passed on at once, since the array is used again. */
export function handlesOf(tensors: readonly (Tensor | undefined)[]): Float64Array {
  const handles = listOf(tensors.length);
  for (let index = 0; index < tensors.length; index++) handles[index] = tensors[index]?.handle ?? 0;
  return handles;
}

function withGradients<T>(enabled: boolean, body: () => T): T {
  const previous = native.setGradEnabled(enabled);
  try {
    return body();
  } finally {
    native.setGradEnabled(previous);
  }
}

/** Runs `body` without recording gradients. */
export function noGrad<T>(body: () => T): T {
  return withGradients(false, body);
}

/** Runs `body` with gradients recorded, inside `noGrad` too. */
export function enableGrad<T>(body: () => T): T {
  return withGradients(true, body);
}

/** Runs `body` in inference mode: no gradients, no version counters. Its tensors never enter autograd. */
export function inferenceMode<T>(body: () => T): T {
  native.enterInference();
  try {
    return body();
  } finally {
    native.leaveInference();
  }
}

export interface AutocastOptions {
  device: Device;
  dtype: Extract<DType, 'bfloat16' | 'float16'>;
  /** False runs `body` as it is. */
  enabled?: boolean;
}

let casting: { device: Device; dtype: DType } | undefined;

/** The type that linear layers and convolutions on a device compute in, where autocast is on for it. */
export function autocastDType(device: Device): DType | undefined {
  return casting?.device === device ? casting.dtype : undefined;
}

/** Runs `body` with automatic casts to a 16-bit float where LibTorch holds that safe; weights are cast once. */
export function autocast<T>({ device, dtype, enabled = true }: AutocastOptions, body: () => T): T {
  if (!enabled) return body();
  const [wasEnabled, previousDType] = native.setAutocast(device, true, dtypeCode(dtype));
  native.enterAutocast();
  const outer = casting;
  casting = { device, dtype };
  try {
    return body();
  } finally {
    casting = outer;
    native.leaveAutocast();
    native.setAutocast(device, wasEnabled !== 0, previousDType);
  }
}

/**
 * Accumulates into `.grad` of the leaves the gradients of `loss`, a scalar unless `gradient` is given.
 */
export function backward(
  loss: Tensor,
  options: { gradient?: Tensor; retainGraph?: boolean } = {},
): void {
  native.backward(handlesOf([loss]), handlesOf([options.gradient]), options.retainGraph ?? false);
}

/**
 * Gradients of the sum of `outputs` (weighted by `outputGradients`) by each of `inputs`, without
 * touching `.grad`; `undefined` for an input that no output depends on.
 */
export function gradients(
  outputs: readonly Tensor[],
  inputs: readonly Tensor[],
  options: {
    outputGradients?: readonly (Tensor | undefined)[];
    retainGraph?: boolean;
    createGraph?: boolean;
  } = {},
): (Tensor | undefined)[] {
  const { createGraph = false, retainGraph = createGraph } = options;
  const outputGradients = options.outputGradients ?? outputs.map(() => undefined);
  return native
    .gradients(
      handlesOf(outputs),
      handlesOf(inputs),
      handlesOf(outputGradients),
      retainGraph,
      createGraph,
    )
    .map((handle) => (handle === 0 ? undefined : new Tensor(handle)));
}

/** The gradients of many tensors at once; `undefined` where there is none. */
export function gradientsOf(tensors: readonly Tensor[]): (Tensor | undefined)[] {
  return native
    .grads(handlesOf(tensors))
    .map((handle) => (handle === 0 ? undefined : new Tensor(handle)));
}

/** Drops the gradients of many tensors at once. */
export function clearGradients(tensors: readonly Tensor[]): void {
  native.clearGrads(handlesOf(tensors));
}
