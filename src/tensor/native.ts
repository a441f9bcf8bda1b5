/**
 * The addon's whole contract, typed, and the one place that loads it. JavaScript validates and owns
 * lifetimes; the addon sees numbers. A handle names a tensor; 0 is "no tensor".
 */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WorkError } from '../util/index.ts';
import { hasWideKernels, processor } from './processor.ts';

export type Handle = number;

/** What may be passed for one argument of an operator. */
export type NativeArgument =
  | number
  | boolean
  | string
  | undefined
  | readonly number[]
  | readonly (number | boolean)[]
  | Float64Array;

/** What an operator answers: a handle or plain value, or a list of them; undefined for in-place operators. */
export type NativeResult = number | boolean | undefined | NativeResult[];

/** An argument or result of an operator: [name, ATen's type, N of `T[N]` or 0, keyword only, written, default]. */
export type NativeParameter = [string, string, number, boolean, boolean, string | undefined];

export interface Native {
  operator(name: string, overload: string): number;
  call(id: number, ...values: NativeArgument[]): NativeResult;
  /** [arguments, results] */
  schema(name: string, overload: string): [NativeParameter[], NativeParameter[]];

  release(handle: Handle): void;
  releaseMany(handles: Float64Array, count: number): void;
  shape(handle: Handle): number[];
  strides(handle: Handle): number[];
  dtype(handle: Handle): number;
  device(handle: Handle): string;
  isContiguous(handle: Handle, memoryFormat: number): boolean;
  identity(handle: Handle): number;
  item(handle: Handle): number | boolean;
  fromBuffer(data: ArrayBufferView, shape: readonly number[], dtype: number): Handle;
  toBuffer(handle: Handle): ArrayBuffer;
  /** [handles in use, bytes of the distinct storages behind them, external bytes that V8 knows of] */
  liveTensors(): [number, number, number];

  requiresGrad(handle: Handle): boolean;
  setRequiresGrad(handle: Handle, value: boolean): void;
  grad(handle: Handle): Handle;
  setGrad(handle: Handle, gradient: Handle): void;
  grads(handles: Float64Array): Handle[];
  clearGrads(handles: Float64Array): void;
  setData(handle: Handle, other: Handle): void;
  backward(roots: Float64Array, gradients: Float64Array, retainGraph: boolean): void;
  gradients(
    outputs: Float64Array,
    inputs: Float64Array,
    outputGradients: Float64Array,
    retainGraph: boolean,
    createGraph: boolean,
  ): Handle[];
  setGradEnabled(enabled: boolean): boolean;
  enterInference(): void;
  leaveInference(): void;
  /** [was enabled (0 or 1), dtype it had] */
  setAutocast(device: string, enabled: boolean, dtype: number): [number, number];
  enterAutocast(): void;
  leaveAutocast(): void;

  generatorCreate(device: string, seed: number): number;
  generatorDefault(device: string): number;
  generatorRelease(id: number): void;
  generatorSeed(id: number, seed: number): void;
  generatorState(id: number): Handle;
  generatorSetState(id: number, state: Handle): void;
  setThreads(count: number): void;
  getThreads(): number;
  keepFreedMemory(): boolean;
  returnFreedMemory(): void;
  /** [version, how LibTorch was built] */
  versions(): [string, string];
  cudaDeviceCount(): number;
  synchronize(device: string): void;
  setDeterministic(deterministic: boolean): void;
}

const projectRoot = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** The addon that set-up built last, or the one that `CARRYOVER_ADDON` names. */
function addonPath(): string {
  const chosen = process.env.CARRYOVER_ADDON;
  if (chosen) return chosen;
  const record = join(projectRoot, 'native', 'build', 'current.json');
  if (!existsSync(record)) {
    throw new WorkError({
      where: 'LibTorch addon',
      expected: 'a built addon',
      got: 'none',
      hint: 'run `npm run setup`',
    });
  }
  const { path }: { path: string } = JSON.parse(readFileSync(record, 'utf8'));
  return path;
}

const path = addonPath();

/** Where the addon lies, and beside it those that extend it. */
export const addonFolder = dirname(path);

function load(): Native {
  // As nvidia-smi counts them; by default CUDA counts the fastest first.
  process.env.CUDA_DEVICE_ORDER ??= 'PCI_BUS_ID';
  // Without workspaces of a fixed size cuBLAS may sum in another order the next time, deterministic mode or not.
  process.env.CUBLAS_WORKSPACE_CONFIG ??= ':4096:8';
  try {
    const addon: Native = createRequire(import.meta.url)(path);
    chooseKernels(addon);
    // Freed activations stay with the process for the next step: a fifth to a third more training throughput.
    if (process.env.CARRYOVER_KEEP_MEMORY !== '0') addon.keepFreedMemory();
    return addon;
  } catch (error) {
    throw new WorkError(
      {
        where: `LibTorch addon ${path}`,
        expected: 'an addon that loads',
        got: error instanceof Error ? error.message : String(error),
        hint: 'run `npm run setup` to build it for the LibTorch that is installed',
      },
      { cause: error },
    );
  }
}

/** LibTorch reads once which kernels to use; the programs that this one starts need not be told. */
function chooseKernels(addon: Native): void {
  if (process.env.ATEN_CPU_CAPABILITY !== undefined || !hasWideKernels(processor())) return;
  process.env.ATEN_CPU_CAPABILITY = 'avx512';
  addon.versions();
  delete process.env.ATEN_CPU_CAPABILITY;
}

export const native: Native = load();
