/** Panels of CKA: one square a pair of taps, from the input at the lower left to the output. */
import { z } from 'zod';
import type { FigureSpec } from './figure.ts';
import { colour } from './palette.ts';
import { distinct } from './settings.ts';
import { heatmapEncoding } from './styles.ts';
import { tapAxis } from './taps.ts';

/** One number of a matrix; `value` absent where it is undefined. */
export interface SimilarityCell {
  /** Tap of the left network, on the y axis. */
  of: string;
  /** Tap of the right network, on the x axis. */
  detail: string;
  value?: number;
}

export interface SimilarityOptions {
  /** Pixels of a side, about: squares have whole pixels, so that no seams show. */
  size: number;
  /** What the axes are of, for those who point at a square; beside the axes where `hasTitles`. */
  xTitle: string;
  yTitle: string;
  hasTitles?: boolean;
  /** Whether taps have their names beside the axes; by default both. */
  labels?: { x: boolean; y: boolean };
}

/** The heat map of a matrix. What is undefined has a cross and no colour. */
export function similarityPanel(
  cells: readonly SimilarityCell[],
  { size, xTitle, yTitle, hasTitles = false, labels = { x: true, y: true } }: SimilarityOptions,
): FigureSpec {
  const rows = distinct(cells.map(({ of }) => of));
  const columns = distinct(cells.map(({ detail }) => detail));
  const step = Math.max(2, Math.round(size / Math.max(rows.length, columns.length, 1)));
  const encoding = {
    x: tapAxis({
      taps: columns,
      step,
      channel: 'x',
      field: 'right',
      title: hasTitles ? xTitle : null,
      hasLabels: labels.x,
    }),
    y: tapAxis({
      taps: rows,
      step,
      channel: 'y',
      field: 'left',
      title: hasTitles ? yTitle : null,
      hasLabels: labels.y,
    }),
  };
  const values = cells.flatMap(({ of, detail, value }) =>
    value === undefined ? [] : [{ left: of, right: detail, cka: value }],
  );
  const gaps = cells.flatMap(({ of, detail, value }) =>
    value === undefined ? [{ left: of, right: detail }] : [],
  );
  return {
    width: { step },
    height: { step },
    layer: [
      {
        data: { values },
        // Thousands of squares: descriptions of each would be most of the file.
        mark: { type: 'rect', aria: false },
        encoding: {
          ...encoding,
          color: { ...heatmapEncoding('cka', 'CKA'), legend: { gradientLength: 140 } },
          tooltip: [
            { field: 'left', title: yTitle },
            { field: 'right', title: xTitle },
            { field: 'cka', title: 'CKA', format: '.3f' },
          ],
        },
      },
      ...(gaps.length === 0
        ? []
        : [
            {
              data: { values: gaps },
              mark: {
                type: 'text',
                text: '×',
                fontSize: Math.min(10, step + 2),
                color: colour('muted'),
                aria: false,
              },
              encoding,
            },
          ]),
    ],
  };
}

/** A matrix of similarities as it is drawn: rows from top to bottom, columns from left to right. */
export interface DrawnMatrix {
  rows: string[];
  columns: string[];
  /** What the rows and the columns are of. */
  rowTitle: string;
  columnTitle: string;
  /** By row and column; `undefined` where there is none. */
  values: (number | undefined)[];
}

/**
 * The matrices of a specification that {@link similarityPanel} is part of, in the order in which they are
 * drawn. A drawing holds squares alone: thousands of them, that tell nothing of themselves.
 */
export function drawnMatrices(spec: unknown): DrawnMatrix[] {
  if (Array.isArray(spec)) return spec.flatMap(drawnMatrices);
  if (typeof spec !== 'object' || spec === null) return [];
  const { vconcat, hconcat, concat, layer } = spec as Record<string, unknown>;
  const parts = vconcat ?? hconcat ?? concat;
  if (parts !== undefined) return drawnMatrices(parts);
  return Array.isArray(layer) ? layer.flatMap((one) => matrixOf(one) ?? []) : [];
}

const matrixLayer = z.object({
  data: z.object({
    values: z.array(z.object({ left: z.string(), right: z.string(), cka: z.number() })),
  }),
  mark: z.object({ type: z.literal('rect') }),
  encoding: z.object({
    x: z.object({ scale: z.object({ domain: z.array(z.string()) }) }),
    y: z.object({ scale: z.object({ domain: z.array(z.string()) }) }),
    tooltip: z.tuple([
      z.object({ title: z.string() }),
      z.object({ title: z.string() }),
      z.unknown(),
    ]),
  }),
});

function matrixOf(layer: unknown): DrawnMatrix | undefined {
  const { success, data: found } = matrixLayer.safeParse(layer);
  if (!success) return undefined;
  const { data, encoding } = found;
  const [rows, columns] = [encoding.y.scale.domain, encoding.x.scale.domain];
  const values = new Map(data.values.map(({ left, right, cka }) => [`${left}\n${right}`, cka]));
  return {
    rows,
    columns,
    rowTitle: encoding.tooltip[0].title,
    columnTitle: encoding.tooltip[1].title,
    values: rows.flatMap((row) => columns.map((column) => values.get(`${row}\n${column}`))),
  };
}
