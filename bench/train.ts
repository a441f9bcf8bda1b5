/**
 * Training throughput against plain PyTorch of the same LibTorch: batch 16, 224 px, two threads, random
 * images, everything else as a run does it.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { median } from '../src/util/index.ts';
import type { Benchmark, Row } from './benchmark.ts';
import { alternate, type Program, runProgram, spreadOf } from './pairing.ts';

/** What a program prints of its steps. */
export interface Measured {
  seconds: number[];
  peakBytes: number;
  version: string;
}

const child = fileURLToPath(new URL('children/train.ts', import.meta.url));
const reference = fileURLToPath(new URL('../scripts/reference/train.py', import.meta.url));

/** [model, our precision, target ratio against PyTorch's float32] */
const cases = [
  { model: 'resnet50', precision: 'fp32', target: 1.2 },
  { model: 'deit_small', precision: 'fp32', target: 1.0 },
  { model: 'resnet50', precision: 'bf16', target: 2.0 },
  { model: 'deit_small', precision: 'bf16', target: 1.9 },
] as const;

export const train: Benchmark = {
  name: 'train',
  summary: 'training steps: batch 16, 224 px, against PyTorch eager, channels-last, float32',
  async run({ python, rounds, only, batch, threads, say }) {
    const rows: Row[] = [];
    for (const { model, precision, target } of cases) {
      if (only && !`${model}-${precision}`.includes(only)) continue;
      const shared = ['--model', model, '--batch', String(batch), '--threads', String(threads)];
      const ours: Program = {
        name: 'carryover',
        command: process.execPath,
        arguments: ['--import', 'tsx', child, ...shared, '--precision', precision],
      };
      const theirs: Program = {
        name: 'PyTorch',
        command: python,
        arguments: [reference, ...shared, '--precision', 'fp32'],
        environment: sameLibraries(python),
      };
      const results = await alternate<Measured>(ours, theirs, rounds, (round) =>
        say(`train ${model} ${precision}: round ${round + 1} of ${rounds}`),
      );
      const rate = (measured: Measured) => batch / median(measured.seconds);
      const ratios = results.ours.map(
        (measured, round) => rate(measured) / rate(results.reference[round] ?? measured),
      );
      const peak = (list: Measured[]) =>
        Math.max(...list.map(({ peakBytes }) => peakBytes)) / 2 ** 30;
      rows.push({
        name: `${model}, ${precision}`,
        unit: 'images/s',
        ours: spreadOf(results.ours.map(rate)),
        reference: spreadOf(results.reference.map(rate)),
        ratio: spreadOf(ratios),
        target,
        notes: `peak memory ${peak(results.ours).toFixed(2)} GiB, PyTorch ${peak(results.reference).toFixed(2)} GiB; PyTorch ${results.reference[0]?.version ?? ''}`,
      });
    }
    return rows;
  },
};

/**
 * Debian's Python takes whichever BLAS the system's alternatives name; it is given the one that the addon
 * links, so that both do their arithmetic with the same code.
 */
export function sameLibraries(python: string): Record<string, string> {
  const openblas = '/usr/lib/x86_64-linux-gnu/openblas-openmp';
  const isSystem = python.startsWith('/usr/bin/') && existsSync(openblas);
  return isSystem ? { LD_LIBRARY_PATH: openblas } : {};
}

/** Whether a Python with PyTorch answers under this name. */
export async function pythonHasTorch(python: string): Promise<boolean> {
  try {
    await runProgram({
      name: 'probe',
      command: python,
      arguments: ['-c', 'import torch; print(1)'],
    });
    return true;
  } catch {
    return false;
  }
}
