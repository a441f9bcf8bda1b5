/** Figures of lines by tap: data sets by models, one line an initialisation, axes shared where they compare. */
import type { AnalysisRow } from '../results/index.ts';
import { repeats } from './caption.ts';
import type { FigureSpec } from './figure.ts';
import { type GridOptions, panelGrid } from './grid.ts';
import { modelLabel } from './labels.ts';
import { legendRow } from './legend.ts';
import { distinct, type Setting, settingOf } from './settings.ts';
import type { ShownInit } from './shownInits.ts';
import { domainOf, pointOf, type TapLinesOptions, type TapPoint, tapLines } from './tapLines.ts';

/** What a panel shows. */
export interface LineCell {
  taps: readonly string[];
  points: readonly TapPoint[];
  yTitle?: string | null;
  /** What its values are called where they are told. */
  valueTitle?: string;
}

export interface LineGridOptions
  extends Pick<GridOptions, 'rows' | 'columns' | 'hasRowLabels'>,
    Pick<TapLinesOptions, 'width' | 'height' | 'yFormat' | 'counts'> {
  shown: readonly ShownInit[];
  cell: (row: number, column: number) => LineCell | undefined;
  /** The panels whose y axes are the same: those of a row, of a column, or none. */
  shared: 'row' | 'column' | 'none';
  /** Whether all panels name their taps, or the lowest of each column: where they are one model's. */
  tapLabels: 'all' | 'lowest';
  /** A logarithmic y axis, where all values are above 0. */
  logarithmic?: boolean;
}

/** The legend and the panels of such a figure. */
export function lineGrid(options: LineGridOptions): FigureSpec {
  const { rows, columns, shown, cell, shared, width, height } = options;
  const cells = rows.map((_, row) => columns.map((__, column) => cell(row, column)));
  const peers = (row: number, column: number): LineCell[] =>
    (shared === 'row'
      ? (cells[row] ?? [])
      : shared === 'column'
        ? cells.map((line) => line[column])
        : [cells[row]?.[column]]
    ).filter((one) => one !== undefined);
  const used = shown.filter(({ label }) =>
    cells.flat().some((one) => one?.points.some(({ series }) => series === label)),
  );
  const grid = panelGrid({
    rows,
    columns,
    hasRowLabels: options.hasRowLabels,
    emptySize: { width, height },
    panel: (row, column) => {
      const own = cells[row]?.[column];
      if (!own) return undefined;
      const values = peers(row, column).flatMap(({ points }) => points.map(({ value }) => value));
      const logarithmic = options.logarithmic === true && values.every((value) => value > 0);
      return tapLines(own.points, {
        taps: own.taps,
        shown: used,
        width,
        height,
        yTitle: own.yTitle ?? null,
        valueTitle: own.valueTitle,
        domain: domainOf(values, logarithmic),
        logarithmic,
        hasTapLabels:
          options.tapLabels === 'all' || cells.slice(row + 1).every((line) => !line[column]),
        yFormat: options.yFormat,
        counts: options.counts,
      });
    },
  });
  const across = Math.max(columns.length * (width + 40), 260);
  return { vconcat: [legendRow(used, across, 'initialisation'), grid], spacing: 14 };
}

/** Over how many seeds the points are, and how the band is to be read. */
export function lineWords(points: readonly TapPoint[]): string {
  const counts = [...new Set(points.flatMap(({ count }) => count ?? []))];
  const banded = points.some(({ deviation }) => deviation !== undefined);
  return `Points are means of ${repeats(counts)}${banded ? ', bands one standard deviation to each side' : ''}.`;
}

export interface LineCellOptions {
  data: string;
  model: string;
  shown: readonly ShownInit[];
  /** Of the findings of a setting, those to show: one a tap. */
  pick: (rows: readonly AnalysisRow[]) => readonly AnalysisRow[];
  /** Names of what is undefined are added to it, for {@link leftOut}. */
  gaps: string[];
}

/** The lines of a data set and model; nothing where the study has none of them. */
export function lineCell(
  settings: readonly Setting[],
  { data, model, shown, pick, gaps }: LineCellOptions,
): LineCell | undefined {
  const found = shown.flatMap(({ label, inits }) => {
    const setting = settingOf(settings, { data, model, init: inits.get(model) });
    const rows = setting ? pick(setting.rows) : [];
    return rows.length > 0 ? [{ label, rows }] : [];
  });
  if (found.length === 0) return undefined;
  const points = found.flatMap(({ label, rows }) =>
    rows.flatMap((row) => {
      if (!row.value) gaps.push(`${row.of} of ${modelLabel(model)} on ${data} (${label})`);
      return pointOf(label, row);
    }),
  );
  return { taps: distinct(found.flatMap(({ rows }) => rows.map(({ of }) => of))), points };
}
