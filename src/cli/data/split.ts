/** `carryover data split`, once its code is needed. */
import { resolve } from 'node:path';
import {
  classCounts,
  describeSplits,
  makeSplits,
  openDataSet,
  splitNames,
  splitsIdentity,
  writeSplits,
} from '../../data/index.ts';
import type { Output } from '../output.ts';
import { stopOnSignals } from '../signals.ts';
import { dataEntry } from './entry.ts';
import type { SplitFlags } from './flags.ts';

export async function split(argument: string, flags: SplitFlags, output: Output): Promise<void> {
  using stop = stopOnSignals();
  const progress = output.progress('reading files');
  const dataset = await openDataSet(dataEntry(argument, flags), {
    signal: stop.signal,
    onProgress: (done, total) => progress.update({ done, total }),
  });
  progress.end();
  const splits = makeSplits(dataset, { seed: flags.splitSeed });
  for (const note of dataset.notes) output.note(`note: ${note}`);
  output.line(describeSplits(dataset, splits));
  if (flags.out !== undefined) {
    await writeSplits(resolve(flags.out), dataset, splits);
    output.note(`written: ${flags.out}`);
  }
  const parts = [...splitNames, 'unused'] as const;
  output.document({
    name: dataset.name,
    identity: splitsIdentity(dataset, splits),
    seed: flags.splitSeed,
    classes: dataset.classes,
    splits: Object.fromEntries(
      parts.map((name) => [
        name,
        { samples: splits[name].length, classes: classCounts(dataset, splits[name]) },
      ]),
    ),
    notes: [...dataset.notes, ...splits.notes],
  });
}
