import { existsSync } from 'node:fs';
import { copyFile, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  prepareStudy,
  readPlan,
  readStates,
  readStudy,
  writeStudyFolder,
} from '../../src/study/index.ts';
import { temporaryFolder } from './fakeRuns.ts';
import { makePictures } from './pictures.ts';
import { type Started, startProgram } from './program.ts';

let place: string;
let file: string;
let out: string;
beforeEach(async () => {
  place = await temporaryFolder();
  file = join(place, 'study.yaml');
  out = join(place, 'out');
  await makePictures(join(place, 'skin'), { each: 14, side: 36 });
});
afterEach(() => rm(place, { recursive: true, force: true }));

async function writeStudy(seeds: number[], maxEpochs = 2): Promise<void> {
  const lines = [
    'data: { skin: folder:skin }',
    'models: [resnet18_micro]',
    'inits: [ri]',
    `seeds: [${seeds.join(', ')}]`,
    `training: { size: 32, batchSize: 8, maxEpochs: ${maxEpochs}, warmupIterations: 2, device: cpu, workers: 0 }`,
    'parallel: 1',
    'threads: 1',
  ];
  await writeFile(file, lines.join('\n'));
}

describe('a data set that changed since its split was made', () => {
  const write = async (): Promise<void> =>
    writeStudyFolder(await prepareStudy(await readStudy(file), out));

  it('is refused with what was added, removed and relabelled', async () => {
    await writeStudy([0]);
    await write();
    await write();
    const skin = (...parts: string[]): string => join(place, 'skin', ...parts);
    await makePictures(join(place, 'more'), { each: 1, side: 36, seed: 9 });
    await copyFile(join(place, 'more', 'class0', '0.png'), skin('class0', 'new.png'));
    await rm(skin('class1', '3.png'));
    const fault = await write().catch((error: Error) => error.message);
    expect(fault).toMatch(
      /splits\/skin\.csv: expected skin as it was when this split was made, got a changed data set: /,
    );
    expect(fault).toContain('1 added: class0/new.png; 1 removed: class1/3.png');

    await rm(skin('class0', 'new.png'));
    await copyFile(join(place, 'more', 'class1', '0.png'), skin('class1', '3.png'));
    // The same names with other pixels: other runs, on the split that is there.
    await write();
  });

  it('names relabelled samples of a table, twenty of them at most', async () => {
    const rows = Array.from({ length: 42 }, (_, index) => {
      const label = Math.floor(index / 14);
      return [`skin/class${label}/${index % 14}.png`, `class${label}`];
    });
    const table = join(place, 'table.csv');
    const text = (all: string[][]): string =>
      ['path,class', ...all.map((row) => row.join(','))].join('\n');
    await writeStudy([0]);
    await writeFile(file, (await readFile(file, 'utf8')).replace('folder:skin', 'csv:table.csv'));
    await writeFile(table, text(rows));
    await write();
    const changed = rows.map(([path = '', label = ''], index) => [
      path,
      index < 14 && index > 10 ? 'class1' : label,
    ]);
    await writeFile(table, text(changed));
    await expect(write()).rejects.toThrow(/3 relabelled: .*13\.png \(class0, now class1\)/);
    await writeFile(
      table,
      text(rows.slice(0, 40).map(([path = '', label = '']) => [path, `${label}x`])),
    );
    await expect(write()).rejects.toThrow(/2 removed: .*; 40 relabelled: .* and 20 more/);
  });
});

describe('a study that is planned anew while a runner works', () => {
  const run = (): Started =>
    startProgram(['study', 'run', file, '--out', out], { CARRYOVER_CACHE: join(place, 'cache') });

  it('is finished by both, each by its own plan, and the tables are the newer one’s', async () => {
    await writeStudy([0, 1, 3, 4]);
    const older = run();
    while (!existsSync(join(out, 'plan.json'))) await delay(50);
    while (!older.stderr().includes('started')) await delay(50);
    await writeStudy([1, 2]);
    const newer = run();
    expect([await older.ended, await newer.ended]).toEqual([0, 0]);
    expect(older.stderr()).toMatch(
      /another study run has planned study anew, with 2 runs; this one goes on with the 4 that it began with/,
    );
    expect(newer.stderr()).not.toContain('planned study anew');
    const { folder, runs } = await readPlan(out);
    expect(runs.map(({ seed }) => seed)).toEqual([1, 2]);
    expect((await readStates(folder, runs)).map(({ status }) => status)).toEqual(['done', 'done']);
    const results = await readFile(join(out, 'results.csv'), 'utf8');
    for (const { id } of runs) expect(results).toContain(id);
    expect(results.trim().split('\n')).toHaveLength(3);
  });

  it('says that a finished run whose folder is gone is done again', async () => {
    await writeStudy([0], 1);
    expect(await run().ended).toBe(0);
    const [only] = (await readPlan(out)).runs;
    await rename(join(out, only?.id ?? ''), join(place, 'moved'));
    const again = run();
    expect(await again.ended).toBe(0);
    expect(again.stderr()).toContain(
      `(${only?.id}) was finished and its folder is gone: done again`,
    );
  });
});
