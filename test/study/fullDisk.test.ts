/** A study on a disk that fills up: a small file system in memory, which root may mount. */
import { execFileSync } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readPlan, readStates } from '../../src/study/index.ts';
import { temporaryFolder } from './fakeRuns.ts';
import { makePictures } from './pictures.ts';
import { startProgram } from './program.ts';

let place: string;
let disk: string;
let mounted = false;
beforeAll(async () => {
  place = await temporaryFolder();
  disk = join(place, 'disk');
  await mkdir(disk);
  await makePictures(join(place, 'skin'), { each: 14, side: 36 });
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', disk], { stdio: 'ignore' });
    mounted = true;
  } catch {
    process.stderr.write('skipped: a full disk: nothing can be mounted here\n');
  }
});
afterAll(async () => {
  if (mounted) execFileSync('umount', [disk]);
  await rm(place, { recursive: true, force: true });
});

async function study(): Promise<{ code: number | null; stderr: string }> {
  const file = join(place, 'study.yaml');
  const lines = [
    'data: { skin: folder:skin }',
    'models: [resnet18_micro]',
    'inits: [ri]',
    'repeats: 4',
    'training: { size: 32, batchSize: 8, maxEpochs: 1, warmupIterations: 2, device: cpu, workers: 0 }',
    'parallel: 1',
  ];
  await writeFile(file, lines.join('\n'));
  const started = startProgram(['study', 'run', file, '--out', join(disk, 'out')], {
    CARRYOVER_CACHE: join(place, 'cache'),
  });
  const code = await started.ended;
  return { code, stderr: started.stderr() };
}

async function statuses(): Promise<string[]> {
  const { folder, runs } = await readPlan(join(disk, 'out'));
  const states = await readStates(folder, runs, { verify: true });
  return states.map(({ status }) => status);
}

describe('a full disk', () => {
  it('stops the study, says how much it needs, and costs nothing that is finished', async (test) => {
    if (!mounted) return test.skip();
    const first = await study();
    expect(first.code).toBe(1);
    expect(first.stderr).toMatch(
      /error: .*expected room on the disk for the results, got a full disk: [\d.]+ [kM]B left, and the \d runs to do need about \d+ MB, by the runs that are finished/,
    );
    const after = await statuses();
    const done = after.filter((status) => status === 'done').length;
    expect(done).toBeGreaterThan(0);
    expect(done).toBeLessThan(4);
    // One run met the full disk; those after it were not even tried.
    expect(after.filter((status) => status === 'waiting').length).toBeGreaterThanOrEqual(3 - done);
    expect(after.filter((status) => status === 'failed').length).toBeLessThanOrEqual(1);

    execFileSync('mount', ['-o', 'remount,size=128m', disk]);
    const second = await study();
    expect(second.code, second.stderr).toBe(0);
    expect(second.stderr).toContain(`${done} done before`);
    expect(await statuses()).toEqual(['done', 'done', 'done', 'done']);
  });
});
