/** A study whose file changes: what it still contains is used again, and the folder says what it is now. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import {
  prepareStudy,
  readPlan,
  readStudy,
  studyPaths,
  writeStudyFolder,
} from '../../src/study/index.ts';
import { makePictures } from './pictures.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'carryover-changed-'));
  await makePictures(join(folder, 'skin'), { classes: 2, each: 20, seed: 1 });
  await makePictures(join(folder, 'natural'), { classes: 2, each: 20, seed: 2 });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const base = {
  data: { skin: { kind: 'folder', path: 'skin', nTrain: ['all'] as (number | 'all')[] } },
  models: ['resnet18_micro', 'deit_micro'],
  repeats: 2,
  source: { name: 'natural', data: 'folder:natural' },
};

async function begin(change: Record<string, unknown> = {}) {
  const path = join(folder, 'study.yaml');
  await writeFile(path, stringify({ ...base, ...change }));
  const prepared = await prepareStudy(await readStudy(path), join(folder, 'runs'));
  await writeStudyFolder(prepared);
  return prepared.plan.runs.map(({ id }) => id);
}

describe('a study that changes', () => {
  it('has the ids of all runs that it still contains', async () => {
    const before = await begin();
    expect(before).toHaveLength(2 + 2 * 3 * 2);
    const more = await begin({
      repeats: 3,
      inits: ['ri', 'st', 'wt', 'wt-st'],
      data: { skin: { ...base.data.skin, nTrain: [10, 'all'] } },
      variants: [{ name: 'constant', seeds: [0], training: { schedule: 'constant' } }],
    });
    expect(before.filter((id) => !more.includes(id))).toEqual([]);
    const fewer = await begin({ models: ['deit_micro'] });
    expect(fewer).toHaveLength(1 + 3 * 2);
    expect(fewer.filter((id) => !before.includes(id))).toEqual([]);
  });

  it('is in its folder as it is now; runs that are no longer part of it stay on disk', async () => {
    const [gone = ''] = await begin();
    const paths = studyPaths(join(folder, 'runs'));
    await mkdir(paths.run(gone), { recursive: true });
    await writeFile(join(paths.run(gone), 'log.jsonl'), '');
    const ids = await begin({ models: ['deit_micro'], description: 'fewer' });
    expect(ids).not.toContain(gone);
    const plan = await readPlan(join(folder, 'runs'));
    expect(plan.runs.map(({ id }) => id)).toEqual(ids);
    const resolved: unknown = parse(await readFile(paths.study, 'utf8'));
    expect(resolved).toMatchObject({ description: 'fewer', models: [{ model: 'deit_micro' }] });
    expect(await readFile(join(paths.run(gone), 'log.jsonl'), 'utf8')).toBe('');
    // The resolved study is a study file that plans the same runs.
    const again = await prepareStudy(await readStudy(paths.study), join(folder, 'runs'));
    expect(again.plan.runs.map(({ id }) => id)).toEqual(ids);
  });

  it('keeps parts of a data set inside each other', async () => {
    await begin({ data: { skin: { ...base.data.skin, nTrain: [8, 16, 'all'] } } });
    const trained = async (name: string): Promise<string[]> => {
      const text = await readFile(studyPaths(join(folder, 'runs')).splits(name), 'utf8');
      return text.split('\n').filter((line) => line.endsWith(',train'));
    };
    const [small, middle, whole] = await Promise.all(['skin@8', 'skin@16', 'skin'].map(trained));
    expect([small?.length, middle?.length, whole?.length]).toEqual([8, 16, 32]);
    expect(small?.filter((line) => !middle?.includes(line))).toEqual([]);
    expect(middle?.filter((line) => !whole?.includes(line))).toEqual([]);
  });
});
