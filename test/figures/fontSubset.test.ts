/** A font with some characters alone: drawn with it, they look as with the whole font. */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Resvg } from '@resvg/resvg-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fontFiles } from '../../src/figures/font.ts';
import { fontSubset } from '../../src/figures/fontSubset.ts';
import { charactersOf, tablesOf } from '../../src/figures/fontTables.ts';

const whole = readFileSync(fontFiles.semiBold);
/** With letters that are made of others, and some that the font has not. */
const letters = 'Aéñ½κℓ−% 0123xÅ漢';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'carryover-font-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The letters side by side, each for itself: without kerning. */
async function drawn(file: Buffer, text: string): Promise<Buffer> {
  const path = join(folder, `${file.length}.ttf`);
  await writeFile(path, file);
  const each = [...text].map(
    (letter, at) =>
      `<text x="${5 + 40 * at}" y="45" font-family="Inter" font-weight="600" font-size="40">${letter}</text>`,
  );
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="400" height="60">${each.join('')}</svg>`;
  const font = { loadSystemFonts: false, fontFiles: [path], defaultFontFamily: 'Inter' };
  return new Resvg(svg, { font }).render().pixels;
}

describe('a font of some characters', () => {
  it('draws them as the whole font does', async () => {
    const part = fontSubset(whole, letters);
    const text = 'Aéñ½κℓ−%Å';
    const pixels = await drawn(part, text);
    expect(pixels.some((value) => value !== 0)).toBe(true);
    expect(pixels.equals(await drawn(whole, text))).toBe(true);
    // That other text would be seen to differ.
    expect(pixels.equals(await drawn(part, 'Aéñ½κℓ−%x'))).toBe(false);
  });

  it('has those characters and no others, in less than a fiftieth of the bytes', () => {
    const part = fontSubset(whole, letters);
    const codes = [...charactersOf(tablesOf(part)('cmap'))].map(([code]) => code);
    const wanted = [...letters].map((letter) => letter.codePointAt(0) ?? 0);
    expect(codes).toEqual(
      wanted.filter((code) => code !== '漢'.codePointAt(0)).sort((a, b) => a - b),
    );
    expect(part.length).toBeLessThan(whole.length / 50);
  });

  it('is the same bytes whatever the order of the characters', () => {
    expect(fontSubset(whole, [...letters].reverse().join(''))).toEqual(fontSubset(whole, letters));
  });

  it('has sums that check its tables', () => {
    const part = fontSubset(whole, letters);
    const sum = (bytes: Buffer): number => {
      let all = 0;
      for (let at = 0; at < bytes.length; at += 4) all = (all + bytes.readUInt32BE(at)) >>> 0;
      return all;
    };
    expect(sum(part)).toBe(0xb1b0afba);
  });
});
