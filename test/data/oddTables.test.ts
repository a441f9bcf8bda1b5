/** Tables and folders as they come: what is odd in them is told, and never passes for something else. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeSplits, openDataSet, parseDataSpec, readSplits } from '../../src/data/index.ts';
import { writeSplits } from '../../src/data/splits/splitFile.ts';
import { messageOf, temporaryFolder, writePicture, writePictures, writeText } from './pictures.ts';

const base = temporaryFolder();
const cacheFolder = join(base, 'cache');
const names = Array.from({ length: 12 }, (_, k) => `${k}.png`);
await writePictures(base, names);
let count = 0;

/** Opens a table of this text beside the pictures. */
function open(text: string, settings: Record<string, unknown> = {}) {
  const path = writeText(join(base, `table${count++}.csv`), text);
  return openDataSet(parseDataSpec({ kind: 'csv', path, ...settings }), { cacheFolder });
}

/** A table of all pictures; `cell` gives what stands in a row behind the path. */
const table = (header: string, cell: (k: number) => string): string =>
  [`path,${header}`, ...names.map((name, k) => `${name},${cell(k)}`)].join('\n');

const label = (k: number): string => (k % 2 ? 'cat' : 'dog');
const given = (k: number): string => ['train', 'val', 'test'][Math.min(2, Math.floor(k / 4))] ?? '';

describe('a column of splits that is found by its name', () => {
  it('is used, or its slips are told: never passed over in silence', async () => {
    const text = (slip: string): string =>
      table('label,split', (k) => `${label(k)},${k === 5 ? slip : given(k)}`);
    expect((await open(text('val'))).samples[11]?.split).toBe('test');
    expect(await messageOf(() => open(text('vla')))).toContain('row 7: unknown split "vla"');
    expect(await messageOf(() => open(text('')))).toContain('row 7: unknown split ""');
  });

  it('is left aside, and that is told, where it means something else', async () => {
    const { notes, samples } = await open(table('label,set', (k) => `${label(k)},site ${k % 3}`));
    expect(samples[0]?.split).toBeUndefined();
    expect(notes.join('\n')).toMatch(
      /column "set" does not say train, val or test, and is not used: it has "site 0"/,
    );
  });
});

describe('classes', () => {
  it('that are numbers may be named as numbers', async () => {
    const text = table('grade', (k) => String(k % 3));
    const { classes } = await open(text, { task: 'ordinal', classes: [2, 1, 0] });
    expect(classes).toEqual(['2', '1', '0']);
    const columns = table('0,1', (k) => `${k % 2},1`);
    expect((await open(columns, { labelColumns: [0, 1] })).classes).toEqual(['0', '1']);
    expect((await open(columns, { labelColumn: 0 })).classes).toEqual(['0', '1']);
    // What a number does not keep is told, not taken for another class.
    expect(
      await messageOf(() =>
        open(
          table('grade', () => '01'),
          { classes: [1, 2] },
        ),
      ),
    ).toContain('unknown label "01" (nearest: 1');
  });

  it('that differ in case, blanks or encoding only are told', async () => {
    const notes = async (other: string) =>
      (await open(table('label', (k) => (k === 3 ? other : label(k))))).notes.join('\n');
    expect(await notes('Cat')).toContain('"Cat" and "cat" are different classes');
    expect(await notes('mouse')).not.toContain('different classes');
    await writePictures(join(base, 'set'), ['big cat/1.png', 'big_cat/2.png', 'dog/3.png']);
    const folder = parseDataSpec({ kind: 'folder', path: join(base, 'set') });
    expect((await openDataSet(folder, { cacheFolder })).notes.join('\n')).toContain(
      '"big cat" and "big_cat" are different classes',
    );
  });

  it('that look like missing values or lists of labels are told', async () => {
    const missing = await open(table('label', (k) => (k === 3 ? 'NA' : label(k))));
    expect(missing.notes.join('\n')).toContain('"NA" is taken for a class');
    const list = table('label', (k) => (k % 3 ? label(k) : 'cat|dog'));
    const hint = 'cat|dog are taken for classes: with task: multilabel they list labels';
    expect((await open(list)).notes.join('\n')).toContain(hint);
    const labels = await open(list, { task: 'multilabel', labelColumn: 'label' });
    expect(labels.classes).toEqual(['cat', 'dog']);
    expect(labels.notes.join('\n')).not.toContain('taken for');
  });
});

describe('files', () => {
  it('may have nameless columns at the end, as spreadsheets leave them', async () => {
    const { samples } = await open(table('label,,', (k) => `${label(k)},,`));
    expect(samples).toHaveLength(12);
    expect(await messageOf(() => open(table('label,label', () => 'x,x')))).toContain(
      '"label" twice',
    );
  });

  it('whose accents are encoded in another way are named with what there is', async () => {
    await writePicture(join(base, 'M\u00fcller.png'));
    const message = await messageOf(() => open('path,label\nMu\u0308ller.png,x\n1.png,y\n'));
    expect(message).toMatch(
      /but M\u00fcller\.png with its letters encoded in another Unicode form/,
    );
  });

  it('of splits are read again where class folders end in blanks', async () => {
    const root = join(base, 'blanks');
    await writePictures(root, [
      ...Array.from({ length: 10 }, (_, k) => `x /${k}.png`),
      ...Array.from({ length: 10 }, (_, k) => `y/${k} .png`),
    ]);
    const dataset = await openDataSet(parseDataSpec({ kind: 'folder', path: root }), {
      cacheFolder,
    });
    const splits = makeSplits(dataset, { seed: 0 });
    const path = join(base, 'splits.csv');
    await writeSplits(path, dataset, splits);
    expect((await readSplits(path, dataset)).test).toEqual(splits.test);
  });
});
