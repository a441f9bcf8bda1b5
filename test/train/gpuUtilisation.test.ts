import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { physicalGpu } from '../../src/tensor/index.ts';
import { GpuUtilisation } from '../../src/train/gpuUtilisation.ts';

/** A program that answers as nvidia-smi does: in the manner of `--format=csv,noheader,nounits`. */
async function program(body: string): Promise<string> {
  const path = join(await mkdtemp(join(tmpdir(), 'carryover-gpu-')), 'nvidia-smi');
  await writeFile(path, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  return path;
}

async function meanAfterAWhile(device: string, command: string): Promise<number | undefined> {
  using gpu = new GpuUtilisation(device, command, 0.05);
  for (let wait = 0; wait < 40 && gpu.mean === undefined; wait++) await delay(25);
  return gpu.mean;
}

it('is the mean of what nvidia-smi says of this GPU', async () => {
  const command = await program('[ "$4" = 3 ] && echo 40 || echo 7');
  expect(await meanAfterAWhile('cuda:3', command)).toBe(0.4);
});

it('is not known without that program, or where the GPU does not tell', async () => {
  expect(await meanAfterAWhile('cuda:0', '/nowhere/nvidia-smi')).toBeUndefined();
  expect(await meanAfterAWhile('cuda:0', await program('echo "[N/A]"'))).toBeUndefined();
});

it('asks for the GPU behind CUDA_VISIBLE_DEVICES', () => {
  expect(physicalGpu(1, '')).toBe('1');
  expect(physicalGpu(1, '4, 6')).toBe('6');
  expect(physicalGpu(0, 'GPU-8932f937')).toBe('GPU-8932f937');
});
