/** FID's matrix term on 2,048 dimensions against scipy.linalg.sqrtm on the product. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Benchmark } from './benchmark.ts';
import { alternate, runProgram, spreadOf } from './pairing.ts';
import { sameLibraries } from './train.ts';

interface Measured {
  seconds: number;
  trace: number;
}

const child = fileURLToPath(new URL('children/fid.ts', import.meta.url));
const reference = fileURLToPath(new URL('../scripts/reference/fid.py', import.meta.url));

export const fid: Benchmark = {
  name: 'fid',
  summary: 'tr (Σ₁ Σ₂)^½ of 2,048 dimensions, float64, against scipy.linalg.sqrtm',
  async *run({ python, rounds, threads, say }) {
    const folder = mkdtempSync(join(tmpdir(), 'carryover-fid-'));
    const file = join(folder, 'covariances');
    const environment = { ...sameLibraries(python), OMP_NUM_THREADS: String(threads) };
    try {
      const write = [reference, '--write', file];
      await runProgram({ name: 'numpy', command: python, arguments: write, environment });
      const results = await alternate<Measured>(
        {
          name: 'carryover',
          command: process.execPath,
          arguments: ['--import', 'tsx', child, '--threads', String(threads), '--file', file],
        },
        {
          name: 'SciPy',
          command: python,
          arguments: [reference, '--file', file],
          environment,
        },
        rounds,
        (round) => say(`fid: round ${round + 1} of ${rounds}`),
      );
      const ours = results.ours.map(({ seconds }) => seconds);
      const theirs = results.reference.map(({ seconds }) => seconds);
      const [first, second] = [results.ours[0]?.trace, results.reference[0]?.trace];
      const difference = Math.abs((first ?? Number.NaN) / (second ?? Number.NaN) - 1);
      yield* [
        {
          name: 'trace of the root of the product',
          unit: 's',
          ours: spreadOf(ours),
          reference: spreadOf(theirs),
          ratio: spreadOf(theirs.map((value, round) => value / (ours[round] ?? Number.NaN))),
          target: 5,
          notes: `relative difference of the traces ${difference.toExponential(1)}`,
        },
      ];
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};
