/** What captions and legends say is what their figures show. */
import { describe, expect, it } from 'vitest';
import { leftOut, repeats } from '../../src/figures/caption.ts';
import { curveSeries, hiddenCurves } from '../../src/figures/convergence.ts';
import { extraLearningCurves } from '../../src/figures/extraLearningCurves.ts';
import type { Figure, FigureKind } from '../../src/figures/figure.ts';
import { figure02 } from '../../src/figures/figure02.ts';
import { figure03 } from '../../src/figures/figure03.ts';
import { figure04 } from '../../src/figures/figure04.ts';
import { figure06 } from '../../src/figures/figure06.ts';
import { figure08 } from '../../src/figures/figure08.ts';
import { figure11 } from '../../src/figures/figure11.ts';
import { figure14 } from '../../src/figures/figure14.ts';
import { figure15 } from '../../src/figures/figure15.ts';
import { figure18 } from '../../src/figures/figure18.ts';
import { figure19 } from '../../src/figures/figure19.ts';
import { type FractionPanel, panelWords } from '../../src/figures/fractionPanels.ts';
import { figureKinds, renderSvg } from '../../src/figures/index.ts';
import type { AnalysisRow, LearningCurve, StudySummary } from '../../src/results/index.ts';
import { paperSummary, smallSummary } from './summaryFixture.ts';

const paper = paperSummary();
const small = smallSummary();

function captionOf(kind: FigureKind, summary: StudySummary): string {
  const [figure] = kind.draw(summary);
  expect(figure, kind.id).toBeDefined();
  return figure?.caption ?? '';
}

/** A study some of whose findings are undefined in every run. */
function without(summary: StudySummary, isGone: (row: AnalysisRow) => boolean): StudySummary {
  const findings = summary.findings.map((row) =>
    isGone(row) ? { ...row, value: undefined, undefinedRuns: 2 } : row,
  );
  return { ...summary, findings };
}

/** Every object of a specification that has some fields. */
function found(spec: unknown, ...fields: string[]): Record<string, unknown>[] {
  if (spec === null || typeof spec !== 'object') return [];
  const own = spec as Record<string, unknown>;
  return [
    ...(fields.every((field) => field in own) ? [own] : []),
    ...Object.values(own).flatMap((value) => found(value, ...fields)),
  ];
}

describe('captions', () => {
  it.each([figure02, figure14, figure15, figure19])(
    'of $id say bands where bands are drawn, and bars where bars are',
    (kind) => {
      expect(captionOf(kind, paper)).toMatch(/ Bands: /);
      expect(captionOf(kind, small)).toMatch(/ Bars: /);
    },
  );

  it('say bars of three points, and both where panels differ', () => {
    const panel = (points: number): FractionPanel => ({
      title: '',
      y: '',
      lines: [
        {
          label: 'a',
          points: Array.from({ length: points }, (_, at) => ({
            fraction: at,
            value: { mean: 1, deviation: 0.1, count: 2 },
          })),
        },
      ],
    });
    expect(panelWords([panel(3)])).toMatch(/^Points are means of 2 runs\. Bars: /);
    expect(panelWords([panel(4)])).toContain('Bands: ');
    expect(panelWords([panel(3), panel(4)])).toContain('Bands and bars: ');
  });

  it('give the images of the data sets that are shown, whatever their names', () => {
    const named = (name: string): string => (name === 'ddsm' ? 'ddsm (left)' : name);
    const summary = {
      ...paper,
      axes: { ...paper.axes, data: paper.axes.data.map(named) },
      data: paper.data.map((set) => ({ ...set, name: named(set.name) })),
      curves: paper.curves
        .filter(({ data }) => data !== 'isic2019')
        .map((curve) => ({
          ...curve,
          ...(curve.data === undefined ? {} : { data: named(curve.data) }),
        })),
      table: { ...paper.table, cells: [] },
    };
    for (const kind of [figure02, figure19]) {
      const caption = captionOf(kind, summary);
      expect(caption).toMatch(/Images: .*ddsm \(left\) 10,/);
      expect(caption).not.toContain('isic2019 ');
    }
  });

  it('name the taps of CKA that have no number with any other, and not those that they meet', () => {
    const [tap, other] = ['blocks.1.attn', 'blocks.2.attn'];
    const isOf = ({ of, detail }: AnalysisRow): boolean => of === tap || detail === tap;
    const across = without(
      paper,
      (row) => row.data === 'ddsm' && row.model === 'deit_small' && isOf(row),
    );
    expect(captionOf(figure03, across)).toContain(
      `Undefined on some data sets, and the mean is over the others: ${tap} of DeiT-S. `,
    );
    const single = without(
      paper,
      (row) => row.data === 'ddsm' && row.of === tap && row.detail === other,
    );
    expect(captionOf(figure03, single)).not.toContain('Undefined');
  });

  it('name a tap that is undefined at the class token alone', () => {
    const tap = 'blocks.1.attn';
    const summary = without(
      small,
      ({ measure, of, detail }) => measure === 'cka best cls' && (of === tap || detail === tap),
    );
    expect(captionOf(figure11, summary)).toContain(
      `Undefined and drawn as a cross: ${tap} of DeiT micro on dermoscopy (class token).`,
    );
  });

  it('say which validation curves are not shown', () => {
    const [first] = paper.learningCurves;
    const curves = ['ri', 'st', 'WT-ST-1/5', 'WT-ST-2/4', 'WT-ST-3/3', 'wt'].map(
      (init) => ({ ...first, init, schedule: 'constant' }) as LearningCurve,
    );
    const caption = captionOf(figure08, { ...paper, learningCurves: curves });
    expect(caption).toContain('RI, ST and WT alone are shown; 3 initialisations in between');
    expect(hiddenCurves(curves, curveSeries(curves))).not.toBe('');
    const few = curves.filter(({ init }) => init === 'ri' || init === 'wt');
    expect(hiddenCurves(few, curveSeries(few))).toBe('');
  });

  it('count what is there, also where nothing is', () => {
    expect(repeats([3, 5, 4])).toBe('3 to 5 runs');
    expect(repeats([1, 1], 'data set')).toBe('1 data set');
    expect(repeats([], 'data set')).toBe('no data sets');
    expect(leftOut(['a', 'a', 'b'], 'Not moved')).toBe('Not moved: a and b.');
    expect(
      captionOf(
        figure04,
        without(paper, ({ measure }) => measure === 'l2'),
      ),
    ).not.toMatch(/Infinity|NaN/);
  });
});

describe('legends', () => {
  it('have the curves in the order of tables', () => {
    const inits = ['wt', 'WT-ST-10/4', 'WT-ST-2/12', 'st', 'ri'];
    const curves = inits.map(
      (init): LearningCurve => ({
        data: 'a',
        model: 'b',
        init,
        seed: 0,
        metric: 'auc',
        schedule: 'plateau',
        points: [],
      }),
    );
    expect(curveSeries(curves).map(({ label }) => label)).toEqual([
      'RI',
      'ST',
      'WT-ST-2/12',
      'WT-ST-10/4',
      'WT',
    ]);
  });

  it('name no model that no panel of figure 14 shows', () => {
    // Of ddsm there is one point, so that it has no panel.
    const findings = paper.findings.filter(
      ({ measure, model, data, init }) =>
        measure !== 'knn' ||
        (data === 'ddsm' ? model === 'swin_tiny' && init === 'wt' : model === 'resnet50'),
    );
    const [figure] = figure14.draw({ ...paper, findings });
    const labels = found(figure?.spec, 'label', 'dash').map(({ label }) => label);
    expect(labels).toEqual(['ResNet50', 'RI']);
    expect(figure?.caption).not.toContain('ddsm');
  });
});

describe('the best k-NN metric of all depths', () => {
  it('is the same in figures 6 and 14, also where a tap lacks an embedding', () => {
    // The best tap has no joint embedding, as a tap before the class token has none.
    const findings = paper.findings.flatMap((row) => {
      if (row.measure !== 'knn' || row.model !== 'deit_small' || row.of !== 'patch_embed')
        return row;
      return row.value ? { ...row, value: { ...row.value, mean: 0.99 } } : row;
    });
    const summary = { ...paper, findings };
    const six = found(figure06.draw(summary)[0]?.spec, 'model', 'init', 'tap', 'fraction')
      .filter(({ model, init }) => model === 'DeiT-S' && init !== 'RI')
      .map(({ value }) => value);
    const fourteen = found(figure14.draw(summary)[0]?.spec, 'series', 'fraction', 'runs')
      .filter(({ series, fraction }) => series === 'DeiT-S' && Number(fraction) >= 0)
      .map(({ value }) => value);
    expect(new Set(six)).toEqual(new Set([0.99]));
    expect(fourteen).toEqual(expect.arrayContaining([0.99]));
    const panels = fourteen.filter((value) => value === 0.99);
    expect(panels.length).toBeGreaterThanOrEqual(paper.axes.data.length * 15);
  });
});

describe('figures of attention', () => {
  const attention = ({ measure }: AnalysisRow): boolean => measure === 'attention';

  it('leave out a data set without a mean, and name its taps', async () => {
    const summary = without(
      paper,
      (row) => attention(row) && row.data === 'ddsm' && row.model === 'deit_small',
    );
    const [figure] = figure18.draw(summary);
    const titles = found(figure?.spec, 'anchor').map(({ text }) => text);
    expect(titles).toEqual([
      'aptos2019',
      'isic2019',
      'chexpert',
      'camelyon',
      'mean over data sets',
    ]);
    expect(figure?.caption).toContain('blocks.0.attn on ddsm (RI)');
    expect(figure?.caption).toContain('The last panel is the mean over 4 data sets');
    expect(await renderSvg(figure?.spec ?? {})).not.toMatch(/Infinity|NaN/);
  });

  it('are none where no mean is defined', () => {
    expect(figure18.draw(without(paper, attention))).toEqual([]);
  });
});

describe('figures of one model or one data set', () => {
  it('say which model', () => {
    const figures: Figure[] = figureKinds.flatMap((kind) => kind.draw(paper));
    const models = (start: string): (string | undefined)[] =>
      figures.filter(({ id }) => id.startsWith(start)).map(({ model }) => model);
    expect(models('figure-11')).toEqual(['deit_small']);
    for (const start of ['figure-15', 'figure-18']) {
      expect(models(start)).toEqual(['deit_small', 'deit_tiny', 'deit_base', 'deit_small:5']);
    }
    expect(models(extraLearningCurves.id)).toEqual(paper.axes.models);
    expect(models('extra-linear-probe')).toEqual(paper.axes.models);
    expect(models('figure-02')).toEqual([undefined]);
    // Its title names models, and it is of neither alone.
    expect(figures.find(({ id }) => id === 'figure-05-reinit')).toMatchObject({
      title: 'Robustness to putting one tap back, DeiT-S and ResNet50',
    });
    expect(models('figure-05')).toEqual([undefined]);
  });

  it('say which data set: where a study has taken a measure of one alone', () => {
    const isElsewhere = (row: AnalysisRow): boolean => row.measure === 'knn' && row.data !== 'ddsm';
    const summary = { ...paper, findings: paper.findings.filter((row) => !isElsewhere(row)) };
    const sets = (start: string): (string | undefined)[] => [
      ...new Set(
        figureKinds
          .filter(({ id }) => id.startsWith(start))
          .flatMap((kind) => kind.draw(summary).map(({ data }) => data)),
      ),
    ];
    for (const start of ['figure-06', 'figure-13', 'figure-14', 'figure-15']) {
      expect(sets(start), start).toEqual(['ddsm']);
    }
    for (const start of ['figure-02', 'figure-05', 'figure-17', 'table-04']) {
      expect(sets(start), start).toEqual([undefined]);
    }
  });
});
