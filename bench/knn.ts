/**
 * k-NN: at all taps against one plain forward pass over the same images, and a large search against the bare
 * matrix product of its size.
 */
import { fileURLToPath } from 'node:url';
import type { Benchmark } from './benchmark.ts';
import { alternate, type Program, runProgram, spreadOf } from './pairing.ts';
import { sameLibraries } from './train.ts';

interface Passes {
  plain: number;
  ours: number;
  peakBytes: number;
}

const child = fileURLToPath(new URL('children/knn.ts', import.meta.url));
const reference = fileURLToPath(new URL('../scripts/reference/knn.py', import.meta.url));

/** The bound on k-NN at all taps, in plain passes, and on the search, in bare products. */
const MOST_PASSES = 1.3;
const MOST_PRODUCTS = 1.5;

export const knn: Benchmark = {
  name: 'knn',
  summary: 'k-NN at all taps, and a search of 20,000 queries in 100,000 × 768',
  async *run({ python, rounds, only, threads, say }) {
    for (const model of ['resnet50', 'deit_small']) {
      if (only && !`pass-${model}`.includes(only)) continue;
      const program: Program = {
        name: 'carryover',
        command: process.execPath,
        arguments: ['--import', 'tsx', child, '--model', model, '--threads', String(threads)],
      };
      const measured: Passes[] = [];
      for (let round = 0; round < rounds; round++) {
        measured.push(await runProgram<Passes>(program));
        say(`knn ${model}: round ${round + 1} of ${rounds}`);
      }
      yield {
        name: `${model}: k-NN at all taps against one plain pass, 256 images, 224 px`,
        unit: 's',
        ours: spreadOf(measured.map(({ ours }) => ours)),
        reference: spreadOf(measured.map(({ plain }) => plain)),
        ratio: spreadOf(measured.map(({ ours, plain }) => plain / ours)),
        target: 1 / MOST_PASSES,
        notes: `the reference is carryover's own plain pass; at most ${MOST_PASSES} of them`,
      };
    }
    if (!only || 'search'.includes(only)) {
      const shared = ['--threads', String(threads)];
      const results = await alternate<{ ours?: number; seconds?: number; peakBytes: number }>(
        {
          name: 'carryover',
          command: process.execPath,
          arguments: ['--import', 'tsx', child, '--case', 'search', ...shared],
        },
        {
          name: 'PyTorch',
          command: python,
          arguments: [reference, ...shared],
          environment: sameLibraries(python),
        },
        rounds,
        (round) => say(`knn search: round ${round + 1} of ${rounds}`),
      );
      const ours = results.ours.map((one) => one.ours ?? Number.NaN);
      const theirs = results.reference.map((one) => one.seconds ?? Number.NaN);
      const peak = Math.max(...results.ours.map(({ peakBytes }) => peakBytes)) / 2 ** 30;
      yield {
        name: 'search against the bare product',
        unit: 's',
        ours: spreadOf(ours),
        reference: spreadOf(theirs),
        ratio: spreadOf(theirs.map((value, round) => value / (ours[round] ?? Number.NaN))),
        target: 1 / MOST_PRODUCTS,
        notes: `at most ${MOST_PRODUCTS} products; peak memory ${peak.toFixed(2)} GiB, at most 2 GB`,
      };
    }
  },
};
