/** The figures of studies: what they show of a full, a small and an empty one, and their files. */
import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import {
  drawFigures,
  type Figure,
  type FigureKind,
  figureKinds,
  renderSvg,
  writeFigures,
} from '../../src/figures/index.ts';
import type { StudySummary } from '../../src/results/index.ts';
import { paperSummary, smallSummary } from './summaryFixture.ts';

/** Kinds that are made of results and curves; those by tap have tests of their own. */
const ofCurves =
  /^(figure-(01|02|07|08|14|15|19)|table-04|extra-(learning-curves|linear-probe|calibration))/;
const kinds = figureKinds.filter(({ id }) => ofCurves.test(id));

const paper = paperSummary();
const small = smallSummary();

function empty(summary: StudySummary): StudySummary {
  return {
    ...summary,
    rows: [],
    table: {
      ...summary.table,
      cells: summary.table.cells.map(({ data, model, init }) => ({
        data,
        model,
        init,
        finishedSeeds: [],
        missingSeeds: summary.axes.seeds,
        undefinedRuns: [],
      })),
      comparisons: summary.table.comparisons.map(({ data, model }) => ({
        data,
        model,
        transfer: { reason: 'no runs to compare' },
        reuse: { reason: 'no runs to compare' },
      })),
    },
    comparisons: [],
    curves: [],
    findings: [],
    learningCurves: [],
    environment: { precisions: [], devices: [], threads: [], versions: {} },
  };
}

/** Shapes of marks with data, those of legends and axes left out. */
function countMarks(svg: string): number {
  const groups = svg.matchAll(
    /class="mark-(?:symbol|line|rect|area|rule) role-mark[^"]*"[^>]*>(.*?)<\/g>/gs,
  );
  return [...groups].reduce(
    (sum, [, inside = '']) => sum + (inside.match(/<(?:path|line)/g)?.length ?? 0),
    0,
  );
}

async function drawn(figure: Figure): Promise<string> {
  const warnings: string[] = [];
  const svg = await renderSvg(figure.spec, { onWarning: (text) => warnings.push(text) });
  expect(warnings, figure.id).toEqual([]);
  const texts = [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text);
  expect(texts.length, figure.id).toBeGreaterThan(3);
  for (const text of texts) expect(text, figure.id).not.toMatch(/NaN|undefined|null|Infinity/);
  expect(svg, figure.id).not.toMatch(/[(,"]NaN/);
  return svg;
}

describe('figures of a full study', () => {
  it.each(kinds.map((kind) => [kind.id, kind] as const))('%s', async (id, kind) => {
    const summary = id === 'extra-calibration' ? withReliability(paper) : paper;
    const figures = kind.draw(summary);
    expect(figures.length).toBeGreaterThan(0);
    expect(new Set(figures.map((figure) => figure.id)).size).toBe(figures.length);
    for (const figure of figures) {
      expect(figure.id.startsWith(id)).toBe(true);
      expect(figure.paper).toBe(kind.paper);
      expect(figure.caption).toMatch(/5 seeds planned\. Computed with precision bf16, device/);
      expect(figure.caption).not.toMatch(/NaN|undefined (?!and)|null| {2}/);
      expect(countMarks(await drawn(figure)), figure.id).toBeGreaterThan(5);
    }
  });

  it('has the numbers of the table in figure 1', () => {
    const [figure] = kindOf('figure-01').draw(paper);
    const { values } = (figure as Figure).spec.data as { values: Record<string, unknown>[] };
    // One model a family.
    expect(values).toHaveLength(5 * 4);
    const dot = values.find(({ model, data }) => model === 'DeiT-S' && data === 'isic2019');
    const comparison = paper.table.comparisons.find(
      ({ model, data }) => model === 'deit_small' && data === 'isic2019',
    );
    expect(dot).toMatchObject({
      gain: comparison?.transfer.value,
      reuse: comparison?.reuseNormalised,
      place: 141,
      images: paper.data.find(({ name }) => name === 'isic2019')?.counts?.train,
    });
  });

  it('says the order of data sets in figure 1 where a distance is missing', () => {
    const data = paper.data.map(({ frechet, ...rest }, at) =>
      at === 2 ? rest : { ...rest, frechet },
    );
    const [figure] = kindOf('figure-01').draw({ ...paper, data });
    expect(figure?.caption).toContain('in the order of the study');
    expect(figure?.caption).not.toContain('Fréchet distance to the source (');
  });

  it('takes the best tap in figure 14', () => {
    const [figure] = kindOf('figure-14').draw(paper);
    const best = Math.max(
      ...paper.findings
        .filter(
          ({ measure, model, data, init, detail }) =>
            measure === 'knn' &&
            model === 'resnet50' &&
            data === 'isic2019' &&
            init === 'wt' &&
            detail === 'spatial',
        )
        .map(({ value }) => value?.mean ?? 0),
    );
    expect(JSON.stringify(figure?.spec)).toContain(
      `{"series":"ResNet50","fraction":1,"kept":1,"value":${best},`,
    );
  });

  it('names what is undefined and does not draw it', () => {
    const curves = paper.curves.map((curve) =>
      curve.data === 'ddsm' && curve.model === 'resnet50'
        ? {
            ...curve,
            points: curve.points.map((point) =>
              point.kept === 3 ? { ...point, metric: undefined } : point,
            ),
          }
        : curve,
    );
    const [figure] = kindOf('figure-02').draw({ ...paper, curves });
    expect(figure?.caption).toContain('not drawn: ResNet50 on ddsm with 3 kept');
    const [whole] = kindOf('figure-02').draw(paper);
    const points = (one: Figure | undefined): number =>
      JSON.stringify(one?.spec).match(/"series":"ResNet50","fraction":0.5,/g)?.length ?? 0;
    expect(points(figure)).toBeLessThan(points(whole));
  });
});

describe('figures of a small study', () => {
  it('join ST and WT where there is nothing between them', async () => {
    const [figure] = kindOf('figure-02').draw(small);
    expect(figure?.caption).toContain('no WT-ST-n/m between');
    // Two models: a line and two points each and a star, with bars; the gains; the legend.
    expect(countMarks(await drawn(figure as Figure))).toBeGreaterThan(12);
  });
});

describe('figures of a study without a finished run', () => {
  it('are none, and say what they need', () => {
    for (const summary of [empty(paper), empty(small)]) {
      const { figures, missing } = drawFigures(summary);
      expect(figures.map(({ id }) => id)).toEqual([]);
      expect(missing.map(({ id }) => id)).toEqual(figureKinds.map(({ id }) => id));
      for (const { needs, problem } of missing) {
        expect(needs).not.toBe('');
        expect(problem).toBeUndefined();
      }
    }
  });
});

describe('files of figures', () => {
  const two = kinds.filter(({ id }) => /^figure-(01|07)/.test(id));

  it('are there whole, are the same twice, and an index says what is there', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'carryover-figures-'));
    const index = await writeFigures(small, folder, { kinds: two });
    expect(index.figures.map(({ id }) => id)).toEqual(['figure-01-transfer-gain']);
    expect(index.missing).toEqual([
      { id: 'figure-07-capacity', paper: 'Figure 7', needs: expect.stringContaining('sizes') },
    ]);
    expect(JSON.parse(await readFile(join(folder, 'index.json'), 'utf8'))).toEqual(index);
    const files = Object.values(index.figures[0]?.files ?? {});
    expect((await readdir(folder)).sort()).toEqual([...files, 'index.json'].sort());
    const read = () => Promise.all(files.map((name) => readFile(join(folder, name))));
    const before = await read();
    await writeFigures(small, folder, { kinds: two });
    expect(await read()).toEqual(before);
    const spec = JSON.parse(await readFile(join(folder, files[0] ?? ''), 'utf8'));
    expect(spec.$schema).toContain('vega-lite/v6.json');
    // Alone, a picture still says what it shows.
    const { title, caption } = index.figures[0] ?? { title: '', caption: '' };
    for (const svg of [String(before[1]), String(before[2])]) {
      expect(/<title id="figure-01-transfer-gain-title">([^<]*)<\/title>/.exec(svg)?.[1]).toBe(
        title,
      );
      expect(/<desc id="figure-01-transfer-gain-desc">([^<]*)<\/desc>/.exec(svg)?.[1]).toBe(
        caption,
      );
      expect(svg).toMatch(/^<svg[^>]* aria-labelledby="figure-01-transfer-gain-title"/);
    }
    expect(before[3] && textOf(before[3])).toEqual({ Title: title, Description: caption });
  });

  it('of an earlier time are removed, and no other file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'carryover-figures-'));
    const stale = ['figure-07-capacity-deit.svg', 'figure-07-capacity-deit.dark.svg'];
    const others = ['figure-07.svg', 'mine.png', 'figure-01-transfer-gain.txt'];
    for (const name of [...stale, ...others]) await writeFile(join(folder, name), 'x');
    await writeFigures(small, folder, { kinds: two });
    const names = await readdir(folder);
    expect(names).toEqual(expect.arrayContaining(others));
    for (const name of stale) expect(names).not.toContain(name);
  });

  it('are written where one figure fails', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'carryover-figures-'));
    const failing: FigureKind = {
      id: 'figure-98',
      paper: 'none',
      needs: 'nothing',
      draw: () => {
        throw new Error('a fault');
      },
    };
    const wrong: FigureKind = {
      ...failing,
      id: 'figure-99',
      draw: () => [
        { id: 'figure-99', paper: 'none', title: '', caption: '', spec: { mark: 'nothing' } },
      ],
    };
    const index = await writeFigures(small, folder, { kinds: [failing, wrong, ...two] });
    expect(index.figures.map(({ id }) => id)).toEqual(['figure-01-transfer-gain']);
    expect(index.missing[0]).toMatchObject({ id: 'figure-98', problem: 'a fault' });
    expect(index.missing.find(({ id }) => id === 'figure-99')?.problem).toBeTruthy();
  });
});

/** The text chunks of a PNG whose checks are right. */
function textOf(png: Buffer): Record<string, string> {
  const found: Record<string, string> = {};
  for (let at = 8; at < png.length; ) {
    const length = png.readUInt32BE(at);
    const body = png.subarray(at + 4, at + 8 + length);
    expect(png.readUInt32BE(at + 8 + length)).toBe(crc32(body));
    const [keyword = '', , , , , text] = body.toString('utf8', 4).split('\0');
    if (body.toString('latin1', 0, 4) === 'iTXt') found[keyword] = text ?? '';
    at += 12 + length;
  }
  return found;
}

function kindOf(start: string): FigureKind {
  const kind = kinds.find(({ id }) => id.startsWith(start));
  if (!kind) throw new Error(`no figure ${start}`);
  return kind;
}

/** With bins of confidence, as the analysis of calibration gives them; one has no image. */
function withReliability(summary: StudySummary): StudySummary {
  const bins = [0.1, 0.3, 0.5, 0.7, 0.9];
  const rows = ['ri', 'st', 'wt'].flatMap((init) =>
    bins.flatMap((at) =>
      ['confidence', 'frequency'].map((detail) => ({
        data: 'isic2019',
        model: 'resnet50',
        init,
        measure: 'reliability',
        of: `${at}`,
        detail,
        ...(at === 0.3
          ? { undefinedRuns: 5 }
          : {
              value: { mean: detail === 'confidence' ? at : at ** 1.2, count: 5 },
              undefinedRuns: 0,
            }),
      })),
    ),
  );
  return { ...summary, findings: [...summary.findings, ...rows] };
}
