/** Figures of CKA for every data set (rows) and model (columns): what figures 9, 10 and 12 share. */
import type { AnalysisRow, StudySummary } from '../results/index.ts';
import { listed } from '../util/index.ts';
import { leftOut, provenance, repeats, sentences } from './caption.ts';
import { aloneOf, type Figure, type FigureKind } from './figure.ts';
import { panelGrid } from './grid.ts';
import { byInductiveBias, modelLabel } from './labels.ts';
import { modelPages, pagedFigures } from './pages.ts';
import { distinct, findSettings, type Setting, settingOf } from './settings.ts';
import { type SimilarityCell, similarityPanel } from './similarity.ts';

/** Most squares of one figure: about 2 MB of SVG. */
const MOST_CELLS = 16_000;

/** Pixels of a panel. */
const SIZE = 160;

export interface SimilarityGridOptions extends Pick<FigureKind, 'id' | 'paper' | 'needs'> {
  title: string;
  /** As in findings. */
  init: string;
  measure: string;
  /** What the figure compares: a sentence. */
  about: string;
  xTitle: string;
  yTitle: string;
}

/** The kind of such a figure. Where there are too many models for one, it goes on in others. */
export function similarityGrid(options: SimilarityGridOptions): FigureKind {
  const { id, paper, needs, init, measure } = options;
  return {
    id,
    paper,
    needs,
    draw: (summary) => {
      const settings = findSettings(summary, (row) => row.measure === measure && row.init === init);
      const cells = (model: string): number =>
        settings
          .filter((setting) => setting.model === model)
          .reduce((sum, { rows }) => sum + rows.length, 0);
      const models = distinct(settings.map(({ model }) => model));
      const pages = modelPages(models, { size: cells, most: MOST_CELLS });
      return pagedFigures(pages, (page) =>
        draw(
          summary,
          settings.filter(({ model }) => page.includes(model)),
          byInductiveBias(page),
          options,
        ),
      );
    },
  };
}

function draw(
  summary: StudySummary,
  settings: readonly Setting[],
  models: readonly string[],
  { id, paper, title, init, about, xTitle, yTitle }: SimilarityGridOptions,
): Figure {
  const data = summary.axes.data.filter((name) => settings.some((one) => one.data === name));
  const rows = settings.flatMap((setting) => setting.rows);
  const spec = panelGrid({
    rows: data,
    columns: models.map(modelLabel),
    emptySize: SIZE,
    panel: (row, column) => {
      const [name = '', model = ''] = [data[row], models[column]];
      const setting = settingOf(settings, { data: name, model, init });
      if (!setting) return undefined;
      const below = data.slice(row + 1);
      const isLowest = !below.some((one) => settingOf(settings, { data: one, model, init }));
      return similarityPanel(cellsOf(setting.rows), {
        size: SIZE,
        xTitle,
        yTitle,
        labels: { x: isLowest, y: true },
      });
    },
  });
  return {
    id,
    paper,
    title,
    ...aloneOf(models, data),
    spec: { title: { text: title, subtitle: axesWords({ xTitle, yTitle }) }, ...spec },
    caption: sentences(
      about,
      similarityWords({ xTitle, yTitle }),
      `Rows are data sets, columns are models: ${listed(models.map(modelLabel))}.`,
      meanWords(rows),
      undefinedTaps(settings),
      provenance(summary, data),
    ),
  };
}

/** Cells of a matrix from its findings. */
export function cellsOf(rows: readonly AnalysisRow[]): SimilarityCell[] {
  return rows.map(({ of, detail, value }) => ({
    of,
    detail,
    ...(value ? { value: value.mean } : {}),
  }));
}

/** What the axes are of, under a figure's title. */
export function axesWords({ xTitle, yTitle }: { xTitle: string; yTitle: string }): string {
  return `taps from the input (lower left) to the output: ${yTitle} upwards, ${xTitle} to the right`;
}

/** What the colours say: a sentence. */
export const similarityScale =
  'Taps go from the input at the lower left to the output; linear CKA over batches of the test split, 0 (nothing alike) to 1 (alike up to rotation and scale).';

/** How to read the panels. */
export function similarityWords({ xTitle, yTitle }: { xTitle: string; yTitle: string }): string {
  return `Each square is a pair of taps, ${yTitle} upwards and ${xTitle} to the right. ${similarityScale}`;
}

/** Over how many seeds the means are. */
export function meanWords(rows: readonly AnalysisRow[]): string {
  const counts = distinct(rows.flatMap(({ value }) => (value ? [value.count] : [])));
  return `Every number is the mean of ${repeats(counts)}.`;
}

/**
 * The taps without any number in their row (`of`) or in their column (`detail`) of a matrix. The taps that
 * such a one meets lack single numbers, and have others.
 */
export function lackingTaps<T extends Pick<SimilarityCell, 'of' | 'detail'>>(
  cells: readonly T[],
  isThere: (cell: T) => boolean,
): string[] {
  const there = cells.filter(isThere);
  const lacking = (side: 'of' | 'detail'): string[] => {
    const found = new Set(there.map((cell) => cell[side]));
    return cells.map((cell) => cell[side]).filter((tap) => !found.has(tap));
  };
  return distinct([...lacking('of'), ...lacking('detail')]);
}

/**
 * Names the taps whose similarity is undefined in every run, with all others.
 * @param labels names of measures, where settings have several: those in which a tap is undefined are named
 */
export function undefinedTaps(
  settings: readonly Setting[],
  labels: Readonly<Record<string, string>> = {},
): string {
  const names = settings.flatMap(({ data, model, rows }) => {
    const found = new Map<string, string[]>();
    const measures = distinct(rows.map(({ measure }) => measure));
    for (const measure of measures) {
      const own = rows.filter((row) => row.measure === measure);
      for (const tap of lackingTaps(own, ({ value }) => value !== undefined)) {
        found.set(tap, [...(found.get(tap) ?? []), labels[measure] ?? measure]);
      }
    }
    return [...found].map(
      ([tap, of]) =>
        `${tap} of ${modelLabel(model)} on ${data}${measures.length > 1 ? ` (${listed(of)})` : ''}`,
    );
  });
  return leftOut(names, 'Undefined and drawn as a cross');
}
