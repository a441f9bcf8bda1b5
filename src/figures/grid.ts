/** Panels in rows and columns: data sets by models, as most of the paper's figures are laid out. */
import type { FigureSpec } from './figure.ts';

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
  /** Of an empty panel, in pixels. */
  emptySize: number | { width: number; height: number };
}

/** A `concat` whose columns are aligned; what is not there has an empty place that says so. */
export function panelGrid(options: GridOptions): FigureSpec {
  const { rows, columns, panel, hasRowLabels = true, hasColumnLabels = true } = options;
  return {
    concat: rows.flatMap((label, row) =>
      columns.map((column, at) => ({
        // Of a panel in a lower row nothing else says which column it stands in: SVG and page read it here.
        description: [label, column].filter((text) => text !== '').join(', '),
        ...(row === 0 && hasColumnLabels ? { title: panelTitle(column) } : {}),
        ...labelled(
          panel(row, at) ?? emptyPanel(options.emptySize),
          at === 0 && hasRowLabels ? label : null,
        ),
      })),
    ),
    columns: columns.length,
    spacing: 14,
  };
}

/**
 * The title of a panel: smaller than the figure's.
 * @param over the panel with its axes, or its plot alone
 */
export function panelTitle(text: string, over: 'panel' | 'plot' = 'panel'): FigureSpec {
  const place = over === 'plot' ? { frame: 'group', offset: 8 } : { offset: 6 };
  return { text, fontSize: 11, anchor: 'middle', ...place };
}

/** The row's label before what the panel has as the title of its y axis, in all its layers alike. */
function labelled(panel: FigureSpec, label: string | null): FigureSpec {
  if (label === null) return panel;
  if (Array.isArray(panel.layer)) {
    return { ...panel, layer: (panel.layer as FigureSpec[]).map((one) => labelled(one, label)) };
  }
  const encoding = (panel.encoding ?? {}) as Record<string, FigureSpec>;
  const { y } = encoding;
  if (!y) return panel;
  const title = typeof y.title === 'string' ? [label, y.title] : label;
  const axis = { ...(y.axis ?? {}), titleFontWeight: 600 };
  return { ...panel, encoding: { ...encoding, y: { ...y, title, axis } } };
}

function emptyPanel(size: GridOptions['emptySize']): FigureSpec {
  const { width, height } = typeof size === 'number' ? { width: size, height: size } : size;
  return {
    width,
    height,
    data: { values: [{ note: 'not there yet', at: 0 }] },
    mark: { type: 'text', opacity: 0.7 },
    encoding: {
      text: { field: 'note' },
      y: { field: 'at', type: 'quantitative', title: null, axis: { labels: false, ticks: false } },
    },
  };
}
