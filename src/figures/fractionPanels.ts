/** Panels of lines against the WT fraction, one a data set, as figures 2, 7, 14, 15 and 19 are. */
import type { Statistic } from '../results/index.ts';
import type { FigureSpec } from './figure.ts';
import { type LegendEntry, legendRow } from './legend.ts';
import { colour } from './palette.ts';
import { type SeriesStyle, seriesEncoding, star } from './styles.ts';
import { boundsOf } from './sweeps.ts';

export interface PanelSeries {
  label: string;
  style: SeriesStyle;
}

/** One line of a panel, its points in order. */
export interface PanelLine {
  label: string;
  points: readonly { fraction: number; value: Statistic }[];
  /** RI, a star beside the curve. */
  random?: Statistic;
}

export interface FractionPanel {
  title: string;
  y: string;
  /** d3's format of the y axis. */
  format?: string;
  /** A horizontal line at a value that means "no change". */
  rule?: number;
  lines: readonly PanelLine[];
}

export interface FractionPanelsOptions {
  title: string;
  subtitle?: string;
  series: readonly PanelSeries[];
  panels: readonly FractionPanel[];
  columns?: number;
  width?: number;
  height?: number;
}

/** Where the stars of RI stand, left of ST, and how far apart. */
const [RANDOM, RANDOM_STEP] = [-0.1, 0.035];
/** Lines of fewer points have bars and not bands. */
const FEWEST_FOR_BAND = 4;

/** The whole figure: legend, then panels in rows. */
export function fractionPanels(options: FractionPanelsOptions): FigureSpec {
  const { title, subtitle, series, panels, columns = 3, width = 220, height = 150 } = options;
  const hasRandom = panels.some(({ lines }) => lines.some(({ random }) => random !== undefined));
  const across = Math.min(columns, panels.length);
  const legend: LegendEntry[] = [
    ...series,
    ...(hasRandom
      ? [
          {
            label: 'RI',
            style: { color: colour('muted'), dash: [], shape: star },
            symbol: 'point' as const,
          },
        ]
      : []),
  ];
  return {
    title: { text: title, ...(subtitle === undefined ? {} : { subtitle }) },
    vconcat: [
      legendRow(legend, across * (width + 50)),
      {
        concat: panels.map((panel) => panelSpec(panel, series, { width, height })),
        columns,
        spacing: 22,
      },
    ],
    spacing: 12,
  };
}

/** One panel, with room for stars where it has some. */
export function panelSpec(
  panel: FractionPanel,
  series: readonly PanelSeries[],
  { width, height }: { width: number; height: number },
): FigureSpec {
  const { color, strokeDash, shape } = seriesEncoding('series', series);
  const hidden = (encoding: FigureSpec): FigureSpec => ({ ...encoding, legend: null });
  const stars = panel.lines.flatMap(({ label, random }) =>
    random === undefined ? [] : [datum(label, starPlace(label, series), random)],
  );
  const points = panel.lines.flatMap(({ label, points: own }) =>
    own.map(({ fraction, value }) => datum(label, fraction, value)),
  );
  const hasRandom = stars.length > 0;
  const longest = Math.max(0, ...panel.lines.map(({ points: own }) => own.length));
  const lowest = hasRandom ? starPlace(series.at(0)?.label ?? '', series) - 0.05 : 0;
  const x = {
    field: 'fraction',
    type: 'quantitative',
    title: 'WT fraction',
    scale: { domain: [lowest, 1], nice: false, zero: false },
    axis: {
      values: [...(hasRandom ? [starMiddle(series)] : []), 0, 0.25, 0.5, 0.75, 1],
      labelExpr: "datum.value < 0 ? 'RI' : format(datum.value, '~g')",
      labelOverlap: false,
      labelFlush: false,
    },
  };
  const y = {
    field: 'value',
    type: 'quantitative',
    title: panel.y,
    scale: { zero: false },
    axis: { tickCount: 5, ...(panel.format === undefined ? {} : { format: panel.format }) },
  };
  const line = { x, y, color: hidden(color), strokeDash: hidden(strokeDash) };
  const bounds = { x, y: { ...y, field: 'low' }, y2: { field: 'high' }, color: hidden(color) };
  const spread = (values: readonly PanelDatum[]) => ({
    values: values.filter(({ low }) => low !== undefined),
  });
  const asBand = longest >= FEWEST_FOR_BAND;
  return {
    title: { text: panel.title, fontSize: 11, anchor: 'middle', frame: 'group', offset: 8 },
    width,
    height,
    layer: [
      ...(panel.rule === undefined
        ? []
        : [
            {
              data: { values: [{ at: panel.rule }] },
              mark: { type: 'rule', strokeDash: [4, 3], aria: false },
              encoding: { y: { field: 'at', type: 'quantitative', title: panel.y } },
            },
          ]),
      ...[
        { data: spread(asBand ? points : [...points, ...stars]), isBand: asBand },
        { data: spread(asBand ? stars : []), isBand: false },
      ]
        .filter(({ data }) => data.values.length > 0)
        .map(({ data, isBand }) => ({
          data,
          mark: isBand
            ? { type: 'area', opacity: 0.16, aria: false }
            : { type: 'rule', opacity: 0.7, aria: false },
          encoding: bounds,
        })),
      { data: { values: points }, mark: { type: 'line', aria: false }, encoding: line },
      {
        data: { values: points },
        mark: { type: 'point', size: longest > 8 ? 22 : 40, tooltip: { content: 'data' } },
        encoding: { x, y, color: hidden(color), shape: hidden(shape) },
      },
      ...(stars.length > 0
        ? [
            {
              data: { values: stars },
              mark: { type: 'point', shape: star, size: 70, tooltip: { content: 'data' } },
              encoding: { x, y, color: hidden(color) },
            },
          ]
        : []),
    ],
  };
}

interface PanelDatum {
  series: string;
  fraction: number;
  value: number;
  low?: number;
  high?: number;
  runs: number;
}

function datum(series: string, fraction: number, value: Statistic): PanelDatum {
  return { series, fraction, value: value.mean, ...boundsOf(value), runs: value.count };
}

/** Stars side by side in the legend's order, so that equal ones are seen and grey ones are told apart. */
function starPlace(label: string, series: readonly PanelSeries[]): number {
  const at = series.findIndex((one) => one.label === label);
  return RANDOM - RANDOM_STEP * (series.length - 1 - at);
}

const starMiddle = (series: readonly PanelSeries[]): number =>
  RANDOM - (RANDOM_STEP * (series.length - 1)) / 2;
