/** FID of a study: which distances are due, how they are taken, and what a summary reads of them. */
import { access, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { dueFid, readFrechet, readStudy, runFid } from '../../src/study/index.ts';
import { temporaryFolder } from './fakeRuns.ts';

let folder = '';
beforeAll(async () => {
  folder = await temporaryFolder();
  await writeFile(join(folder, 'extractor.pth'), 'weights');
  await writeFile(join(folder, 'natural.npz'), 'statistics');
  // Stands in for the program: notes how it was called, and writes what a measurement writes.
  await writeFile(
    join(folder, 'fake.mjs'),
    `import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
     const of = (name) => process.argv[process.argv.indexOf(name) + 1];
     const read = (path) => path.endsWith('.json') ? JSON.parse(readFileSync(path, 'utf8')) : path;
     const [source, target] = [read(of('--source')), read(of('--target'))];
     const saves = process.argv.includes('--save-stats');
     appendFileSync('${join(folder, 'calls.jsonl')}', JSON.stringify({ source, target, saves }) + '\\n');
     if (target.path.endsWith('eyes') && process.env.FAIL) {
       console.error('error: eyes: expected images, got none');
       process.exit(1);
     }
     if (saves) writeFileSync(of('--save-stats'), 'statistics');
     const side = { kind: 'images', features: 2048, images: 9 };
     writeFileSync(of('--out'), JSON.stringify({
       format: 1, measure: 'fid', extractor: of('--extractor'), source: side, target: side,
       distance: 12.5, versions: {}, warnings: [],
     }));`,
  );
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const facts = (change: Record<string, string> = {}) =>
  new Map(
    Object.entries({ skin: 'skin', eyes: 'eyes', natural: 'natural', ...change }).map(
      ([name, identity]) => [name, { identity, splits: '', samples: 1 }],
    ),
  );

async function studyOf(fid: Record<string, unknown> = {}) {
  const path = join(folder, 'study.yaml');
  const study = {
    data: { skin: { kind: 'folder', path: 'skin', nTrain: [5, 'all'] }, eyes: 'folder:eyes' },
    models: ['resnet18_micro'],
    source: { name: 'natural', data: 'folder:natural' },
    analyses: [{ fid: { extractor: 'torchvision', weights: 'extractor.pth', ...fid } }],
  };
  await writeFile(path, stringify(study));
  return readStudy(path);
}

async function calls(): Promise<{ source: unknown; target: { path: string }; saves: boolean }[]> {
  const text = await readFile(join(folder, 'calls.jsonl'), 'utf8');
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

const program = () => ({ args: [join(folder, 'fake.mjs')] });
const take = async (fid?: Record<string, unknown>, change?: Record<string, string>) => {
  const jobs = await dueFid(await studyOf(fid), folder, facts(change));
  return { jobs, ends: await runFid(jobs, { folder, program: program(), device: 'cpu' }) };
};

describe('the FID of a study', () => {
  it('is taken once of every whole data set, the source’s statistics once', async () => {
    const { jobs, ends } = await take();
    expect(jobs.map(({ data, source }) => [data, source])).toEqual([
      ['skin', 'natural'],
      ['eyes', 'natural'],
    ]);
    expect(ends).toEqual([{ kind: 'done' }, { kind: 'done' }]);
    const [first, second] = await calls();
    expect(first).toMatchObject({ source: { kind: 'folder' }, saves: true });
    expect(first?.target).toEqual({ kind: 'folder', path: join(folder, 'skin') });
    expect(second?.source).toMatch(/fid-source-natural-[0-9a-f]{16}\.npz$/);
    expect(await readFrechet(folder, 'skin')).toEqual({
      distance: 12.5,
      extractor: 'torchvision',
      source: 'natural',
    });
    expect(await readFrechet(folder, 'natural')).toBeUndefined();
    await expect(access(join(folder, 'analysis', '.fid-skin.out.json'))).rejects.toThrow();
    expect((await take()).jobs).toEqual([]);
  });

  it('is due again of other images, with another extractor or other statistics', async () => {
    const due = async (fid?: Record<string, unknown>, change?: Record<string, string>) =>
      (await dueFid(await studyOf(fid), folder, facts(change))).map(({ data }) => data);
    expect(await due({}, { eyes: 'other images' })).toEqual(['eyes']);
    expect(await due({}, { natural: 'other images' })).toEqual(['skin', 'eyes']);
    expect(await due({ extractor: 'fid-inception' })).toEqual(['skin', 'eyes']);
    expect(await due({ source: 'natural.npz', data: 'eyes' })).toEqual(['eyes']);
    await expect(due({ source: 'none.npz' })).rejects.toThrow(
      /fid\.source: expected a file that can be read, got .*none\.npz \(ENOENT\)/,
    );
  });

  it('that fails says why and does not stop the others', async () => {
    process.env.FAIL = '1';
    try {
      const { ends } = await take({}, { natural: 'other images' });
      expect(ends).toEqual([
        { kind: 'done' },
        { kind: 'failed', reason: 'eyes: expected images, got none' },
      ]);
    } finally {
      delete process.env.FAIL;
    }
  });
});
