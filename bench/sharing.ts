/**
 * node --import tsx bench/sharing.ts [model …]
 * Images a second of as many single-threaded runs at once as there are cores, and of one run on all of them,
 * at the sizes of studies: what `parallel: auto` decides by. Prints a table.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { measureBoth } from '../src/study/sharing.ts';
import { startable } from '../src/util/index.ts';
import { fakeRun } from '../test/study/fakeRuns.ts';
import { makePictures } from '../test/study/pictures.ts';
import { describeMachine } from './pairing.ts';

const sizes: Record<string, number> = { resnet18: 64, deit_tiny: 224 };
const models =
  process.argv.length > 2 ? process.argv.slice(2) : ['resnet18_micro', 'deit_micro', 'resnet18'];
const cores = availableParallelism();
const say = (line: string): boolean => process.stdout.write(`${line}\n`);
const main = startable('../src/cli/main', import.meta.url);
const program = { args: [...main.execArgv, main.path] };
const place = await mkdtemp(join(tmpdir(), 'carryover-sharing-'));
try {
  await makePictures(join(place, 'pictures'), { each: 40, side: 72 });
  say(
    `| model | pixels | batch | ${cores} runs of 1 thread, images/s | 1 run of ${cores} threads | ratio |`,
  );
  say('| --- | --- | --- | --- | --- | --- |');
  for (const model of models) {
    const run = fakeRun('probe', {}, { model });
    const size = sizes[model] ?? 64;
    const training = { ...run.config.training, size, batchSize: 16, workers: 1 };
    const data = { kind: 'folder', path: join(place, 'pictures') };
    const config = { ...run.config, model, data, training };
    const both = await measureBoth({ ...run, config }, program, cores);
    if (!both) throw new Error(`${model} could not be measured`);
    const { several, one } = both;
    say(
      `| ${model} | ${size} | 16 | ${several.toFixed(1)} | ${one.toFixed(1)} | ${(several / one).toFixed(2)} |`,
    );
  }
} finally {
  await rm(place, { recursive: true, force: true });
}
say('');
for (const [key, value] of Object.entries(describeMachine())) say(`- ${key}: ${String(value)}`);
