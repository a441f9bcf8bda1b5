import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeSplits, openDataSet, parseDataSpec } from '../../src/data/index.ts';
import { goldenPath, messageOf, temporaryFolder, writePictures, writeText } from './pictures.ts';

const base = temporaryFolder();
const cacheFolder = join(base, 'cache');
let count = 0;

/** A new folder with these pictures. */
async function make(paths: readonly string[]): Promise<string> {
  const root = join(base, `set${count++}`);
  mkdirSync(root);
  await writePictures(root, paths);
  return root;
}

const open = (path: string, settings: Record<string, unknown> = {}) =>
  openDataSet(parseDataSpec({ kind: 'folder', path, ...settings }), { cacheFolder });

describe('a folder per class', () => {
  it('is listed in order, with sorted classes', async () => {
    const root = await make(['cat/b.png', 'cat/a.jpg', 'ant/deep/x.webp', 'dog/z.png']);
    const { classes, samples, task, metric, name, notes } = await open(root);
    expect(classes).toEqual(['ant', 'cat', 'dog']);
    expect(samples.map(({ id }) => id)).toEqual([
      'ant/deep/x.webp',
      'cat/a.jpg',
      'cat/b.png',
      'dog/z.png',
    ]);
    expect(samples.map(({ label }) => label)).toEqual([0, 1, 1, 2]);
    expect([task, metric, notes]).toEqual(['multiclass', 'recall', []]);
    expect(name).toBe(root.split('/').at(-1));
  });

  it('sorts grades by number and takes two classes for binary', async () => {
    const grades = await make(['10/a.png', '9/a.png', '2/a.png']);
    const ordinal = await open(grades, { task: 'ordinal', name: 'grades' });
    expect([ordinal.classes, ordinal.metric, ordinal.name]).toEqual([
      ['2', '9', '10'],
      'kappa',
      'grades',
    ]);
    const two = await open(await make(['no/a.png', 'yes/a.png']));
    expect([two.task, two.metric]).toEqual(['binary', 'auc']);
  });

  it('tells images by content where names do not, and leaves the rest aside', async () => {
    const root = await make(['a/1.png', 'b/1.png']);
    writeText(join(root, 'a', 'scan0007'), readFileSync(goldenPath('images/rgb.jpg')));
    writeText(join(root, 'a', 'readme.txt'), 'hello');
    writeText(join(root, 'a', '.DS_Store'), 'x');
    writeText(join(root, 'b', 'Thumbs.db'), 'x');
    const { samples, notes } = await open(root);
    expect(samples.map(({ id }) => id)).toEqual(['a/1.png', 'a/scan0007', 'b/1.png']);
    expect(notes).toEqual(['1 files that are not images were left aside: a/readme.txt']);
  });

  it('follows links, each folder once', async () => {
    const root = await make(['a/1.png', 'b/1.png']);
    const other = await make(['2.png']);
    symlinkSync(other, join(root, 'a', 'more'));
    symlinkSync(root, join(root, 'b', 'loop'));
    const { samples } = await open(root);
    expect(samples.map(({ id }) => id)).toContain('a/more/2.png');
    expect(samples.length).toBeLessThan(10);
  });

  it('honours train/, val/ and test/, and takes a missing val from train', async () => {
    const images = (folder: string, size: number): string[] =>
      ['a', 'b'].flatMap((name) =>
        Array.from({ length: size }, (_, index) => `${folder}/${name}/${index}.png`),
      );
    const root = await make([...images('train', 18), ...images('test', 3)]);
    const dataset = await open(root);
    expect(dataset.classes).toEqual(['a', 'b']);
    const splits = makeSplits(dataset, { seed: 4 });
    const folders = (indices: number[]): Set<string | undefined> =>
      new Set(indices.map((index) => dataset.samples[index]?.split));
    expect([splits.train.length, splits.val.length, splits.test.length]).toEqual([32, 4, 6]);
    expect(folders(splits.test)).toEqual(new Set(['test']));
    expect(folders([...splits.train, ...splits.val])).toEqual(new Set(['train']));

    const whole = await open(
      await make([...images('Training', 4), ...images('valid', 1), ...images('test', 2)]),
    );
    const given = makeSplits(whole, { seed: 0 });
    expect([given.train.length, given.val.length, given.test.length]).toEqual([8, 2, 4]);
  });

  it('has the same identity wherever it lies, and another one with other contents', async () => {
    const paths = ['a/1.png', 'a/2.png', 'b/3.png'];
    const [first, second] = [await make(paths), await make(paths)];
    const identity = (await open(first)).identity;
    expect((await open(second)).identity).toBe(identity);
    writeText(join(second, 'a', '1.png'), readFileSync(goldenPath('images/rgb.png')));
    expect((await open(second)).identity).not.toBe(identity);
    expect((await open(first, { classes: ['b', 'a'] })).identity).not.toBe(identity);
  });

  it('tells byte-identical files, and those that contradict each other', async () => {
    const root = await make(['a/1.png', 'b/1.png']);
    const bytes = readFileSync(join(root, 'a', '1.png'));
    writeText(join(root, 'a', '2.png'), bytes);
    writeText(join(root, 'b', '2.png'), bytes);
    const { notes } = await open(root);
    expect(notes.join('\n')).toContain('a/1.png = a/2.png = b/2.png');
    expect(notes.join('\n')).toContain('different labels');
  });
});

describe('a folder that is no data set', () => {
  it.each([
    ['nothing there', 'absent', 'expected a folder, got nothing at'],
    ['no class folders', '', 'expected a folder for each class, got no folders'],
  ])('is refused: %s', async (_, name, message) => {
    expect(await messageOf(async () => open(join(await make([]), name)))).toContain(message);
  });

  it('is refused: a CSV file, an empty class, one class, strange neighbours, unknown classes', async () => {
    const csv = writeText(join(base, 'labels.csv'), 'path,label\n');
    expect(await messageOf(() => open(csv))).toContain(`did you mean csv:${csv}?`);
    const empty = await make(['a/1.png', 'b/1.png']);
    mkdirSync(join(empty, 'c'));
    expect(await messageOf(() => open(empty))).toContain('none in c');
    const one = await make(['a/1.png']);
    expect(await messageOf(() => open(one))).toContain('at least 2 classes, got 1');
    const mixed = await make(['train/a/1.png', 'extra/a/1.png']);
    expect(await messageOf(() => open(mixed))).toContain('train/ beside extra');
    const twice = await make(['val/a/1.png', 'valid/a/1.png', 'train/a/1.png']);
    expect(await messageOf(() => open(twice))).toContain('one folder for val, got several');
    const unknown = await make(['melanoma/1.png', 'nevus/1.png']);
    const message = await messageOf(() => open(unknown, { classes: ['melanom', 'nevus'] }));
    expect(message).toContain('1 unknown class:\n  melanoma/ (nearest: melanom)');
    expect(await messageOf(() => open(unknown, { task: 'multilabel' }))).toContain('labelColumns');
    const three = await make(['a/1.png', 'b/1.png', 'c/1.png']);
    expect(await messageOf(() => open(three, { task: 'binary' }))).toContain(
      'two classes for a binary task, got 3',
    );
  });
});
