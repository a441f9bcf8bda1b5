/**
 * node --import tsx bench/scheduling.ts
 * What scheduling costs: runs that are done at once (a dry executor), 500 and 5,000 of them, and runs of a
 * child process each that does nothing but sleep. Prints a table; the cost of a run is to be compared with
 * 30 seconds.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execute, readStates } from '../src/study/index.ts';
import { DryExecutor } from '../test/study/dryExecutor.ts';
import { fakeExecutor, fakeRun } from '../test/study/fakeRuns.ts';
import { describeMachine } from './pairing.ts';

const say = (line: string): boolean => process.stdout.write(`${line}\n`);

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'carryover-scheduling-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const seconds = (since: number): number => (performance.now() - since) / 1000;

say('| case | runs | seconds | ms a run | share of 30 s |');
say('| --- | --- | --- | --- | --- |');
function row(name: string, runs: number, took: number): void {
  const each = (took * 1000) / runs;
  const share = (each / 30_000) * 100;
  say(`| ${name} | ${runs} | ${took.toFixed(2)} | ${each.toFixed(2)} | ${share.toFixed(3)} % |`);
}

for (const count of [500, 5000]) {
  await inFolder(async (folder) => {
    const runs = Array.from({ length: count }, (_, seed) => fakeRun(`run${seed}`, {}, { seed }));
    let begin = performance.now();
    await execute({ folder, runs, executor: new DryExecutor(folder) }).finished;
    row('dry, nothing done before', count, seconds(begin));
    begin = performance.now();
    await execute({ folder, runs, executor: new DryExecutor(folder) }).finished;
    row('dry, all done before', count, seconds(begin));
    begin = performance.now();
    await readStates(folder, runs);
    row('reading all states', count, seconds(begin));
  });
}
// Children that sleep: what lies between the end of one and the work of the next, process start included.
await inFolder(async (folder) => {
  const [count, steps, stepMs] = [10, 10, 100];
  const runs = Array.from({ length: count }, (_, seed) =>
    fakeRun(`run${seed}`, { steps, stepMs }, { seed, parallel: 1 }),
  );
  const begin = performance.now();
  await execute({ folder, runs, executor: fakeExecutor(folder) }).finished;
  row(
    'one child at a time, beyond its second of sleep',
    count,
    seconds(begin) - (count * steps * stepMs) / 1000,
  );
});
say('');
for (const [key, value] of Object.entries(describeMachine())) say(`- ${key}: ${String(value)}`);
