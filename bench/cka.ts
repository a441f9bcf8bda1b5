/** CKA of 25 × 25 taps on one batch of 128 against torch_cka's loop over pairs. */
import { fileURLToPath } from 'node:url';
import type { Benchmark } from './benchmark.ts';
import { alternate, spreadOf } from './pairing.ts';
import { sameLibraries } from './train.ts';

const child = fileURLToPath(new URL('children/cka.ts', import.meta.url));
const reference = fileURLToPath(new URL('../scripts/reference/cka.py', import.meta.url));

export const cka: Benchmark = {
  name: 'cka',
  summary:
    'CKA of 25 × 25 taps of DeiT-S, one batch of 128, features given, against torch_cka’s loop',
  async *run({ python, rounds, threads, say }) {
    const shared = ['--threads', String(threads)];
    const results = await alternate<{ seconds: number }>(
      {
        name: 'carryover',
        command: process.execPath,
        arguments: ['--import', 'tsx', child, ...shared],
      },
      {
        name: 'PyTorch',
        command: python,
        arguments: [reference, ...shared],
        environment: sameLibraries(python),
      },
      rounds,
      (round) => say(`cka: round ${round + 1} of ${rounds}`),
    );
    const ours = results.ours.map(({ seconds }) => seconds);
    const theirs = results.reference.map(({ seconds }) => seconds);
    yield* [
      {
        name: '25 × 25 taps, [128, 197 × 384] each',
        unit: 's',
        ours: spreadOf(ours),
        reference: spreadOf(theirs),
        ratio: spreadOf(theirs.map((value, round) => value / (ours[round] ?? Number.NaN))),
        target: 10,
      },
    ];
  },
};
