/** What the NVIDIA driver says of a GPU, which LibTorch's stable interface does not: asked of `nvidia-smi`. */
import { execFileSync } from 'node:child_process';

export interface GpuFacts {
  name: string;
  /** 8 and above (Ampere) computes in bfloat16 in hardware. */
  computeCapability: number;
  /** Bytes on the device. */
  memory: number;
}

/** Ampere: the first generation that multiplies bfloat16 in hardware. */
const BFLOAT16_CAPABILITY = 8;

/** Long enough for a driver that has to wake its devices. */
const TIMEOUT_MILLISECONDS = 10_000;

/**
 * The GPU that LibTorch calls `cuda:<index>`; `undefined` where the driver's own tool does not answer.
 * Where CUDA_VISIBLE_DEVICES names devices, the index counts those.
 */
export function describeGpu(index: number): GpuFacts | undefined {
  const id = physicalGpu(index);
  try {
    const answer = execFileSync(
      'nvidia-smi',
      ['--query-gpu=name,compute_cap,memory.total', '--format=csv,noheader,nounits', '-i', id],
      {
        encoding: 'utf8',
        timeout: TIMEOUT_MILLISECONDS,
        stdio: ['ignore', 'pipe', 'ignore'],
      },
    );
    return readFacts(answer);
  } catch {
    return undefined;
  }
}

/**
 * What nvidia-smi calls the GPU that LibTorch calls `cuda:<index>`: it counts those that CUDA_VISIBLE_DEVICES
 * hides too. Both count in the order of the bus (native.ts).
 */
export function physicalGpu(index: number, visible = process.env.CUDA_VISIBLE_DEVICES): string {
  const listed = (visible ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  return listed[index] ?? String(index);
}

/** `NVIDIA H100 80GB HBM3, 9.0, 81559` (MiB) as facts. */
export function readFacts(line: string): GpuFacts | undefined {
  const parts =
    line
      .split('\n')[0]
      ?.split(',')
      .map((part) => part.trim()) ?? [];
  const [memory, capability] = [Number(parts.at(-1)), Number(parts.at(-2))];
  const name = parts.slice(0, -2).join(', ');
  if (name === '' || !(capability > 0) || !(memory > 0)) return undefined;
  return { name, computeCapability: capability, memory: memory * 2 ** 20 };
}

/** Whether a GPU multiplies bfloat16 in hardware; older ones only imitate it, slowly. */
export function gpuHasBFloat16({ computeCapability }: GpuFacts): boolean {
  return computeCapability >= BFLOAT16_CAPABILITY;
}
