/** A runner in a process of its own, for tests that kill it: works through the plan in argv[2]. */
import { readFile } from 'node:fs/promises';
import { execute, type PlannedRun } from '../../src/study/index.ts';
import { fakeExecutor } from './fakeRuns.ts';

const { folder, runs }: { folder: string; runs: PlannedRun[] } = JSON.parse(
  await readFile(process.argv[2] ?? '', 'utf8'),
);
const controller = new AbortController();
process.on('SIGTERM', () => controller.abort());
const execution = execute({
  folder,
  runs,
  executor: fakeExecutor(folder),
  pollMilliseconds: 50,
  signal: controller.signal,
});
const outcomes = await execution.finished;
process.stdout.write(JSON.stringify(outcomes.map(({ kind, run }) => [run.id, kind])));
