import { describe, expect, it } from 'vitest';
import { dataSpecSchema, parseDataArgument, parseDataSpec } from '../../src/data/index.ts';
import { messageOf } from './pictures.ts';

describe('naming a data set', () => {
  it('takes kind:path and the entry for the same', () => {
    const base = '/somewhere';
    const entry = { kind: 'folder', path: 'pictures' };
    expect(parseDataArgument('folder:pictures', { base })).toEqual(parseDataSpec(entry, { base }));
    expect(parseDataSpec('folder:pictures', { base })).toEqual({
      kind: 'folder',
      path: '/somewhere/pictures',
    });
    expect(parseDataArgument('csv:a:b.csv', { base }).path).toBe('/somewhere/a:b.csv');
    expect(parseDataSpec('isic2019:/x', { base }).path).toBe('/x');
    const settings = { labelColumn: 'dx', root: 'images' };
    expect(parseDataArgument('csv:labels.csv', { base }, settings)).toEqual({
      kind: 'csv',
      path: '/somewhere/labels.csv',
      root: '/somewhere/images',
      labelColumn: 'dx',
    });
  });

  it('gives again what it was given, so that a resolved entry can be stored', () => {
    const entry = {
      kind: 'csv',
      path: '/a.csv',
      split: { method: 'released-code' },
      task: 'binary',
    };
    const spec = parseDataSpec(entry);
    expect(parseDataSpec(spec)).toEqual(spec);
    expect(dataSpecSchema.parse(spec)).toEqual(spec);
  });

  it.each([
    ['pictures', 'for example folder:pictures'],
    ['labels.csv', 'for example csv:labels.csv'],
    ['folder', 'name the place too: folder:<path>'],
    ['folder:', 'expected folder:<path>'],
    ['floder:x', 'did you mean folder?'],
    ['isic:x', 'did you mean isic2019?'],
  ])('says how, given %s', async (argument, message) => {
    expect(await messageOf(() => parseDataArgument(argument))).toContain(message);
  });

  it('refuses unknown keys and wrong values, naming them', async () => {
    const parse = (entry: unknown) =>
      messageOf(() => parseDataSpec(entry, { where: 's.yaml: data' }));
    expect(await parse({ kind: 'csv', path: 'x', lableColumn: 'y' })).toBe(
      's.yaml: data: lableColumn: expected a known key, got "lableColumn" (did you mean labelColumn, labelColumns?)',
    );
    expect(await parse({ kind: 'folder', path: 'x', labelColumn: 'y' })).toContain('known keys');
    expect(await parse({ kind: 'folder' })).toContain('s.yaml: data: path: expected a string');
    expect(await parse({ path: 'x' })).toContain('a kind of data set: folder, csv, isic2019');
    expect(await parse({ kind: 'csv', path: 'x', split: { ratios: [1, 0, 0] } })).toContain(
      'ratios',
    );
    expect(await parse({ kind: 'csv', path: 'x', task: 'binray' })).toContain(
      'did you mean binary',
    );
    expect(await parse(null)).toContain('got none');
  });
});
