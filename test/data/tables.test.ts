import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeSplits, openDataSet, parseDataArgument, parseDataSpec } from '../../src/data/index.ts';
import { readTable } from '../../src/data/table.ts';
import { messageOf, temporaryFolder, writePictures, writeText } from './pictures.ts';

const base = temporaryFolder();
const cacheFolder = join(base, 'cache');
await writePictures(base, ['a.png', 'b.png', 'Sub/c.JPG', 'd.png', 'twice.png', 'twice.jpg']);
let count = 0;

/** Opens a table of this text beside the pictures, whatever its name says. */
function open(text: string | Uint8Array, settings: Record<string, unknown> = {}) {
  const path = writeText(join(base, `table${count++}.csv`), text);
  return openDataSet(parseDataSpec({ kind: 'csv', path, ...settings }), { cacheFolder });
}

const lines = (...rows: unknown[]): string =>
  rows.map((row) => (typeof row === 'string' ? row : JSON.stringify(row))).join('\n');

describe('JSON Lines', () => {
  it('are told by content and read like any table', async () => {
    const dataset = await open(
      lines(
        { path: 'a.png', label: 1, patient: 'p1', split: 'train' },
        '',
        { patient: 'p2', path: 'b.png', label: 0, split: 'val', extra: { deep: true } },
        { path: 'Sub\\c.JPG', label: 1, patient: null, split: 'test' },
      ),
    );
    expect(dataset.classes).toEqual(['0', '1']);
    expect(dataset.samples.map(({ id, label, group, split }) => [id, label, group, split])).toEqual(
      [
        ['a.png', 1, 'p1', 'train'],
        ['b.png', 0, 'p2', 'val'],
        ['Sub/c.JPG', 1, undefined, 'test'],
      ],
    );
  });

  it('may list labels, which makes the task multi-label', async () => {
    const dataset = await open(
      lines(
        { path: 'a.png', labels: ['mass', 'fluid'] },
        { path: 'b.png', labels: [] },
        { path: 'd.png', labels: ['fluid'] },
      ),
    );
    expect([dataset.task, dataset.classes]).toEqual(['multilabel', ['fluid', 'mass']]);
    expect(dataset.samples.map(({ label }) => label)).toEqual([
      [1, 1],
      [0, 0],
      [1, 0],
    ]);
  });

  it('that are damaged have all their faulty lines listed', async () => {
    const message = await messageOf(() =>
      open(lines({ path: 'a.png', label: 1 }, '{"path": "b.png"', '[1, 2]', 'null', '7')),
    );
    expect(message).toContain('4 faults:');
    expect(message).toContain('\n  row 2: ');
    expect(message).toContain('\n  row 3: a list, where an object was expected');
    expect(message).toContain('\n  row 4: null, where');
    expect(message).toContain('\n  row 5: a number, where');
    const list = await messageOf(() => open('[{"path": "a.png"}]'));
    expect(list).toContain('one object in each line, got one JSON list');
  });
});

describe('tables', () => {
  it('list several labels in a cell', async () => {
    const text = 'Image Index,Finding Labels\na.png,Mass|Fluid\nb.png,\nd.png,Fluid\n';
    const dataset = await open(text, { labelColumn: 'Finding Labels', task: 'multilabel' });
    expect(dataset.classes).toEqual(['Fluid', 'Mass']);
    expect(dataset.samples.map(({ label }) => label)).toEqual([
      [1, 1],
      [0, 0],
      [1, 0],
    ]);
    const other = await open('path,label\na.png,x;y\nb.png,y\n', { labelSeparator: ';' });
    expect(other.samples[0]?.label).toEqual([1, 1]);
    const message = await messageOf(() =>
      open('path,label\na.png,mass|fluit\nb.png,mass\n', {
        labelColumn: 'label',
        task: 'multilabel',
        classes: ['mass', 'fluid'],
      }),
    );
    expect(message).toContain('row 2: unknown label "fluit" (nearest: fluid');
  });

  it('may be named by their format', () => {
    for (const kind of ['table', 'tsv', 'jsonl', 'parquet']) {
      expect(parseDataArgument(`${kind}:x.data`).kind).toBe('csv');
    }
  });

  it('have every faulty path listed: twice, another case, outside, ambiguous', async () => {
    const rows = [
      'a.png',
      'A.png',
      'sub/c.JPG',
      'Sub/c',
      'Sub/c.jpg',
      'C:\\data\\a.png',
      '\\\\server\\share\\a.png',
      'Sub\\..\\..\\x.png',
      'twice',
      'b.png/x.png',
      'a',
      'b',
    ];
    const message = await messageOf(() =>
      open(`path,label\n${rows.map((path, k) => `${path},${k % 2}`).join('\n')}\n`),
    );
    for (const line of [
      'row 3: missing file A.png, but a.png in another case',
      'row 4: missing file sub/c.JPG, but the folder Sub in another case',
      'row 6: missing file Sub/c.jpg, but c.JPG in another case',
      `row 7: a path outside ${base}: C:\\data\\a.png`,
      `row 8: a path outside ${base}: \\\\server`,
      `row 9: a path outside ${base}: Sub\\..`,
      'row 10: twice may be any of twice.jpg, twice.png',
      'row 11: missing file b.png/x.png',
      'row 12: the same image as row 2, a.png',
    ]) {
      expect(message).toContain(`\n  ${line}`);
    }
    expect(message).toContain('9 faults:');
  });

  it('are refused where a patient is in two given splits, with the rows', async () => {
    const text = 'path,label,patient,split\na.png,x,p1,train\nb.png,y,p1,test\nd.png,y,p2,val\n';
    const message = await messageOf(() => open(text));
    expect(message).toContain('row 3: patient p1 is in test here and in train in row 2');
    const reported = await open(text, { split: { leakage: 'report' } });
    expect(makeSplits(reported, { seed: 0 }).notes[0]).toContain('group p1');
  });

  it('say that grades which are no numbers need an order', async () => {
    const text = 'path,grade\na.png,mild\nb.png,none\nd.png,severe\n';
    const { notes } = await open(text, { task: 'ordinal' });
    expect(notes.join()).toContain('mild, none, severe (set classes)');
  });

  it.each([
    ['a zip or Excel file', Buffer.from('PK\x03\x04rest', 'latin1')],
    ['a gzip file', Buffer.of(0x1f, 0x8b, 8, 0)],
  ])('that are %s are refused', async (what, bytes) => {
    expect(await messageOf(() => open(bytes))).toContain(`got ${what}`);
  });
});

const hasDuckDb = await import('@duckdb/node-api').then(
  () => true,
  () => false,
);

describe.skipIf(!hasDuckDb)('Parquet (skipped without @duckdb/node-api)', () => {
  it('is read with its numbers, gaps and lists', async () => {
    const { DuckDBInstance } = await import('@duckdb/node-api');
    const path = join(base, "o'dd [1].parquet");
    const database = await DuckDBInstance.create(':memory:');
    const connection = await database.connect();
    const rows =
      "('a.png', 1, 1.5, ['x','y'], 'p1'::BLOB), ('b.png', 0, 'NaN'::DOUBLE, [], NULL), ('d.png', NULL, NULL, NULL, NULL)";
    await connection.run(
      `COPY (SELECT * FROM (VALUES ${rows}) t(path, label, score, tags, bytes)) TO '${path.replaceAll("'", "''")}' (FORMAT parquet)`,
    );
    connection.closeSync();
    const table = await readTable(path);
    expect(table.columns).toEqual(['path', 'label', 'score', 'tags']);
    expect([...table.listColumns]).toEqual(['tags']);
    expect(
      table.rows.map(({ line, cells }) => [line, ...table.columns.map((name) => cells.get(name))]),
    ).toEqual([
      [1, 'a.png', '1', '1.5', 'x|y'],
      [2, 'b.png', '0', '', ''],
      [3, 'd.png', '', '', ''],
    ]);
    const spec = parseDataSpec({ kind: 'csv', path });
    expect(await messageOf(() => openDataSet(spec, { cacheFolder }))).toContain('row 3: no label');
  });

  it('that is damaged is refused', async () => {
    const message = await messageOf(() => open('PAR1 and nothing more PAR1'));
    expect(message).toContain('expected a Parquet file');
  });
});
