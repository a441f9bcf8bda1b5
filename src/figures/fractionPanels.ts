/** Panels of lines against the WT fraction, one a data set, as figures 2, 7, 14, 15 and 19 are. */
import type { Statistic } from '../results/index.ts';
import { repeats, sentences } from './caption.ts';
import { aloneOf, type Figure, type FigureSpec } from './figure.ts';
import { panelTitle } from './grid.ts';
import { modelLabel } from './labels.ts';
import { type LegendEntry, legendRow } from './legend.ts';
import { colour } from './palette.ts';
import { modelStyles, type SeriesStyle, seriesEncoding, star } from './styles.ts';
import { boundsOf, describeBounds, spreadOf, spreadTold } from './sweeps.ts';
import { told } from './told.ts';

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
  /** Name of its data set; absent where it is of several. */
  data?: string;
  y: string;
  /** d3's format of the y axis. */
  format?: string;
  /** What its points are means over: `runs` by default. */
  counts?: 'data sets';
  /** A horizontal line at a value that means "no change". */
  rule?: number;
  lines: readonly PanelLine[];
}

export interface FractionPanelsOptions {
  title: string;
  /** What tells the lines apart: `model` by default. */
  seriesTitle?: string;
  series: readonly PanelSeries[];
  panels: readonly FractionPanel[];
}

/** Panels side by side, and pixels of each. */
const [COLUMNS, WIDTH, HEIGHT] = [3, 220, 150];
/** Where the stars of RI stand, left of ST, and how far apart. */
const [RANDOM, RANDOM_STEP] = [-0.1, 0.035];
/** Lines of fewer points have bars and not bands. */
const FEWEST_FOR_BAND = 4;

/** Points of the longest line of a panel. */
const longestOf = ({ lines }: FractionPanel): number =>
  Math.max(0, ...lines.map(({ points }) => points.length));

/** Whether a panel has bands around its lines, and not bars at their points. */
const hasBands = (panel: FractionPanel): boolean => longestOf(panel) >= FEWEST_FOR_BAND;

const valuesOf = ({ lines }: FractionPanel): Statistic[] =>
  lines.flatMap(({ points }) => points.map(({ value }) => value));

/** Over how many runs the points of some panels are, and what is drawn around them: sentences for captions. */
export function panelWords(panels: readonly FractionPanel[]): string {
  const values = panels.flatMap(valuesOf);
  const spread = panels.filter((panel) =>
    valuesOf(panel).some((value) => boundsOf(value).low !== undefined),
  );
  const shape = spread.every(hasBands)
    ? 'Bands'
    : spread.some(hasBands)
      ? 'Bands and bars'
      : 'Bars';
  return sentences(
    `Points are means of ${repeats(values.map(({ count }) => count))}.`,
    describeBounds(values, shape),
  );
}

/** Names of the data sets that some panels show. */
export function panelSets(panels: readonly FractionPanel[]): string[] {
  return panels.flatMap(({ data }) => data ?? []);
}

/** Those of some models that any of the panels has a line of, in the order given. */
export function panelModels(models: readonly string[], panels: readonly FractionPanel[]): string[] {
  const labels = new Set(panels.flatMap(({ lines }) => lines.map(({ label }) => label)));
  return models.filter((model) => labels.has(modelLabel(model)));
}

/** The model and the data set that panels whose lines are models show, of each where it is one alone. */
export function panelsAlone(
  models: readonly string[],
  panels: readonly FractionPanel[],
): Pick<Figure, 'model' | 'data'> {
  return aloneOf(panelModels(models, panels), panelSets(panels));
}

/** The legend of panels whose lines are models: those that any of them shows, in the order given. */
export function modelSeries(
  models: readonly string[],
  panels: readonly FractionPanel[],
): PanelSeries[] {
  const styles = modelStyles(models);
  return panelModels(models, panels).flatMap((model) => {
    const style = styles.get(model);
    return style ? [{ label: modelLabel(model), style }] : [];
  });
}

/** The whole figure: legend, then panels in rows. */
export function fractionPanels({
  title,
  seriesTitle,
  series,
  panels,
}: FractionPanelsOptions): FigureSpec {
  const hasRandom = panels.some(({ lines }) => lines.some(({ random }) => random !== undefined));
  const across = Math.min(COLUMNS, panels.length);
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
    title: { text: title },
    vconcat: [
      legendRow(legend, across * (WIDTH + 50)),
      {
        concat: panels.map((panel) =>
          panelSpec(panel, series, { width: WIDTH, height: HEIGHT, seriesTitle }),
        ),
        columns: COLUMNS,
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
  { width, height, seriesTitle = 'model' }: { width: number; height: number; seriesTitle?: string },
): FigureSpec {
  const { color, strokeDash, shape } = seriesEncoding('series', series);
  const stars = panel.lines.flatMap(({ label, random }) =>
    random === undefined ? [] : [datum(label, starPlace(label, series), random)],
  );
  const points = panel.lines.flatMap(({ label, points: own }) =>
    own.map(({ fraction, value }) => datum(label, fraction, value)),
  );
  const hasRandom = stars.length > 0;
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
  const line = { x, y, color, strokeDash };
  const bounds = { x, y: { ...y, field: 'low' }, y2: { field: 'high' }, color };
  const spread = (values: readonly PanelDatum[]) => ({
    values: values.filter(({ low }) => low !== undefined),
  });
  const asBand = hasBands(panel);
  const { description, tooltip } = told([
    { field: 'series', title: seriesTitle },
    { field: 'random', title: 'initialisation' },
    { field: 'kept', title: 'WT fraction', format: '.3~g' },
    { field: 'value', title: panel.y, format: panel.format ?? '.4~g' },
    ...spreadTold(panel.counts),
  ]);
  return {
    title: panelTitle(panel.title, width),
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
        mark: { type: 'point', size: longestOf(panel) > 8 ? 22 : 40, description },
        encoding: { x, y, color, shape, tooltip },
      },
      ...(stars.length > 0
        ? [
            {
              data: { values: stars },
              mark: { type: 'point', shape: star, size: 70, description },
              encoding: { x, y, color, tooltip },
            },
          ]
        : []),
    ],
  };
}

interface PanelDatum {
  series: string;
  /** Place on the axis. */
  fraction: number;
  /** The fraction, of the others than RI; and RI's name. */
  kept?: number;
  random?: string;
  value: number;
  low?: number;
  high?: number;
  interval?: string;
  deviation?: string;
  runs?: number;
}

function datum(series: string, fraction: number, value: Statistic): PanelDatum {
  return {
    series,
    fraction,
    ...(fraction < 0 ? { random: 'RI' } : { kept: fraction }),
    value: value.mean,
    ...boundsOf(value),
    ...spreadOf(value),
  };
}

/** Stars side by side in the legend's order, so that equal ones are seen and grey ones are told apart. */
function starPlace(label: string, series: readonly PanelSeries[]): number {
  const at = series.findIndex((one) => one.label === label);
  return RANDOM - RANDOM_STEP * (series.length - 1 - at);
}

const starMiddle = (series: readonly PanelSeries[]): number =>
  RANDOM - (RANDOM_STEP * (series.length - 1)) / 2;
