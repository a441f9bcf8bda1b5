/**
 * Features at all taps: against the plain forward pass, and against PyTorch with a hook at every tap.
 * Random images, 224 px, everything copied out batch by batch.
 */
import { fileURLToPath } from 'node:url';
import { median } from '../src/util/index.ts';
import type { Benchmark, BenchmarkOptions, Row } from './benchmark.ts';
import { alternate, type Program, spreadOf } from './pairing.ts';
import { type Measured, sameLibraries } from './train.ts';

const child = fileURLToPath(new URL('children/features.ts', import.meta.url));
const reference = fileURLToPath(new URL('../scripts/reference/features.py', import.meta.url));

const models = ['resnet50', 'deit_small', 'swin_tiny', 'inception_v3'] as const;

/** [what is compared with what, our precision, who the reference is, target ratio] */
const comparisons = [
  { name: 'all taps against plain', precision: 'fp32', against: 'plain', target: 0.9 },
  { name: 'all taps against plain', precision: 'bf16', against: 'plain', target: 0.9 },
  { name: 'against hooks in float32', precision: 'fp32', against: 'PyTorch', target: 1 },
  { name: 'against hooks in float32', precision: 'bf16', against: 'PyTorch', target: 1.8 },
] as const;

type Comparison = (typeof comparisons)[number];

export const features: Benchmark = {
  name: 'features',
  summary: 'features at all taps: 224 px, against the plain pass and against PyTorch with hooks',
  async *run(options) {
    for (const model of models) {
      for (const comparison of comparisons) {
        const name = `${model}-${comparison.precision}-${comparison.against}`;
        if (options.only && !name.includes(options.only)) continue;
        yield await compare(model, comparison, options);
      }
    }
  },
};

async function compare(
  model: string,
  { name, precision, against, target }: Comparison,
  { python, rounds, batch, threads, say }: BenchmarkOptions,
): Promise<Row> {
  const shared = ['--model', model, '--batch', String(batch), '--threads', String(threads)];
  const carryover = (mode: string): Program => ({
    name: `carryover, ${mode}`,
    command: process.execPath,
    arguments: ['--import', 'tsx', child, ...shared, '--precision', precision, '--mode', mode],
  });
  const hooks: Program = {
    name: 'PyTorch',
    command: python,
    arguments: [reference, ...shared, '--precision', 'fp32'],
    environment: sameLibraries(python),
  };
  const results = await alternate<Measured>(
    carryover('taps'),
    against === 'plain' ? carryover('plain') : hooks,
    rounds,
    (round) =>
      say(`features ${model} ${precision} against ${against}: round ${round + 1} of ${rounds}`),
  );
  const rate = (measured: Measured) => batch / median(measured.seconds);
  const ratios = results.ours.map(
    (measured, round) => rate(measured) / rate(results.reference[round] ?? measured),
  );
  const peak = (list: Measured[]) => Math.max(...list.map(({ peakBytes }) => peakBytes)) / 2 ** 30;
  return {
    name: `${model}, ${precision}, ${name}`,
    unit: 'images/s',
    ours: spreadOf(results.ours.map(rate)),
    reference: spreadOf(results.reference.map(rate)),
    ratio: spreadOf(ratios),
    target,
    notes: `peak memory ${peak(results.ours).toFixed(2)} GiB, reference ${peak(results.reference).toFixed(2)} GiB`,
  };
}
