import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { judge, type Observations } from '../../src/cli/doctor/findings.ts';
import { describeDevices, judgeGpus, lookForNvidia } from '../../src/cli/doctor/gpus.ts';
import { blasKind, libraryNamed } from '../../src/cli/doctor/libraries.ts';
import { gemmSpeed } from '../../src/cli/doctor/measure.ts';
import { runProgram } from '../../src/cli/program.ts';
import { liveTensors } from '../../src/tensor/index.ts';

const healthy: Observations = {
  libtorch: '2.4.1',
  blas: 'openblas',
  cores: 8,
  speeds: [{ device: 'cpu', float32: 300, bfloat16: 900 }],
  bfloat16Hardware: true,
  cuda: undefined,
  nvidiaDriver: false,
  nvidiaHardware: false,
  gpus: 0,
  freeDisk: 100 * 2 ** 30,
  availableMemory: 16 * 2 ** 30,
};

describe('findings', () => {
  it('say that nothing is wrong', () => {
    expect(judge(healthy)).toEqual([{ level: 'ok', message: 'nothing to mend' }]);
  });

  it.each<[string, Partial<Observations>, RegExp, RegExp]>([
    ['the reference BLAS', { blas: 'reference' }, /slow reference BLAS/, /libopenblas0-openmp/],
    [
      'a slow product, whatever the BLAS',
      { speeds: [{ device: 'cpu', float32: 3, bfloat16: 9 }] },
      /slow BLAS \(openblas\): 3\.0 GFLOP/,
      /LIBTORCH/,
    ],
    [
      'a GPU out of reach',
      { nvidiaDriver: true },
      /build without CUDA and sees no GPU/,
      /CUDA build/,
    ],
    [
      'a GPU that a CUDA build does not see',
      { nvidiaDriver: true, nvidiaHardware: true, cuda: '13.0' },
      /for CUDA 13\.0 sees no GPU/,
      /nvidia-smi .*CUDA version of 13\.0 or newer.*--gpus all/,
    ],
    [
      'a GPU without a driver',
      { nvidiaHardware: true, cuda: '13.0' },
      /no driver is loaded/,
      /until nvidia-smi lists the GPU$/,
    ],
    [
      'a GPU without a driver or a CUDA build',
      { nvidiaHardware: true },
      /no driver is loaded/,
      /CUDA build of torch/,
    ],
    [
      'bfloat16 that gains nothing',
      { speeds: [{ device: 'cpu', float32: 300, bfloat16: 20 }] },
      /bfloat16 in hardware/,
      /precision=fp32/,
    ],
    ['a full disk', { freeDisk: 2 ** 30 }, /1\.0 GiB are free on the disk/, /free some space/],
    ['little memory', { availableMemory: 2 ** 30 }, /1\.0 GiB of memory/, /smaller batch/],
  ])('name %s and what to do', (_what, change, message, advice) => {
    const findings = judge({ ...healthy, ...change });
    expect(findings).toHaveLength(1);
    expect(findings[0]?.level).toBe('warning');
    expect(findings[0]?.message).toMatch(message);
    expect(findings[0]?.advice).toMatch(advice);
  });

  it('keep quiet about bfloat16 without hardware for it', () => {
    const speeds = [{ device: 'cpu', float32: 300, bfloat16: undefined }];
    expect(judge({ ...healthy, bfloat16Hardware: false, speeds })[0]?.level).toBe('ok');
  });
});

describe('GPUs', () => {
  it('that are hidden are told of', () => {
    const seen = { ...healthy, nvidiaDriver: true, nvidiaHardware: true, cuda: '12.4' };
    expect(judgeGpus(seen, '')?.advice).toContain('and here it is ""');
    expect(judgeGpus(seen, undefined)?.advice).not.toContain('here it is');
    expect(judgeGpus({ ...seen, gpus: 1 }, '0')).toBeUndefined();
  });

  it('that no machine has are no fault, and one line says what a CUDA build misses', () => {
    expect(judgeGpus({ ...healthy, cuda: '13.0' })).toBeUndefined();
    expect(describeDevices(['cpu'], { ...healthy, cuda: '13.0' })).toBe(
      'cpu (LibTorch is built for CUDA 13.0; no NVIDIA driver is loaded)',
    );
    expect(describeDevices(['cpu'], healthy)).toBe('cpu');
    expect(
      describeDevices(['cpu', 'cuda:0'], { ...healthy, cuda: '13.0', nvidiaDriver: true, gpus: 1 }),
    ).toBe('cpu, cuda:0');
  });

  it('are found on the bus, and the driver among the kernel’s', () => {
    const root = mkdtempSync(join(tmpdir(), 'carryover-doctor-'));
    const plug = (slot: string, vendor: string, kind: string): void => {
      const folder = join(root, 'sys/bus/pci/devices', slot);
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, 'vendor'), `${vendor}\n`);
      writeFileSync(join(folder, 'class'), `${kind}\n`);
    };
    try {
      expect(lookForNvidia(root)).toEqual({ nvidiaDriver: false, nvidiaHardware: false });
      plug('0000:00:02.0', '0x8086', '0x030000');
      // The audio half of a graphics card.
      plug('0000:01:00.1', '0x10de', '0x040300');
      expect(lookForNvidia(root).nvidiaHardware).toBe(false);
      plug('0000:01:00.0', '0x10de', '0x030200');
      expect(lookForNvidia(root).nvidiaHardware).toBe(true);
      mkdirSync(join(root, 'proc/driver/nvidia'), { recursive: true });
      writeFileSync(join(root, 'proc/driver/nvidia/version'), 'NVRM version: …\n');
      expect(lookForNvidia(root).nvidiaDriver).toBe(true);
    } finally {
      rmSync(root, { recursive: true });
    }
  });
});

describe('the BLAS', () => {
  it('is told from the loaded libraries', () => {
    expect(blasKind(['/usr/lib/openblas-openmp/libblas.so.3', '/x/libopenblas.so.0'], '')).toBe(
      'openblas',
    );
    expect(blasKind(['/usr/lib/blas/libblas.so.3'], 'BLAS_INFO=generic')).toBe('reference');
    expect(blasKind([], 'Build settings: BLAS_INFO=mkl, BUILD_TYPE=Release')).toBe('mkl');
    expect(blasKind([], '')).toBe('unknown');
  });

  it('is looked up by file name, not by folder', () => {
    const libraries = ['/opt/libblas/libc.so', '/usr/lib/libblas.so.3'];
    expect(libraryNamed(libraries, 'libblas')).toBe('/usr/lib/libblas.so.3');
  });
});

describe('the command', () => {
  it('measures a product and leaves no tensor behind', () => {
    const before = liveTensors().count;
    const speed = gemmSpeed('cpu', 'float32', 256);
    expect(speed).toBeGreaterThan(0.01);
    expect(Number.isFinite(speed)).toBe(true);
    expect(liveTensors().count).toBe(before);
  });

  it('prints one document with everything that it looked at', async () => {
    let stdout = '';
    let stderr = '';
    const code = await runProgram(['doctor', '--json'], {
      stdout: { write: (text: string) => (stdout += text) },
      stderr: { write: (text: string) => (stderr += text) },
    });
    expect(code).toBe(0);
    const document: unknown = JSON.parse(stdout);
    expect(document).toMatchObject({
      node: process.versions.node,
      libtorch: expect.stringMatching(/^\d+\.\d+/),
      place: expect.stringContaining('/'),
      speeds: expect.arrayContaining([expect.objectContaining({ device: 'cpu' })]),
      findings: expect.any(Array),
    });
    expect(stderr).toMatch(/^Node +\d+/);
  });
});
