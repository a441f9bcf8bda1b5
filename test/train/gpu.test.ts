import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeGpu, gpuHasBFloat16, readFacts } from '../../src/tensor/index.ts';
import { gpuPrecision } from '../../src/train/resolve.ts';

const volta = { name: 'Tesla V100-SXM2-16GB', computeCapability: 7, memory: 16160 * 2 ** 20 };
const hopper = { name: 'NVIDIA H100 80GB HBM3', computeCapability: 9, memory: 81559 * 2 ** 20 };

describe('the number format on a GPU', () => {
  it('is bfloat16 from compute capability 8 on, else float32', () => {
    expect(gpuPrecision('auto', hopper)).toBe('bf16');
    expect(gpuPrecision('auto', volta)).toBe('fp32');
    expect(gpuPrecision('fp32', hopper)).toBe('fp32');
    expect(gpuHasBFloat16({ ...volta, computeCapability: 8 })).toBe(true);
  });

  it('refuses bfloat16 on a GPU without it', () => {
    expect(() => gpuPrecision('bf16', volta)).toThrow(
      'training.precision: expected a GPU that computes in bfloat16 (compute capability 8.0 or newer), ' +
        'got Tesla V100-SXM2-16GB, 7.0 (use precision auto or fp32)',
    );
  });
});

describe("the driver's word on a GPU", () => {
  const before = { path: process.env.PATH, visible: process.env.CUDA_VISIBLE_DEVICES };
  let folder = '';

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'carryover-gpu-'));
    const tool = join(folder, 'nvidia-smi');
    // Answers with the id that it was asked for.
    writeFileSync(tool, '#!/bin/sh\nfor id; do :; done\necho "GPU of id $id, 8.6, 24564"\n');
    chmodSync(tool, 0o755);
    process.env.PATH = `${folder}${delimiter}${before.path}`;
  });

  afterEach(() => {
    process.env.PATH = before.path;
    if (before.visible === undefined) delete process.env.CUDA_VISIBLE_DEVICES;
    else process.env.CUDA_VISIBLE_DEVICES = before.visible;
    rmSync(folder, { recursive: true, force: true });
  });

  it('is of the device that LibTorch counts', () => {
    delete process.env.CUDA_VISIBLE_DEVICES;
    expect(describeGpu(1)).toEqual({
      name: 'GPU of id 1',
      computeCapability: 8.6,
      memory: 24564 * 2 ** 20,
    });
    process.env.CUDA_VISIBLE_DEVICES = '3, GPU-5f';
    expect(describeGpu(0)?.name).toBe('GPU of id 3');
    expect(describeGpu(1)?.name).toBe('GPU of id GPU-5f');
  });

  it('is nothing where there is no driver, or another answer', () => {
    process.env.PATH = join(folder, 'empty');
    expect(describeGpu(0)).toBeUndefined();
    expect(readFacts('No devices were found')).toBeUndefined();
    expect(readFacts('')).toBeUndefined();
  });
});
