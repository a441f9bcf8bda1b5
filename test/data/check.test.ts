import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { runProgram } from '../../src/cli/program.ts';
import type { DataReport } from '../../src/data/index.ts';
import { picture, temporaryFolder, writePicture, writePictures, writeText } from './pictures.ts';

const base = temporaryFolder();
const root = join(base, 'set');
const before = process.env.CARRYOVER_CACHE;

beforeAll(async () => {
  process.env.CARRYOVER_CACHE = join(base, 'cache');
  await writePictures(
    root,
    Array.from({ length: 30 }, (_, k) => `${'abc'[k % 3]}/${k}.png`),
  );
  const soft = await sharp(picture(6, 6, 5), { raw: { width: 6, height: 6, channels: 3 } })
    .resize(60, 60, { kernel: 'cubic' })
    .png()
    .toBuffer();
  writeFileSync(join(root, 'a', 'near one.png'), soft);
  await sharp(soft)
    .resize(48, 48)
    .jpeg({ quality: 80 })
    .toFile(join(root, 'b', 'near two.jpg'));
  writeFileSync(join(root, 'c', 'copy.png'), readFileSync(join(root, 'a', '0.png')));
  await sharp({ create: { width: 9, height: 9, channels: 3, background: '#345' } })
    .png()
    .toFile(join(root, 'c', 'plain.png'));
});

afterEach(() => {
  process.exitCode = undefined;
});

afterAll(() => {
  if (before === undefined) delete process.env.CARRYOVER_CACHE;
  else process.env.CARRYOVER_CACHE = before;
});

async function run(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const written = { out: '', err: '' };
  process.exitCode = undefined;
  const code = await runProgram(['data', ...argv], {
    stdout: { write: (text: string) => (written.out += text) },
    stderr: { write: (text: string) => (written.err += text) },
  });
  return { code, ...written };
}

const small = ['--resize', '16', '--workers', '0'];

describe('carryover data check', () => {
  it('finds what is odd in a sound data set, on one page and in one document', async () => {
    const html = join(base, 'page.html');
    const sheet = join(base, 'sheet.png');
    const { code, out, err } = await run(
      ...['check', `folder:${root}`, '--json', '--html', html, '--sheet', sheet, ...small],
    );
    expect(code).toBe(0);
    const report: DataReport = JSON.parse(out);
    expect(report).toMatchObject({ format: 1, samples: 34, task: 'multiclass', errors: [] });
    expect(report.classes.map(({ name, samples }) => [name, samples])).toEqual([
      ['a', 11],
      ['b', 11],
      ['c', 12],
    ]);
    const sizes = report.splits?.sizes;
    expect((sizes?.train ?? 0) + (sizes?.val ?? 0) + (sizes?.test ?? 0)).toBe(34);
    expect(report.duplicates).toMatchObject([
      { ids: ['a/0.png', 'c/copy.png'], labelsDiffer: true },
    ]);
    expect(report.duplicates[0]?.splits).toHaveLength(1);
    expect(report.nearDuplicates).toMatchObject([
      { first: 'a/near one.png', second: 'b/near two.jpg', labelsDiffer: true },
    ]);
    expect(report.images).toMatchObject({
      readable: 34,
      unreadable: [],
      width: { least: 9, median: 12, greatest: 60 },
      height: { least: 9, median: 10, greatest: 60 },
      channels: [{ value: '3', images: 34 }],
      bits: [{ value: '8', images: 34 }],
      formats: [
        { value: 'png', images: 33 },
        { value: 'jpeg', images: 1 },
      ],
      resize: 16,
    });
    const warnings = report.warnings.join('\n');
    expect(warnings).toContain('1 images are of one colour: c/plain.png');
    expect(warnings).toContain('have a side below 16 px and are enlarged');
    expect(warnings).toContain('1 sets of byte-identical files carry different labels');
    expect(err).toContain('nearly identical pictures: 1');
    const page = readFileSync(html, 'utf8');
    expect(page).toContain('<h1>Data check: set</h1>');
    expect(page.match(/<img /g)).toHaveLength(12 * 6);
    expect(page).not.toMatch(/https?:|<script|<link|@import|url\(/);
    const { width = 0, height = 0 } = await sharp(sheet).metadata();
    expect([width, height]).toEqual([816, 1614]);
  });

  it('ends with 1 and lists what must be put right', async () => {
    const bad = join(base, 'bad');
    await writePictures(
      bad,
      Array.from({ length: 30 }, (_, k) => `${'ab'[k % 2]}/${k}.png`),
    );
    writeText(join(bad, 'a', 'empty.png'), '');
    writeText(join(bad, 'b', '<b>page.jpg'), '<html>');
    const html = join(base, 'bad.html');
    const { code, out } = await run('check', `folder:${bad}`, '--html', html, ...small);
    expect(code).toBe(1);
    expect(out).toContain('images: 30 readable, 2 not');
    expect(out).toContain('error: 2 unreadable images:');
    expect(out).toContain('a/empty.png: empty file (0 bytes)');
    expect(out).toContain('1 error, ');
    const page = readFileSync(html, 'utf8');
    expect(page).toContain('b/&lt;b&gt;page.jpg');
    expect(page).not.toContain('<b>page');
    const quick = await run('check', `folder:${bad}`, '--no-images', '--json');
    expect([quick.code, JSON.parse(quick.out).errors]).toEqual([0, []]);
  });

  it('tells leaks between given splits, and a table whose rows are wrong', async () => {
    const leaky = join(base, 'leaky');
    const names = ['train/x', 'train/y', 'test/x', 'test/y'];
    await writePictures(
      leaky,
      names.flatMap((name) => Array.from({ length: 6 }, (_, k) => `${name}/${k}.png`)),
    );
    await writePicture(join(leaky, 'test', 'x', 'again.png'), { seed: 0 });
    const leak = await run('check', `folder:${leaky}`, '--no-images', '--json');
    expect(leak.code).toBe(1);
    const report: DataReport = JSON.parse(leak.out);
    expect(report.errors[0]).toContain('train/x/0.png (train) and test/x/again.png (test)');
    expect(report.splits).toBeUndefined();
    const table = writeText(join(root, 'labels.csv'), 'path,label\na/0.png,1\ngone.png,0\n');
    const wrong = await run('check', `csv:${table}`, '--json');
    expect(wrong.code).toBe(2);
    expect(JSON.parse(wrong.out).errors[0]).toContain('row 3: missing file gone.png');
  });

  it('takes images without labels for what they are', async () => {
    const { code, out } = await run('check', `images:${root}`, ...small, '--json');
    expect(code).toBe(0);
    const report: DataReport = JSON.parse(out);
    expect(report).toMatchObject({ samples: 34, classes: [], errors: [] });
    expect(report.task).toBeUndefined();
    expect(report.warnings.join()).not.toContain('undefined');
    expect((await run('check', `images:${root}`, ...small)).out).toContain(
      '34 samples; without labels',
    );
  });

  it('refuses a page in the place of a folder', async () => {
    const { code, err } = await run('check', `folder:${root}`, '--html', base, ...small);
    expect(err).toContain('expected the name of a file to write, got a folder');
    expect(code).toBe(2);
  });

  it('refuses a wrong request', async () => {
    const { code, err } = await run('check', `folder:${root}`, '--set', 'clases=[a]');
    expect([code, err]).toEqual([2, expect.stringContaining('did you mean classes')]);
    expect((await run('check', `folder:${root}`, '--size', '300')).err).toContain(
      'at most --resize',
    );
    const half = await run('check', `folder:${root}`, '--fraction', 'half');
    expect([half.code, half.err]).toEqual([2, expect.stringContaining('got "half"')]);
    const separator = ['--set', 'labelSeparator=|', '--set', 'task=binary'];
    const table = writeText(join(root, 'lists.csv'), 'path,label\na/0.png,1\nb/1.png,0\n');
    expect((await run('check', `csv:${table}`, ...separator, '--no-images')).err).not.toContain(
      'labelSeparator',
    );
  });
});

describe('carryover data split, kinds and cache', () => {
  it('prints and writes the splits that a run would make', async () => {
    const out = join(base, 'splits.csv');
    const flags = ['--out', out, '--n-train', '10', '--split-seed', '3', '--json'];
    const result = await run('split', `folder:${root}`, ...flags);
    expect(result.code).toBe(0);
    const { splits } = JSON.parse(result.out);
    expect(splits.train.samples).toBe(10);
    expect(splits.unused.samples).toBeGreaterThan(10);
    expect(result.err).toMatch(/class +train +val +test +unused +all/);
    expect(readFileSync(out, 'utf8')).toContain(',unused\n');
  });

  it('lists the kinds', async () => {
    const { out } = await run('kinds', '--json');
    const kinds: { kind: string }[] = JSON.parse(out).kinds;
    expect(kinds.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['folder', 'csv']));
  });

  it('lists what is kept and removes it', async () => {
    await run('check', `folder:${root}`, ...small);
    const listed = JSON.parse((await run('cache', '--json')).out);
    expect(listed.entries.length).toBeGreaterThan(0);
    expect(listed.entries[0]).toMatchObject({ name: 'set', root, images: 34, resize: 16 });
    expect(JSON.parse((await run('cache', '--prune', '1', '--json')).out).entries).toEqual([]);
    const removed = JSON.parse((await run('cache', '--prune', '0', '--json')).out);
    expect(removed.entries).toHaveLength(listed.entries.length);
    expect(JSON.parse((await run('cache', '--json')).out).entries).toEqual([]);
  });
});
