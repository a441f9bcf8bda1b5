/** A re-initialisation sweep with activations re-used against one of whole passes. */
import { fileURLToPath } from 'node:url';
import type { Benchmark } from './benchmark.ts';
import { runProgram, spreadOf } from './pairing.ts';

interface Sweeps {
  ours: number;
  plain: number;
  /** Whether both gave the same logits to the bit. */
  equal: boolean;
}

const child = fileURLToPath(new URL('children/reinit.ts', import.meta.url));

/** The bound, in plain sweeps. */
const MOST = 0.6;

export const reinit: Benchmark = {
  name: 'reinit',
  summary: 're-initialisation of every tap, activations re-used against whole passes, 224 px',
  async *run({ rounds, only, threads, say }) {
    for (const model of ['resnet50', 'deit_small']) {
      if (only && !model.includes(only)) continue;
      const measured: Sweeps[] = [];
      for (let round = 0; round < rounds; round++) {
        const args = ['--import', 'tsx', child, '--model', model, '--threads', String(threads)];
        measured.push(
          await runProgram<Sweeps>({
            name: 'carryover',
            command: process.execPath,
            arguments: args,
          }),
        );
        say(`reinit ${model}: round ${round + 1} of ${rounds}`);
      }
      const isEqual = measured.every(({ equal }) => equal);
      yield {
        name: `${model}, 32 images`,
        unit: 's',
        ours: spreadOf(measured.map(({ ours }) => ours)),
        reference: spreadOf(measured.map(({ plain }) => plain)),
        ratio: spreadOf(measured.map(({ ours, plain }) => plain / ours)),
        target: 1 / MOST,
        notes: isEqual ? 'logits equal to the bit' : 'LOGITS DIFFER',
      };
    }
  },
};
