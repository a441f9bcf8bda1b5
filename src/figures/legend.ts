/** A legend above a figure: line with its dash, point with its shape, and name, side by side. */
import type { FigureSpec } from './figure.ts';
import { textWidth } from './font.ts';
import { colour } from './palette.ts';
import type { SeriesStyle } from './styles.ts';

export interface LegendEntry {
  label: string;
  style: SeriesStyle;
  /** What stands before the label; by default a line with a point on it. */
  symbol?: 'line' | 'point' | 'both';
}

/** Widths of symbols, and height of a row, in pixels. */
const LINE = 30;
const POINT = 12;
const ROW = 18;
const SIZE = 11;

/**
 * A row of symbols and names, broken where it would be wider than `width` pixels. Vega's own legend cannot
 * show a dash and a shape on one line.
 * @param title before the first
 */
export function legendRow(
  entries: readonly LegendEntry[],
  width: number,
  title?: string,
): FigureSpec {
  const lead = title === undefined ? 0 : textWidth(title, SIZE, 600) + 14;
  let [x, row, widest] = [lead, 0, lead];
  const places = entries.map(({ label, style, symbol = 'both' }) => {
    const wide = symbol === 'point' ? POINT : LINE;
    const own = wide + 6 + textWidth(label, SIZE) + 18;
    if (x > lead && x + own > width) [x, row] = [lead, row + 1];
    const [start, y] = [x, row * ROW + ROW / 2];
    x += own;
    widest = Math.max(widest, x);
    return {
      label,
      y,
      start,
      end: start + wide,
      middle: start + wide / 2,
      name: start + wide + 6,
      color: style.color,
      dash: style.dash.length > 0 ? style.dash : [1, 0],
      shape: style.shape,
      symbol,
    };
  });
  const [across, height] = [Math.ceil(widest), (row + 1) * ROW];
  const at = (field: string): FigureSpec => ({
    field,
    type: 'quantitative',
    scale: { domain: [0, across], nice: false, zero: false },
    axis: null,
  });
  const y = {
    field: 'y',
    type: 'quantitative',
    scale: { domain: [height, 0], nice: false, zero: false },
    axis: null,
  };
  const raw = (field: string): FigureSpec => ({ field, type: 'nominal', scale: null });
  const having = (symbol: string): FigureSpec[] => [
    { filter: `datum.symbol === 'both' || datum.symbol === '${symbol}'` },
  ];
  return {
    width: across,
    height,
    view: { stroke: null },
    data: { values: places },
    layer: [
      {
        transform: having('line'),
        mark: { type: 'rule', strokeWidth: 1.75, aria: false },
        encoding: {
          x: at('start'),
          x2: { field: 'end' },
          y,
          color: raw('color'),
          strokeDash: raw('dash'),
        },
      },
      {
        transform: having('point'),
        mark: { type: 'point', filled: true, size: 50, aria: false },
        encoding: { x: at('middle'), y, color: raw('color'), shape: raw('shape') },
      },
      {
        mark: {
          type: 'text',
          align: 'left',
          baseline: 'middle',
          fontSize: SIZE,
          description: { expr: 'datum.label' },
        },
        encoding: { x: at('name'), y, text: { field: 'label' } },
      },
      ...(title === undefined
        ? []
        : [
            {
              data: { values: [{ name: 0, y: ROW / 2, title }] },
              mark: {
                type: 'text',
                align: 'left',
                baseline: 'middle',
                fontSize: SIZE,
                fontWeight: 600,
                color: colour('text'),
                description: title,
              },
              encoding: { x: at('name'), y, text: { field: 'title' } },
            },
          ]),
    ],
  };
}
