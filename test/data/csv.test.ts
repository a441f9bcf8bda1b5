import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeSplits, openDataSet, parseDataSpec } from '../../src/data/index.ts';
import { messageOf, temporaryFolder, writePictures, writeText } from './pictures.ts';

const base = temporaryFolder();
const cacheFolder = join(base, 'cache');
await writePictures(base, ['a.png', 'b.png', 'sub/c.jpg', 'd.png', 'e.tif']);
await writePictures(join(base, 'root'), ['one.png', 'two.png']);
let count = 0;

/** Opens a CSV file of this text beside the pictures. */
function open(text: string | Uint8Array, settings: Record<string, unknown> = {}) {
  const path = writeText(join(base, `labels${count++}.csv`), text);
  return openDataSet(parseDataSpec({ kind: 'csv', path, ...settings }), { cacheFolder });
}

describe('a CSV file', () => {
  it('is read in the order of its rows, with columns found by name', async () => {
    const dataset = await open('id,image,dx\n1,d.png,nv\n2,a.png,mel\n3,sub/c,nv\n');
    expect(dataset.samples.map(({ id }) => id)).toEqual(['d.png', 'a.png', 'sub/c.jpg']);
    expect(dataset.classes).toEqual(['mel', 'nv']);
    expect(dataset.samples.map(({ label }) => label)).toEqual([1, 0, 1]);
    expect(dataset.notes).toEqual(['columns found by name: path from "image", label from "dx"']);
  });

  it.each([
    ['a byte-order mark', '\uFEFFpath,label\na.png,x\nb.png,y\n'],
    ['semicolons', 'path;label\na.png;x\nb.png;y\n'],
    ['tabs', 'path\tlabel\na.png\tx\nb.png\ty\n'],
    ['Windows line ends', 'path,label\r\na.png,x\r\nb.png,y\r\n'],
    ['quotes and blanks', '"path", "label"\n" a.png ",x\n"b.png"," y"\n'],
    ['empty lines', 'path,label\n\na.png,x\n\nb.png,y\n,\n\n'],
    ['no last line end', 'path,label\na.png,x\nb.png,y'],
    [
      'UTF-16',
      Buffer.concat([
        Buffer.of(0xff, 0xfe),
        Buffer.from('path\tlabel\na.png\tx\nb.png\ty\n', 'utf16le'),
      ]),
    ],
  ])('may have %s', async (_, text) => {
    const dataset = await open(text);
    expect(dataset.samples.map(({ id, label }) => [id, label])).toEqual([
      ['a.png', 0],
      ['b.png', 1],
    ]);
    expect(dataset.classes).toEqual(['x', 'y']);
  });

  it('takes columns, root, classes, groups and splits as told', async () => {
    const text = 'file name,grade,who,part\none.png,mild,p1,train\ntwo.png,severe,p2,validation\n';
    const dataset = await open(text, {
      root: join(base, 'root'),
      pathColumn: 'file name',
      labelColumn: 'grade',
      groupColumn: 'who',
      splitColumn: 'part',
      classes: ['mild', 'moderate', 'severe'],
      task: 'ordinal',
      split: { ratios: [70, 15, 15] },
    });
    expect(dataset.root).toBe(join(base, 'root'));
    expect(dataset.samples.map(({ label, group, split }) => [label, group, split])).toEqual([
      [0, 'p1', 'train'],
      [2, 'p2', 'val'],
    ]);
    expect(dataset.metric).toBe('kappa');
    expect(dataset.split.ratios).toBeAllclose([0.7, 0.15, 0.15], { absolute: 1e-12 });
    expect(dataset.notes[0]).toContain('no samples of moderate');
  });

  it('finds groups and splits by name, and passes a column over that only sounds like splits', async () => {
    const rows = 'a.png,x,p1,train\nb.png,y,,val\nd.png,x,p3,test\n';
    const found = await open(`path,label,patient_id,split\n${rows}`);
    expect(found.samples.map(({ group }) => group)).toEqual(['p1', undefined, 'p3']);
    expect(found.notes).toContain('1 rows without patient_id: each is a group of its own');
    const splits = makeSplits(found, { seed: 0 });
    expect([splits.train, splits.val, splits.test]).toEqual([[0], [1], [2]]);
    const other = await open('path,label,set\na.png,x,1\nb.png,y,2\n');
    expect(other.samples.some(({ split }) => split !== undefined)).toBe(false);
  });

  it('takes one column for each label of a multi-label task', async () => {
    const text = 'path,mass,fluid\na.png,1,0\nb.png,,1.0\nd.png,0,False\n';
    const dataset = await open(text, { labelColumns: ['mass', 'fluid'] });
    expect([dataset.task, dataset.metric]).toEqual(['multilabel', 'auc']);
    expect(dataset.samples.map(({ label }) => label)).toEqual([
      [1, 0],
      [0, 1],
      [0, 0],
    ]);
  });

  it('takes paths with backslashes and absolute paths inside its root', async () => {
    const dataset = await open(`path,label\nsub\\c.jpg,x\n${join(base, 'a.png')},y\n`);
    expect(dataset.samples.map(({ id }) => id)).toEqual(['sub/c.jpg', 'a.png']);
  });
});

describe('a wrong CSV file', () => {
  it('has all its faulty rows listed, with their numbers', async () => {
    const rows = [
      'a.png,x',
      'gone.png,x',
      'b.png,',
      '../outside.png,y',
      '/etc/hostname,y',
      'a.png,y',
      './a.png,y',
      ',x',
      'sub,x',
      'd.png,x,extra',
      'e.tif,z',
    ];
    const message = await messageOf(() =>
      open(`path,label\n${rows.join('\n')}\n`, { classes: ['x', 'y', 'zz'] }),
    );
    for (const line of [
      'row 3: missing file gone.png',
      'row 4: no label',
      `row 5: a path outside ${base}: ../outside.png`,
      `row 6: a path outside ${base}: /etc/hostname`,
      'row 7: the same image as row 2, a.png',
      'row 8: the same image as row 2, a.png',
      'row 9: no path',
      'row 10: a folder, sub',
      'row 11: 3 cells where the header has 2',
      'row 12: unknown label "z" (nearest:',
    ]) {
      expect(message).toContain(`\n  ${line}`);
    }
    expect(message).toContain('10 faults:');
    expect(message).not.toContain('row 2:');
  });

  it('has the first twenty faults listed and the others counted', async () => {
    const rows = Array.from({ length: 57 }, (_, index) => `gone${index}.png,${index % 2}`);
    const message = await messageOf(() => open(`path,label\n${rows.join('\n')}\n`));
    expect(message).toContain('57 faults:');
    expect(message.match(/\n {2}row/g)).toHaveLength(20);
    expect(message).toContain('and 37 more');
  });

  it.each([
    ['an empty file', '', {}, 'got an empty file'],
    ['a header alone', 'path,label\n', {}, 'got a header alone'],
    ['no path column', 'x,label\n1,2\n', {}, 'name it: pathColumn: <column>'],
    ['no label column', 'path,x\na.png,2\n', {}, 'name it: labelColumn: <column>'],
    [
      'a misspelt column',
      'path,diagnosis\na.png,2\n',
      { labelColumn: 'diagnose' },
      'did you mean diagnosis?',
    ],
    ['a column twice', 'path,label,label\na.png,1,2\n', {}, 'expected each column once'],
    ['an open quote', 'path,label\n"a.png,x\n', {}, 'expected CSV, got'],
    ['another encoding', Buffer.from('path,label\na.png,\xe4\n', 'latin1'), {}, 'CSV UTF-8'],
    ['a root that is not there', 'path,label\na.png,x\n', { root: '/nowhere' }, 'got nothing at'],
    ['one class', 'path,label\na.png,x\nb.png,x\n', {}, 'at least 2 classes, got 1'],
    [
      'a label that is no 0 or 1',
      'path,mass\na.png,2\n',
      { labelColumns: ['mass'] },
      '"2" in column mass, where 0 or 1 was expected',
    ],
    [
      'multi-label without columns',
      'path,label\na.png,x\n',
      { task: 'multilabel' },
      'labelColumns',
    ],
    [
      'an unknown split',
      'path,label,part\na.png,x,first\n',
      { splitColumn: 'part' },
      'row 2: unknown split "first"',
    ],
    ['a class named twice', 'path,label\na.png,x\n', { classes: ['x', 'x'] }, '"x" twice'],
  ])('is refused: %s', async (_, text, settings, expected) => {
    expect(await messageOf(() => open(text, settings))).toContain(expected);
  });

  it('is refused where the label is rather an identifier', async () => {
    const rows = Array.from({ length: 40 }, (_, index) => `gone${index}.png,id${index}`);
    const message = await messageOf(() => open(`path,label\n${rows.join('\n')}\n`));
    expect(message).toContain('40 different values in 40 rows');
  });

  it('is refused where there is none', async () => {
    const spec = parseDataSpec({ kind: 'csv', path: join(base, 'absent.csv') });
    expect(await messageOf(() => openDataSet(spec))).toContain('got no such file');
    const folder = parseDataSpec({ kind: 'csv', path: base });
    expect(await messageOf(() => openDataSet(folder))).toContain('got a folder');
  });
});
