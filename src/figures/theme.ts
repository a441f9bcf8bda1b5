/** How figures look: the configuration of Vega-Lite, for light and for dark paper. */
import type { FigureSpec } from './figure.ts';
import { type ColourName, colour, darkened, heatmapRange, seriesColours } from './palette.ts';

export type Theme = 'light' | 'dark';

/** Where Inter is not installed, a reader's browser takes one of the same width or narrower. */
export const fontStack = 'Inter, Helvetica, Arial, "Liberation Sans", sans-serif';

const schema = 'https://vega.github.io/schema/vega-lite/v6.json';

/** Around all of a figure, in pixels. */
export const PADDING = 12;

/** Vega-Lite's `config` of a theme. */
function themeConfig(theme: Theme): FigureSpec {
  const config = { ...base, range: { category: seriesColours.map(colour) } };
  const themed = theme === 'dark' ? darkened(config) : config;
  return { ...themed, range: { ...themed.range, heatmap: heatmapRange(theme) } };
}

/** A whole specification: the figure's, with the schema's address and a theme's colours and font. */
export function themed(spec: FigureSpec, theme: Theme): FigureSpec {
  return {
    $schema: schema,
    ...(theme === 'dark' ? darkened(spec) : spec),
    config: themeConfig(theme),
  };
}

const c = (name: ColourName): string => colour(name);

const base = {
  background: c('paper'),
  font: fontStack,
  padding: PADDING,
  view: { stroke: c('grid'), continuousWidth: 220, continuousHeight: 150 },
  title: {
    anchor: 'start',
    color: c('text'),
    fontSize: 14,
    fontWeight: 600,
    offset: 14,
    subtitleColor: c('muted'),
    subtitleFontSize: 11,
    subtitlePadding: 5,
  },
  axis: {
    domainColor: c('line'),
    gridColor: c('grid'),
    labelColor: c('muted'),
    labelFontSize: 10,
    labelLimit: 160,
    labelOverlap: 'greedy',
    labelSeparation: 4,
    tickColor: c('line'),
    tickSize: 4,
    titleColor: c('text'),
    titleFontSize: 11,
    titleFontWeight: 400,
    titleLimit: 400,
    titlePadding: 8,
  },
  // A label at the end of an axis stands below it, or above: titles over panels side by side are level.
  axisYQuantitative: { labelFlush: 5 },
  header: {
    labelColor: c('text'),
    labelFontSize: 11,
    labelFontWeight: 600,
    labelLimit: 260,
    labelPadding: 6,
    titleColor: c('text'),
    titleFontSize: 11,
    titleFontWeight: 600,
  },
  legend: {
    columnPadding: 14,
    labelColor: c('text'),
    labelFontSize: 11,
    labelLimit: 240,
    symbolSize: 70,
    symbolStrokeWidth: 2,
    titleColor: c('text'),
    titleFontSize: 11,
    titleFontWeight: 600,
    titleLimit: 240,
  },
  area: { color: c('blue') },
  bar: { color: c('blue') },
  errorband: { color: c('blue') },
  errorbar: { color: c('text') },
  line: { color: c('blue'), strokeWidth: 1.75 },
  point: { color: c('blue'), filled: true, size: 42, opacity: 1 },
  rect: { color: c('blue') },
  rule: { color: c('muted') },
  text: { color: c('text'), fontSize: 10 },
  tick: { color: c('blue') },
};
