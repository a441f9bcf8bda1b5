/** Panels of lines over the taps of a network, one line an initialisation. */
import type { Statistic } from '../results/index.ts';
import type { FigureSpec } from './figure.ts';
import { type SeriesStyle, seriesEncoding } from './styles.ts';
import { tapAxis } from './taps.ts';
import { told } from './told.ts';

/** One point of a line. */
export interface TapPoint {
  /** The label of its line. */
  series: string;
  tap: string;
  value: number;
  /** Sample standard deviation over seeds. */
  deviation?: number;
  /** Seeds, or data sets of a mean over them; absent where it is of one run. */
  count?: number;
}

export interface TapLinesOptions {
  taps: readonly string[];
  /** The lines there may be, in the legend's order. */
  shown: readonly { label: string; style: SeriesStyle }[];
  /** What tells the lines apart: `initialisation` by default. */
  seriesTitle?: string;
  width: number;
  height: number;
  yTitle?: string | null;
  /** What a value is called where it is told; the axis's title by default. */
  valueTitle?: string;
  /** Least and greatest value of the axis. */
  domain?: readonly [number, number];
  logarithmic?: boolean;
  yFormat?: string;
  /** Whether the taps' names stand below; by default they do. */
  hasTapLabels?: boolean;
  /** What `count` counts. */
  counts?: 'runs' | 'data sets';
}

/** A point from a finding; nothing where it is undefined. */
export function pointOf(
  series: string,
  { of, value }: { of: string; value?: Statistic },
): TapPoint[] {
  if (!value) return [];
  const { mean, deviation, count } = value;
  return [
    {
      series,
      tap: of,
      value: mean,
      ...(deviation === undefined ? {} : { deviation }),
      count,
    },
  ];
}

/** Lines with their points, and a band of ± one deviation over seeds. */
export function tapLines(
  points: readonly TapPoint[],
  options: TapLinesOptions,
): FigureSpec & { layer: FigureSpec[] } {
  const { taps, shown, width, height, yTitle = null, domain, logarithmic, hasTapLabels } = options;
  const step = width / Math.max(1, taps.length);
  const { color, strokeDash, shape } = seriesEncoding('series', shown);
  const x = tapAxis({ taps, step, channel: 'x', field: 'tap', hasLabels: hasTapLabels });
  const scale = {
    ...(logarithmic ? { type: 'log' } : { zero: false }),
    ...(domain ? { domain, nice: false } : {}),
  };
  const axis = {
    tickCount: 4,
    ...(logarithmic && domain ? { values: logarithmicTicks(domain) } : {}),
    ...(options.yFormat ? { format: options.yFormat } : {}),
  };
  const y = { field: 'value', type: 'quantitative', title: yTitle, scale, axis };
  const banded = points.flatMap(({ series, tap, value, deviation }) =>
    deviation === undefined
      ? []
      : [{ series, tap, low: value - deviation, high: value + deviation }],
  );
  const { description, tooltip } = told([
    { field: 'series', title: options.seriesTitle ?? 'initialisation' },
    { field: 'tap', title: 'tap' },
    { field: 'value', title: options.valueTitle ?? yTitle ?? 'value', format: '.4~g' },
    ...(banded.length > 0 ? [{ field: 'deviation', title: 'sd', format: '.2~g' }] : []),
    ...(points.some(({ count }) => count !== undefined)
      ? [{ field: 'count', title: options.counts ?? 'runs', format: 'd' }]
      : []),
  ]);
  return {
    width,
    height,
    layer: [
      ...(banded.length === 0
        ? []
        : [
            {
              data: { values: banded },
              mark: { type: 'area', opacity: 0.13, clip: true, aria: false },
              encoding: {
                x,
                y: { ...y, field: 'low' },
                y2: { field: 'high' },
                color,
              },
            },
          ]),
      {
        data: { values: points },
        mark: { type: 'line', clip: true, strokeWidth: 1.5, aria: false },
        encoding: { x, y, color, strokeDash },
      },
      {
        data: { values: points },
        mark: { type: 'point', clip: true, size: 18, filled: true, description },
        encoding: {
          x,
          y,
          color,
          shape,
          tooltip,
        },
      },
    ],
  };
}

/** 1, 2 and 5 times the powers of ten in a domain; 1 alone where those would be many. */
function logarithmicTicks([low, high]: readonly [number, number]): number[] {
  const decades = Math.log10(high / low);
  const steps = decades > 2.5 ? [1] : decades > 1.3 ? [1, 3] : [1, 2, 5];
  const first = Math.floor(Math.log10(low));
  return Array.from({ length: Math.ceil(decades) + 2 }, (_, at) => first + at)
    .flatMap((power) => steps.map((step) => step * 10 ** power))
    .filter((tick) => tick >= low && tick <= high);
}

/** The least and greatest of some values with a margin, for panels that share an axis. */
export function domainOf(
  values: readonly number[],
  logarithmic = false,
): [number, number] | undefined {
  if (values.length === 0) return undefined;
  const [low, high] = [Math.min(...values), Math.max(...values)];
  if (logarithmic) return [low / 1.3, high * 1.3];
  const margin = 0.05 * (high - low) || 0.05 * Math.abs(high) || 0.05;
  return [low - margin, high + margin];
}
