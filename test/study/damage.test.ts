/** Run folders that were damaged or deleted: done again, said so, and nothing deleted. */
import { existsSync } from 'node:fs';
import { readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { execute, readRunState, readStates } from '../../src/study/index.ts';
import { fakeExecutor, fakeRun, journal, temporaryFolder } from './fakeRuns.ts';

let folder: string;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const ids = ['whole', 'cut', 'garbage', 'other', 'no-best', 'cut-best', 'deleted', 'config'];
const runs = ids.map((id, seed) => fakeRun(id, { steps: 2, stepMs: 1 }, { seed }));

async function work(): Promise<{ kinds: string[]; started: string[]; notes: string[] }> {
  const started: string[] = [];
  const notes: string[] = [];
  const outcomes = await execute({
    folder,
    runs,
    executor: fakeExecutor(folder),
    pollMilliseconds: 50,
    onStart: ({ id }) => started.push(id),
    onNote: (text) => notes.push(text),
  }).finished;
  return { kinds: outcomes.map(({ kind }) => kind), started: started.sort(), notes };
}

describe('damaged run folders', () => {
  it('are put aside and done again, and only they', async () => {
    expect((await work()).kinds).toEqual(ids.map(() => 'done'));
    await truncate(join(folder, 'cut', 'run.json'), 100);
    await writeFile(join(folder, 'garbage', 'run.json'), '\0\0\0');
    const other = await readFile(join(folder, 'whole', 'run.json'));
    await writeFile(join(folder, 'other', 'run.json'), other);
    await rm(join(folder, 'no-best', 'best.safetensors'));
    await truncate(join(folder, 'cut-best', 'best.safetensors'), 9);
    await rm(join(folder, 'deleted'), { recursive: true });
    // What a run's configuration says is in the plan; the file is written anew for every start.
    await writeFile(join(folder, 'config', 'config.json'), 'garbage');

    const states = await readStates(folder, runs, { verify: true });
    expect(states.map(({ status }) => status)).toEqual([
      'done',
      ...Array.from({ length: 6 }, () => 'waiting'),
      'done',
    ]);
    const { kinds, started, notes } = await work();
    expect(kinds).toEqual(ids.map(() => 'done'));
    expect(started).toEqual(['cut', 'cut-best', 'deleted', 'garbage', 'no-best', 'other']);
    const told = notes.map((note) => note.replaceAll(folder, '.')).sort();
    expect(told).toHaveLength(5);
    expect(told.join('\n')).toMatch(/\(cut\) is done again: .*run\.json: expected JSON/);
    expect(told.join('\n')).toMatch(
      /\(other\) is done again: run\.json is of another run \(resnet18_micro ri seed 0\)/,
    );
    expect(told.join('\n')).toMatch(
      /\(no-best\) is done again: best\.safetensors is not there; .*\.\/damaged\/no-best-1/,
    );
    expect(told.join('\n')).toMatch(
      /\(cut-best\) is done again: best\.safetensors is cut off or garbage/,
    );
    for (const { id } of runs) {
      const events = (await journal(folder, id)).map(({ event }) => event);
      expect(
        events.filter((event) => event !== 'step'),
        id,
      ).toEqual(['start', 'finish']);
    }
    expect((await readdir(join(folder, 'damaged'))).sort()).toEqual(
      ['cut', 'cut-best', 'garbage', 'no-best', 'other'].map((id) => `${id}-1`),
    );
    expect(existsSync(join(folder, 'damaged', 'no-best-1', 'run.json'))).toBe(true);
    const again = await work();
    expect(again).toEqual({ kinds: ids.map(() => 'done'), started: [], notes: [] });
  });

  it('count as waiting, with what is wrong, before they are done again', async () => {
    await work();
    await truncate(join(folder, 'cut', 'run.json'), 100);
    const [, run] = runs;
    if (!run) throw new Error('no run');
    expect(await readRunState(folder, run)).toMatchObject({
      status: 'waiting',
      reason: expect.stringMatching(/^damaged, to be done again: .*run\.json/),
    });
  });
});
