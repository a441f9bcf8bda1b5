import { describe, expect, it } from 'vitest';
import { judge, type Observations } from '../../src/cli/doctor/findings.ts';
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
  nvidiaDriver: false,
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
    ['a GPU out of reach', { nvidiaDriver: true }, /sees no GPU/, /CUDA build/],
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
