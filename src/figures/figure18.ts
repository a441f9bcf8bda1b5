/**
 * Figure 18: mean attended distance by block for several WT fractions, its heads as dots, one panel a data
 * set and one with the mean over them; one figure a vision transformer. The paper has no heads and no
 * reference; attention to all patches alike is one.
 */
import type { StudySummary } from '../results/index.ts';
import { counted } from '../util/index.ts';
import { leftOut, provenance, repeats, sentences } from './caption.ts';
import { aloneOf, type Figure, type FigureKind, type FigureSpec } from './figure.ts';
import { panelTitle } from './grid.ts';
import { modelLabel } from './labels.ts';
import { legendRow } from './legend.ts';
import { fileName } from './pages.ts';
import { averageFindings, distinct, findSettings, type Setting } from './settings.ts';
import { explainShown, type ShownInit, shownInits } from './shownInits.ts';
import { seriesEncoding } from './styles.ts';
import { domainOf } from './tapLines.ts';
import { told } from './told.ts';

export const figure18: FigureKind = {
  id: 'figure-18-attention',
  paper: 'Figure 18',
  needs: 'attended distances of a vision transformer with attention to the whole image',
  draw: (summary) => {
    const settings = findSettings(
      summary,
      ({ measure }) => measure === 'attention' || measure === 'attention of all alike',
    );
    const models = distinct(settings.map(({ model }) => model));
    const figures = models.flatMap(
      (model) =>
        draw(
          summary,
          model,
          settings.filter((setting) => setting.model === model),
        ) ?? [],
    );
    return figures.length === 1
      ? figures
      : figures.map((figure) => ({ ...figure, id: `${figure.id}-${fileName(figure.model)}` }));
  },
};

/** Pixels of a panel. */
const WIDTH = 260;

interface AttentionPoint {
  series: string;
  block: number;
  /** Block, and a little to its side for each initialisation, so that heads do not cover each other. */
  place: number;
  head: string;
  distance: number;
}

interface AttentionPanel {
  title: string;
  means: AttentionPoint[];
  heads: AttentionPoint[];
  uniform?: number;
}

/** The figure of a model; nothing where no data set has a mean over heads. */
function draw(
  summary: StudySummary,
  model: string,
  settings: readonly Setting[],
): (Figure & { model: string }) | undefined {
  const sets = summary.axes.data.filter((name) => settings.some((one) => one.data === name));
  const shown = shownInits(summary.axes, [model]);
  const gaps: string[] = [];
  // A panel without any mean has no blocks on its axis; its taps are named as undefined.
  const panels = sets
    .map((name) =>
      panelOf(
        name,
        shown,
        settings.filter((setting) => setting.data === name),
        (tap, label) => gaps.push(`${tap} on ${name} (${label})`),
      ),
    )
    .filter(({ means }) => means.length > 0);
  if (panels.length === 0) return undefined;
  const data = panels.map((panel) => panel.title);
  if (data.length > 1) {
    // Heads of different networks are not the same heads: their mean says nothing.
    const { heads: _, ...average } = panelOf('mean over data sets', shown, settings, () => {});
    panels.push({ ...average, heads: [] });
  }
  const used = shown.filter(({ label }) =>
    panels.some(({ means }) => means.some(({ series }) => series === label)),
  );
  const distances = panels.flatMap(({ means, heads, uniform }) => [
    ...means.map(({ distance }) => distance),
    ...heads.map(({ distance }) => distance),
    ...(uniform === undefined ? [] : [uniform]),
  ]);
  const domain = domainOf(distances);
  const counts = settings.flatMap(({ rows }) => rows.flatMap(({ value }) => value?.count ?? []));
  const columns = panels.length > 4 ? 3 : Math.min(2, panels.length);
  const title = `Mean attended distance by block, ${modelLabel(model)}`;
  const uniform = panels.find((panel) => panel.uniform !== undefined)?.uniform;
  return {
    id: figure18.id,
    paper: figure18.paper,
    title,
    ...aloneOf([], data),
    model,
    spec: {
      title,
      vconcat: [
        legendRow(used, columns * WIDTH, 'initialisation'),
        {
          concat: panels.map((panel) => attentionPanel(panel, used, domain)),
          columns,
          spacing: 18,
        },
      ],
      spacing: 14,
    },
    caption: sentences(
      `How far the attention of ${modelLabel(model)} reaches, in pixels between the centres of patches, over all patch queries of the test images, after fine-tuning. Lines are means over heads, dots are heads, a little apart by initialisation.`,
      uniform === undefined
        ? ''
        : `The dotted line is attention to all patches alike, ${uniform.toFixed(1)} pixels.`,
      data.length > 1
        ? `The last panel is the mean over ${counted(data.length, 'data set')}, of those that have a point.`
        : '',
      explainShown(shown, [model]),
      `Points are means of ${repeats([...new Set(counts)])}.`,
      leftOut(gaps),
      provenance(summary, data),
    ),
  };
}

/** The block's own number where its name has one, else its place. */
function blockOf(tap: string, taps: readonly string[]): number {
  const number = /^blocks\.(\d+)\./.exec(tap)?.[1];
  return number === undefined ? taps.indexOf(tap) : Number(number);
}

/** Means over the settings given, which differ in their data set: one for a data set's own panel. */
function panelOf(
  title: string,
  shown: readonly ShownInit[],
  settings: readonly Setting[],
  onGap: (tap: string, label: string) => void,
): AttentionPanel {
  const [model] = settings.map((setting) => setting.model);
  const panel: AttentionPanel = { title, means: [], heads: [] };
  for (const [at, { label, inits }] of shown.entries()) {
    const init = inits.get(model ?? '');
    const own = settings
      .filter((setting) => setting.init === init)
      .map((setting) => ({
        ...setting,
        rows: setting.rows.filter(({ measure }) => measure === 'attention'),
      }));
    const average = averageFindings(own);
    const taps = distinct(average.map(({ of }) => of));
    for (const { of, detail, mean } of average) {
      if (mean === undefined) {
        if (detail === 'mean') onGap(of, label);
        continue;
      }
      const block = blockOf(of, taps);
      const isMean = detail === 'mean';
      const place = isMean ? block : block + (at - (shown.length - 1) / 2) * 0.12;
      (isMean ? panel.means : panel.heads).push({
        series: label,
        block,
        place,
        head: detail,
        distance: mean,
      });
    }
  }
  const uniform = settings
    .flatMap(({ rows }) => rows)
    .find(({ measure, value }) => measure === 'attention of all alike' && value)?.value?.mean;
  return { ...panel, ...(uniform === undefined ? {} : { uniform }) };
}

function attentionPanel(
  { title, means, heads, uniform }: AttentionPanel,
  shown: readonly ShownInit[],
  domain: [number, number] | undefined,
): FigureSpec {
  const { color, strokeDash, shape } = seriesEncoding('series', shown);
  const blocks = distinct(means.map(({ block }) => block));
  const x = {
    field: 'place',
    type: 'quantitative',
    title: 'block',
    scale: { domain: [Math.min(...blocks) - 0.5, Math.max(...blocks) + 0.5], nice: false },
    axis: { values: blocks, format: 'd', grid: false },
  };
  const y = {
    field: 'distance',
    type: 'quantitative',
    title: 'attended distance, pixels',
    scale: { zero: false, ...(domain ? { domain, nice: false } : {}) },
    axis: { tickCount: 5 },
  };
  const { description, tooltip } = told([
    { field: 'series', title: 'initialisation' },
    { field: 'block', title: 'block', format: 'd' },
    { field: 'head', title: 'head' },
    { field: 'distance', title: 'pixels', format: '.2f' },
  ]);
  const alike = told([
    { field: 'distance', title: 'attention to all patches alike, pixels', format: '.2f' },
  ]);
  return {
    title: panelTitle(title, WIDTH),
    width: WIDTH,
    height: 190,
    layer: [
      ...(uniform === undefined
        ? []
        : [
            {
              data: { values: [{ distance: uniform }] },
              mark: {
                type: 'rule',
                strokeDash: [2, 3],
                strokeWidth: 1.25,
                description: alike.description,
              },
              encoding: { y, tooltip: alike.tooltip },
            },
          ]),
      {
        data: { values: heads },
        mark: { type: 'point', size: 9, filled: true, opacity: 0.6, aria: false },
        encoding: { x, y, color, tooltip },
      },
      {
        data: { values: means },
        mark: { type: 'line', strokeWidth: 1.5, aria: false },
        encoding: { x, y, color, strokeDash },
      },
      {
        data: { values: means },
        mark: { type: 'point', size: 26, filled: true, description },
        encoding: { x, y, color, shape, tooltip },
      },
    ],
  };
}
