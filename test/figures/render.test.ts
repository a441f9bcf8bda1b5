/** Drawing: the same bytes every time, with the bundled font, without anything from outside. */
import { describe, expect, it } from 'vitest';
import { renderPng, renderSvg } from '../../src/figures/index.ts';

const spec = {
  title: 'κ over iterations',
  data: {
    values: [
      { iteration: 1, value: 0.2, init: 'ST' },
      { iteration: 2, value: 0.4, init: 'ST' },
      { iteration: 1, value: 0.6, init: 'WT' },
      { iteration: 2, value: 0.7, init: 'WT' },
    ],
  },
  facet: { column: { field: 'init', type: 'nominal' } },
  spec: {
    mark: { type: 'line', point: true, clip: true },
    encoding: {
      x: { field: 'iteration', type: 'quantitative' },
      y: { field: 'value', type: 'quantitative' },
    },
  },
};

describe('drawing', () => {
  it('gives the same bytes twice, and side by side', async () => {
    const first = await renderSvg(spec);
    const again = await Promise.all([renderSvg(spec), renderSvg(spec)]);
    expect(again).toEqual([first, first]);
    expect(await renderPng(first)).toEqual(await renderPng(first));
  });

  it('makes a PNG of the size asked for', async () => {
    const svg = await renderSvg(spec);
    const width = Number(/width="(\d+)"/.exec(svg)?.[1]);
    for (const scale of [1, 2, 3]) {
      const png = await renderPng(svg, { scale });
      expect(png.toString('latin1', 1, 4)).toBe('PNG');
      expect(png.readUInt32BE(16)).toBe(width * scale);
    }
  });

  it('has light and dark paper', async () => {
    expect(await renderSvg(spec)).toContain('fill="#ffffff"');
    const dark = await renderSvg(spec, { theme: 'dark' });
    expect(dark).toContain('fill="#16181c"');
    expect(dark).not.toContain('#ffffff');
  });

  it('keeps the ids of pictures apart in one page', async () => {
    const svg = await renderSvg(spec, { idPrefix: 'left' });
    const ids = [...svg.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
    const used = [...svg.matchAll(/url\(#([^)]*)\)/g)].map(([, id]) => id);
    expect(ids.length).toBeGreaterThan(0);
    for (const id of [...ids, ...used]) expect(id).toMatch(/^left-/);
    expect(new Set(used)).toEqual(new Set(ids));
  });

  it('reads nothing from outside', async () => {
    const outside = { ...spec, data: { url: 'http://127.0.0.1:9/data.json' } };
    await expect(renderSvg(outside)).rejects.toThrow('127.0.0.1:9/data.json');
    // The next figure is drawn all the same.
    expect(await renderSvg(spec)).toContain('<svg');
  });
});
