/** Labels in lines, and drawings with room for titles that are wider than what they stand over. */
import { describe, expect, it } from 'vitest';
import { textWidth } from '../../src/figures/font.ts';
import { renderSvg } from '../../src/figures/index.ts';
import { brokenLabel } from '../../src/figures/lines.ts';

describe('labels', () => {
  it('are one line where there is room', () => {
    expect(brokenLabel('DeiT-S from natural-images', 1000)).toEqual(['DeiT-S from natural-images']);
    expect(brokenLabel('', 100)).toEqual(['']);
  });

  it('are broken between words first', () => {
    expect(brokenLabel('ResNet50 from textures, fundus-2019-left-eyes', 160)).toEqual([
      'ResNet50 from textures,',
      'fundus-2019-left-eyes',
    ]);
  });

  it('are broken within a word that is too wide, and have every letter', () => {
    const name = 'fundus-2019_left/eyes verylongwithoutanyplacetobreak';
    const lines = brokenLabel(name, 60);
    expect(lines).toEqual(['fundus-', '2019_left/', 'eyes', 'verylongwithoutanyplacetobreak']);
    for (const line of lines.slice(0, 3)) expect(textWidth(line, 11, 600)).toBeLessThanOrEqual(60);
  });
});

describe('a drawing', () => {
  const spec = {
    data: { values: [{ x: 1 }] },
    mark: 'point',
    encoding: { x: { field: 'x', type: 'quantitative' } },
    width: 60,
  };
  const text = 'A title that is much wider than the drawing below it';
  const sizeOf = (svg: string): number[] =>
    /<svg[^>]* width="(\d+)" height="\d+" viewBox="0 0 (\d+) \d+"><rect width="(\d+)"/
      .exec(svg)
      ?.slice(1)
      .map(Number) ?? [];

  it('is as wide as its title, on paper as wide', async () => {
    const [plain = 0] = sizeOf(await renderSvg(spec));
    const titled = await renderSvg({ ...spec, title: { text, anchor: 'start' } });
    const [width = 0, ...others] = sizeOf(titled);
    expect(plain).toBeLessThan(200);
    expect(width).toBeGreaterThanOrEqual(textWidth(text, 14, 600) + 2 * 12);
    expect(others).toEqual([width, width]);
  });

  it('has room on both sides of a title over the middle of a panel', async () => {
    const title = { text, anchor: 'middle', frame: 'group', fontSize: 14 };
    const titled = await renderSvg({ concat: [{ ...spec, title }] });
    const [width = 0] = sizeOf(titled);
    const [, origin, panel, at] =
      /translate\((\d+),\d+\).*role-scope.*?translate\((\d+),.*role-title"><g transform="translate\((\d+),/s.exec(
        titled,
      ) ?? [];
    const middle = Number(origin) + Number(panel) + Number(at);
    const half = textWidth(text, 14, 600) / 2;
    expect(middle - half).toBeGreaterThanOrEqual(11);
    expect(middle + half).toBeLessThanOrEqual(width - 11);
  });
});
