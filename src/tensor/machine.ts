/** What LibTorch says of itself and of the machine: version, threads, GPUs, 16-bit floats. */
import { availableParallelism } from 'node:os';
import { native } from './native.ts';
import { processor } from './processor.ts';
import type { Device } from './tensor.ts';

/** LibTorch's version, for example `1.13.0`. */
export function libtorchVersion(): string {
  return native.versions()[0];
}

/** How LibTorch was built: BLAS, oneDNN, flags. */
export function libtorchConfiguration(): string {
  return native.versions()[1];
}

/** The vector instructions that LibTorch's own kernels use: `AVX2`, `AVX512`, `DEFAULT`, … */
export function cpuCapability(): string {
  return /CPU capability usage: (\S+)/.exec(libtorchConfiguration())?.[1] ?? 'unknown';
}

/** The CUDA that LibTorch was built for, for example `13.0`; `undefined` for a build without. */
export function libtorchCuda(): string | undefined {
  return /\bCUDA_VERSION=([\d.]+)/.exec(libtorchConfiguration())?.[1];
}

/** Threads inside one operator. */
export function getThreadCount(): number {
  return native.getThreads();
}

/** @param count at least 1; the default is the cores that this process may use. */
export function setThreadCount(count: number): void {
  native.setThreads(Math.max(1, Math.floor(count)));
}

/** Cores that this process may use. */
export function availableCores(): number {
  return availableParallelism();
}

export function cudaDeviceCount(): number {
  return native.cudaDeviceCount();
}

/** Waits for the work queued on a GPU; returns at once for the CPU. */
export function synchronize(device: Device): void {
  native.synchronize(device);
}

/** Whether kernels with a fixed order of sums are chosen on GPUs; CPU kernels have one always. */
export function setDeterministic(deterministic: boolean): void {
  native.setDeterministic(deterministic);
}

/** Gives freed memory back to the system, between phases of different size. */
export function returnFreedMemory(): void {
  native.returnFreedMemory();
}

/** Whether the processor multiplies bfloat16 in hardware (AVX512-BF16 or AMX); false where that cannot be read. */
export function processorHasBFloat16(): boolean {
  const { flags } = processor();
  return ['avx512_bf16', 'amx_bf16', 'bf16'].some((flag) => flags.has(flag));
}
