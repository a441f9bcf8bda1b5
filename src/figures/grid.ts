/** Panels in rows and columns: data sets by models, as most of the paper's figures are laid out. */
import type { FigureSpec } from './figure.ts';
import { brokenLabel } from './lines.ts';

export interface GridOptions {
  /** Labels at the left of the rows. */
  rows: readonly string[];
  /** Labels over the columns. */
  columns: readonly string[];
  /** Whether the columns' labels stand over the first row; by default they do. */
  hasColumnLabels?: boolean;
  /** The panel of a place; `undefined` where the study has nothing there. */
  panel: (row: number, column: number) => FigureSpec | undefined;
  /** Whether the rows' labels stand beside the panels; by default they do. */
  hasRowLabels?: boolean;
  /** Of an empty panel, in pixels; about that of the others. */
  emptySize: number | { width: number; height: number };
}

/** A `concat` whose columns are aligned; what is not there has an empty place that says so. */
export function panelGrid(options: GridOptions): FigureSpec {
  const { rows, columns, panel, hasRowLabels = true, hasColumnLabels = true } = options;
  const { width, height } = sizeOf(options.emptySize);
  return {
    concat: rows.flatMap((label, row) =>
      columns.map((column, at) => ({
        // Of a panel in a lower row nothing else says which column it stands in: SVG and page read it here.
        description: [label, column].filter((text) => text !== '').join(', '),
        ...(row === 0 && hasColumnLabels ? { title: panelTitle(column, width) } : {}),
        ...labelled(
          panel(row, at) ?? emptyPanel(options.emptySize),
          at === 0 && hasRowLabels ? brokenLabel(label, height) : null,
        ),
      })),
    ),
    columns: columns.length,
    spacing: 14,
  };
}

/** Pixels by which a title may be wider than its plot: room beside the axis. */
const BESIDE = 24;

/**
 * The title of a panel over its plot: smaller than the figure's, in several lines where it is wider.
 * @param width of the plot, in pixels
 */
export function panelTitle(title: string, width: number): FigureSpec {
  const [text, ...more] = brokenLabel(title, width + BESIDE);
  return {
    text: more.length > 0 ? [text, ...more] : title,
    fontSize: 11,
    anchor: 'middle',
    frame: 'group',
    offset: 8,
  };
}

/** The row's label before what the panel has as the title of its y axis, in all its layers alike. */
function labelled(panel: FigureSpec, label: string[] | null): FigureSpec {
  if (label === null) return panel;
  if (Array.isArray(panel.layer)) {
    return { ...panel, layer: (panel.layer as FigureSpec[]).map((one) => labelled(one, label)) };
  }
  const encoding = (panel.encoding ?? {}) as Record<string, FigureSpec>;
  const { y } = encoding;
  if (!y) return panel;
  const lines = [...label, ...(typeof y.title === 'string' ? [y.title] : [])];
  const title = lines.length > 1 ? lines : lines[0];
  const axis = { ...(y.axis ?? {}), titleFontWeight: 600 };
  return { ...panel, encoding: { ...encoding, y: { ...y, title, axis } } };
}

const sizeOf = (size: GridOptions['emptySize']): { width: number; height: number } =>
  typeof size === 'number' ? { width: size, height: size } : size;

function emptyPanel(size: GridOptions['emptySize']): FigureSpec {
  return {
    ...sizeOf(size),
    data: { values: [{ note: 'not there yet', at: 0 }] },
    mark: { type: 'text', opacity: 0.7 },
    encoding: {
      text: { field: 'note' },
      y: { field: 'at', type: 'quantitative', title: null, axis: { labels: false, ticks: false } },
    },
  };
}
