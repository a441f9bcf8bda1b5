/** Calls of small operators, where the binding is most of the time, against Python's. */
import { fileURLToPath } from 'node:url';
import type { Benchmark } from './benchmark.ts';
import { alternate, spreadOf } from './pairing.ts';

type Measured = Record<string, number>;

const child = fileURLToPath(new URL('children/operators.ts', import.meta.url));
const reference = fileURLToPath(new URL('../scripts/reference/operators.py', import.meta.url));

export const operators: Benchmark = {
  name: 'ops',
  summary: 'calls of small operators, one thread, against Python',
  async *run({ python, rounds, say }) {
    const environment = { OMP_NUM_THREADS: '1' };
    const results = await alternate<Measured>(
      {
        name: 'carryover',
        command: process.execPath,
        arguments: ['--import', 'tsx', child],
        environment,
      },
      { name: 'PyTorch', command: python, arguments: [reference], environment },
      rounds,
      (round) => say(`ops: round ${round + 1} of ${rounds}`),
    );
    yield* Object.keys(results.ours[0] ?? {}).map((name) => {
      const of = (list: Measured[]) => list.map((measured) => measured[name] ?? Number.NaN);
      const [ours, theirs] = [of(results.ours), of(results.reference)];
      return {
        name,
        unit: 'ns a call',
        ours: spreadOf(ours),
        reference: spreadOf(theirs),
        ratio: spreadOf(theirs.map((value, round) => value / (ours[round] ?? Number.NaN))),
        target: 1,
      };
    });
  },
};
