/** Figures by tap: they hold the study's numbers and no others, taps in order, what is undefined left out. */
import { describe, expect, it } from 'vitest';
import type { FigureKind, FigureSpec } from '../../src/figures/figure.ts';
import { figure03 } from '../../src/figures/figure03.ts';
import { figure04 } from '../../src/figures/figure04.ts';
import { figure05 } from '../../src/figures/figure05.ts';
import { figure06 } from '../../src/figures/figure06.ts';
import { figure09 } from '../../src/figures/figure09.ts';
import { figure10 } from '../../src/figures/figure10.ts';
import { figure11 } from '../../src/figures/figure11.ts';
import { figure12 } from '../../src/figures/figure12.ts';
import { figure13 } from '../../src/figures/figure13.ts';
import { figure16 } from '../../src/figures/figure16.ts';
import { figure17 } from '../../src/figures/figure17.ts';
import { figure18 } from '../../src/figures/figure18.ts';
import { renderSvg } from '../../src/figures/index.ts';
import { fixtureModel } from './fixtureModels.ts';
import { paperSummary, smallSummary } from './summaryFixture.ts';

type Datum = Record<string, string | number>;

const kinds: FigureKind[] = [
  figure03,
  figure04,
  figure05,
  figure06,
  figure09,
  figure10,
  figure11,
  figure12,
  figure13,
  figure16,
  figure17,
  figure18,
];

const paper = paperSummary();
const small = smallSummary();

/** The panels of a figure in reading order: whatever has a height or is a layer of one. */
function panelsOf(spec: FigureSpec): FigureSpec[] {
  const parts = (spec.vconcat ?? spec.hconcat ?? spec.concat) as FigureSpec[] | undefined;
  return parts ? parts.flatMap(panelsOf) : [spec];
}

/** All data of a panel with a field. */
function dataOf(panel: FigureSpec, field: string): Datum[] {
  const layers = (panel.layer ?? [panel]) as FigureSpec[];
  const values = layers.flatMap(
    (layer) => (layer.data as { values: Datum[] } | undefined)?.values ?? [],
  );
  return [...new Set(values)].filter((datum) => field in datum);
}

interface Wanted {
  data: string;
  model: string;
  init: string;
  measure: string;
  of: string;
  detail: string;
}

const keyOf = ({ data, model, init, measure, of, detail }: Wanted): string =>
  [data, model, init, measure, of, detail].join('|');

const means = new Map(paper.findings.map((row) => [keyOf(row), row.value?.mean]));

/** The mean of one finding of the paper's study. */
function meanOf(wanted: Wanted): number | undefined {
  return means.get(keyOf(wanted));
}

/** The taps of an axis, in its scale's order. */
function domainsOf(panel: FigureSpec, channel: 'x' | 'y'): string[] {
  const [first] = (panel.layer ?? [panel]) as FigureSpec[];
  const encoding = first?.encoding as Record<string, { scale: { domain: string[] } }>;
  return encoding[channel]?.scale.domain ?? [];
}

describe('heat maps of CKA', () => {
  const [figure] = figure09.draw(paper);
  const panels = panelsOf(figure?.spec ?? {});

  it('have a panel for every data set and main model, models in order of inductive bias', () => {
    expect(panels).toHaveLength(20);
    expect(panels.slice(0, 4).map(({ title }) => (title as FigureSpec).text)).toEqual([
      'DeiT-S',
      'Swin-T',
      'InceptionV3',
      'ResNet50',
    ]);
  });

  it('have the mean over seeds of every pair in its square', () => {
    const cells = dataOf(panels[3] ?? {}, 'cka');
    const { taps } = fixtureModel('resnet50');
    expect(cells).toHaveLength(taps.length ** 2);
    for (const { left, right, cka } of cells) {
      const place = { data: 'aptos2019', model: 'resnet50', init: 'wt' };
      const pair = { of: String(left), detail: String(right) };
      expect(cka).toBe(meanOf({ ...place, measure: 'cka initial/best', ...pair }));
    }
  });

  it('go from the input at the lower left to the output', () => {
    const { taps } = fixtureModel('resnet50');
    expect(domainsOf(panels[3] ?? {}, 'x')).toEqual(taps);
    expect(domainsOf(panels[3] ?? {}, 'y')).toEqual([...taps].reverse());
  });

  it('share one colour scale from 0 to 1', () => {
    const scales = panels.map(({ layer }) => {
      const [squares] = layer as { encoding: { color: { scale: unknown } } }[];
      return JSON.stringify(squares?.encoding.color.scale);
    });
    expect([...new Set(scales)]).toEqual([
      JSON.stringify({ domain: [0, 1], clamp: true, range: 'heatmap' }),
    ]);
  });

  it('leave undefined pairs without colour, with a cross, and name their tap', () => {
    const summary = {
      ...paper,
      findings: paper.findings.map((row) => {
        const isGone =
          row.measure === 'cka initial/best' &&
          row.init === 'st' &&
          row.model === 'resnet50' &&
          row.data === 'ddsm' &&
          (row.of === 'conv1' || row.detail === 'conv1');
        return isGone ? { ...row, value: undefined, undefinedRuns: 5 } : row;
      }),
    };
    const [gapped] = figure12.draw(summary);
    const panel = panelsOf(gapped?.spec ?? {})[7] ?? {};
    const all = dataOf(panel, 'left');
    const coloured = dataOf(panel, 'cka');
    expect(coloured).toHaveLength(16 * 16);
    expect(all).toHaveLength(17 * 17);
    expect(coloured.some(({ left, right }) => left === 'conv1' || right === 'conv1')).toBe(false);
    expect(gapped?.caption).toContain('conv1 of ResNet50 on ddsm');
  });

  it('compare WT with ST by pairs, also at the class token, which the first tap has not', () => {
    const [pairs] = figure10.draw(paper);
    const cell = dataOf(panelsOf(pairs?.spec ?? {})[3] ?? {}, 'cka')[18];
    // The second row of seventeen, its second square.
    const { taps: taps50 } = fixtureModel('resnet50');
    expect([cell?.left, cell?.right]).toEqual([taps50[1], taps50[1]]);
    const place = { data: 'aptos2019', model: 'resnet50', init: 'wt against st' };
    const pair = { of: String(cell?.left), detail: String(cell?.right) };
    expect(cell?.cka).toBe(meanOf({ ...place, measure: 'cka best', ...pair }));

    const [tokens] = figure11.draw(paper);
    const panels11 = panelsOf(tokens?.spec ?? {});
    expect(panels11).toHaveLength(3 * 5);
    const { taps } = fixtureModel('deit_small');
    expect(domainsOf(panels11[0] ?? {}, 'x')).toEqual(taps.slice(1));
    expect(domainsOf(panels11[5] ?? {}, 'x')).toEqual(taps);
  });

  it('of figure 3 are the mean over data sets', () => {
    const [digest] = figure03.draw(paper);
    const cell = dataOf(panelsOf(digest?.spec ?? {})[1] ?? {}, 'cka')[20];
    const values = paper.axes.data.map((data) =>
      meanOf({
        data,
        model: 'resnet50',
        init: 'wt',
        measure: 'cka initial/best',
        of: String(cell?.left),
        detail: String(cell?.right),
      }),
    );
    const sum = values.reduce<number>((total, value) => total + (value ?? Number.NaN), 0);
    expect(cell?.cka).toBeCloseTo(sum / 5, 12);
    expect(digest?.caption).toContain('The mean over 5 data sets');
  });

  it('go on in further figures where a study has many models', () => {
    const findings = paper.findings.filter(
      ({ measure, model }) => measure === 'cka initial/best' && model === 'resnet50',
    );
    const models = Array.from({ length: 6 }, (_, at) => `resnet50_${at}`);
    const many = {
      ...paper,
      axes: { ...paper.axes, models },
      findings: models.flatMap((model) => findings.map((row) => ({ ...row, model }))),
    };
    const figures = figure09.draw(many);
    expect(figures.map(({ id }) => id)).toEqual(['figure-09-cka-wt-1', 'figure-09-cka-wt-2']);
    expect(figures.flatMap(({ spec }) => panelsOf(spec))).toHaveLength(6 * 5);
  });
});

describe('lines over taps', () => {
  it('of k-NN hold the mean over seeds, class token and patches together where there are both', () => {
    const [figure] = figure13.draw(paper);
    // Legend, then panels.
    const panel = panelsOf(figure?.spec ?? {})[1] ?? {};
    expect(domainsOf(panel, 'x')).toEqual(fixtureModel('deit_small').taps);
    const place = { data: 'aptos2019', model: 'deit_small', init: 'wt', measure: 'knn' };
    const points = dataOf(panel, 'value').filter(({ series }) => series === 'WT');
    expect(points).toHaveLength(25);
    for (const { tap, value } of points) {
      const detail = tap === 'patch_embed' ? 'spatial' : 'both';
      expect(value).toBe(meanOf({ ...place, of: String(tap), detail }));
    }
  });

  it('name what is undefined and do not draw it', () => {
    const summary = {
      ...small,
      findings: small.findings.map((row) =>
        row.measure === 'knn' && row.of === 'layer1.0' && row.init === 'st'
          ? { ...row, value: undefined, undefinedRuns: 2 }
          : row,
      ),
    };
    const [figure] = figure13.draw(summary);
    const points = panelsOf(figure?.spec ?? {}).flatMap((panel) => dataOf(panel, 'value'));
    const there = points.filter(({ tap }) => tap === 'layer1.0').map(({ series }) => series);
    expect(there.sort()).toEqual(['RI', 'WT']);
    expect(figure?.caption).toContain('layer1.0 of ResNet18 micro on dermoscopy (ST)');
    expect(JSON.stringify(figure?.spec)).not.toMatch(/null,"count"|NaN/);
  });

  it('show of a sweep what is nearest to quarters, and say which', () => {
    const [figure] = figure13.draw(paper);
    const panel = panelsOf(figure?.spec ?? {})[4] ?? {};
    const series = new Set(dataOf(panel, 'value').map((datum) => datum.series));
    expect([...series]).toEqual(['RI', 'ST', '¼ WT', '½ WT', '¾ WT', 'WT']);
    const half = dataOf(panel, 'value').find(
      (datum) => datum.series === '½ WT' && datum.tap === 'layer2.0',
    );
    const place = { data: 'aptos2019', model: 'resnet50', measure: 'knn', detail: 'spatial' };
    expect(half?.value).toBe(meanOf({ ...place, init: 'WT-ST-3/3', of: 'layer2.0' }));
    expect(figure?.caption).toMatch(
      /½ WT is WT-ST-7\/7 of DeiT-S and Swin-T.*WT-ST-3\/3 of ResNet50/,
    );
  });

  it('of drift average only the data sets that have a number', () => {
    const tap = { model: 'resnet50', init: 'wt', measure: 'l2', of: 'layer1.1', detail: '' };
    const summary = {
      ...paper,
      findings: paper.findings.map((row) =>
        row.data === 'ddsm' && row.measure === 'l2' && row.of === 'layer1.1'
          ? { ...row, value: undefined, undefinedRuns: 5 }
          : row,
      ),
    };
    const [figure] = figure04.draw(summary);
    const panel = panelsOf(figure?.spec ?? {})[4] ?? {};
    const point = dataOf(panel, 'value').find(
      (datum) => datum.series === 'WT' && datum.tap === 'layer1.1',
    );
    const others = ['aptos2019', 'isic2019', 'chexpert', 'camelyon'];
    const sum = others.reduce((total, data) => total + (meanOf({ ...tap, data }) ?? 0), 0);
    expect(point?.value).toBeCloseTo(sum / 4, 14);
    expect(point?.count).toBe(4);
    expect(figure?.caption).toContain('means over 4 to 5 data sets');
  });

  it('of re-initialisation begin with the network as trained', () => {
    const [figure] = figure16.draw(paper);
    const panel = panelsOf(figure?.spec ?? {})[4] ?? {};
    const start = dataOf(panel, 'value').find(
      ({ series, tap }) => series === 'ST' && tap === 'as trained',
    );
    const cell = paper.table.cells.find(
      ({ data, model, init }) => data === 'aptos2019' && model === 'resnet50' && init === 'st',
    );
    expect(start?.value).toBe(cell?.metric?.mean);
    expect(domainsOf(panel, 'x')).toEqual(['as trained', ...fixtureModel('resnet50').taps]);
    expect(panelsOf(figure05.draw(paper)[0]?.spec ?? {})).toHaveLength(1 + 2 * 5);
  });

  it('have the highest of all depths by WT fraction', () => {
    const [figure] = figure06.draw(paper);
    const panels = panelsOf(figure?.spec ?? {});
    // Two legends, two rows by tap, one row of the best.
    expect(panels).toHaveLength(2 + 3 * 5);
    const best = dataOf(panels[12] ?? {}, 'value').find(
      ({ model, init }) => model === 'ResNet50' && init === 'WT-ST-3/3',
    );
    const values = fixtureModel('resnet50').taps.map((of) =>
      meanOf({
        data: 'aptos2019',
        model: 'resnet50',
        init: 'WT-ST-3/3',
        measure: 'knn',
        of,
        detail: 'spatial',
      }),
    );
    expect(best?.value).toBe(Math.max(...values.map((value) => value ?? 0)));
    expect(best?.fraction).toBe(0.5);
  });

  it('of attention have heads, their mean, and attention to all alike', () => {
    const figures = figure18.draw(paper);
    expect(figures).toHaveLength(4);
    const panel = panelsOf(figures[0]?.spec ?? {})[1] ?? {};
    const points = dataOf(panel, 'distance').filter(({ series }) => series === 'WT');
    const place = { data: 'aptos2019', model: 'deit_small', init: 'wt', measure: 'attention' };
    expect(points).toHaveLength(12 * (6 + 1));
    for (const { block, head, distance } of points) {
      const of = `blocks.${block}.attn`;
      expect(distance).toBe(meanOf({ ...place, of, detail: String(head) }));
    }
    expect(dataOf(panel, 'distance').find((datum) => !('series' in datum))?.distance).toBe(116.81);
  });
});

describe('all figures by tap', () => {
  it('are not there where the study has nothing for them', () => {
    const empty = { ...small, findings: [] };
    for (const kind of kinds) expect(kind.draw(empty)).toEqual([]);
  });

  it('are drawn of a small study without warnings, captions with everything that belongs there', async () => {
    const warnings: string[] = [];
    for (const kind of kinds) {
      const figures = kind.draw(small);
      expect(figures.length, kind.id).toBeGreaterThan(0);
      for (const { id, spec, caption } of figures) {
        expect(id.startsWith(kind.id)).toBe(true);
        const svg = await renderSvg(spec, { onWarning: (text) => warnings.push(`${id}: ${text}`) });
        expect(svg).toContain('<path');
        expect(caption).toMatch(/dermoscopy 480.*2 seeds planned.*bf16.*A100/);
        expect(caption).not.toMatch(/undefined\b(?! and)|NaN/i);
      }
    }
    expect(warnings).toEqual([]);
  });

  it('of the paper’s study stay below 3 MB, drawn in seconds', async () => {
    for (const kind of [figure09, figure13, figure16]) {
      for (const { spec } of kind.draw(paper)) {
        expect((await renderSvg(spec)).length).toBeLessThan(3e6);
      }
    }
  });
});
