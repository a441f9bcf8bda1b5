/**
 * Training throughput against plain PyTorch of the same LibTorch: 224 px, random images, everything else as a
 * run does it.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { median } from '../src/util/index.ts';
import type { Benchmark } from './benchmark.ts';
import { alternate, type Program, runProgram, spreadOf } from './pairing.ts';

/** What a program prints of its steps. */
export interface Measured {
  seconds: number[];
  peakBytes: number;
  version: string;
}

const child = fileURLToPath(new URL('children/train.ts', import.meta.url));
const reference = fileURLToPath(new URL('../scripts/reference/train.py', import.meta.url));

type Precision = 'fp32' | 'bf16';

interface Case {
  model: string;
  precision: Precision;
  reference: { precision: Precision; layout: 'channels-last' | 'nchw' };
  /** Of our speed over the reference's. */
  target: number;
}

const models = [
  { model: 'resnet50', isCnn: true, equal: 1.2, paper: 2.3, channelsLast: { fp32: 1.2, bf16: 2 } },
  { model: 'inception_v3', isCnn: true, equal: 1.2, paper: 2.3, channelsLast: { fp32: 1.2 } },
  { model: 'deit_small', isCnn: false, equal: 1.1, paper: 2, channelsLast: {} },
  { model: 'swin_tiny', isCnn: false, equal: 1.1, paper: 2, channelsLast: {} },
] as const;

/**
 * Each model at equal precision and in bfloat16 against the paper's released settings: float32, eager, channels
 * first. CNNs also against channels last, which is faster; transformers know no such difference.
 */
const cases: readonly Case[] = models.flatMap(({ model, isCnn, equal, paper, channelsLast }) => {
  const of = (precision: Precision, reference: Case['reference'], target: number): Case => ({
    model,
    precision,
    reference,
    target,
  });
  const best = isCnn ? 'channels-last' : 'nchw';
  return [
    of('fp32', { precision: 'fp32', layout: 'nchw' }, equal),
    of('bf16', { precision: 'bf16', layout: best }, equal),
    of('bf16', { precision: 'fp32', layout: 'nchw' }, paper),
    ...Object.entries(channelsLast).map(([precision, target]) =>
      of(precision === 'bf16' ? 'bf16' : 'fp32', { precision: 'fp32', layout: best }, target),
    ),
  ];
});

export const train: Benchmark = {
  name: 'train',
  summary: 'training steps at 224 px, against PyTorch, eager',
  async *run({ python, rounds, only, batch, threads, say }) {
    for (const { model, precision, reference: against, target } of cases) {
      const name = `${model}-${precision}-against-${against.precision}-${against.layout}`;
      if (only && !name.includes(only)) continue;
      const shared = ['--model', model, '--batch', String(batch), '--threads', String(threads)];
      const ours: Program = {
        name: 'carryover',
        command: process.execPath,
        arguments: ['--import', 'tsx', child, ...shared, '--precision', precision],
      };
      const { layout } = against;
      const theirs: Program = {
        name: 'PyTorch',
        command: python,
        arguments: [reference, ...shared, '--precision', against.precision, '--layout', layout],
        environment: sameLibraries(python),
      };
      const results = await alternate<Measured>(ours, theirs, rounds, (round) =>
        say(`train ${name}: round ${round + 1} of ${rounds}`),
      );
      const rate = (measured: Measured) => batch / median(measured.seconds);
      const ratios = results.ours.map(
        (measured, round) => rate(measured) / rate(results.reference[round] ?? measured),
      );
      const peak = (list: Measured[]) =>
        Math.max(...list.map(({ peakBytes }) => peakBytes)) / 2 ** 30;
      yield {
        name: `${model}, ${precision}; PyTorch ${against.precision}, ${layout}`,
        unit: 'images/s',
        ours: spreadOf(results.ours.map(rate)),
        reference: spreadOf(results.reference.map(rate)),
        ratio: spreadOf(ratios),
        target,
        notes: `peak memory ${peak(results.ours).toFixed(2)} GiB, PyTorch ${peak(results.reference).toFixed(2)} GiB; PyTorch ${results.reference[0]?.version ?? ''}`,
      };
    }
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
