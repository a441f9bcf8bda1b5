/**
 * How series look: a colour, a dash and a shape for each initialisation and each model, the same in every
 * figure, so that a reader learns them once and a print in grey still tells them apart.
 */
import type { FigureSpec } from './figure.ts';
import { modelLabel, modelParts } from './labels.ts';
import { type ColourName, colour, fractionColour, seriesColours } from './palette.ts';

export interface SeriesStyle {
  color: string;
  /** Of lines, in pixels on and off; empty for a solid one. */
  dash: readonly number[];
  /** Vega's name of a point's shape, or a path. */
  shape: string;
}

/** A five-pointed star: RI, as in the paper's figures. */
export const star =
  'M0,-1L0.2245,-0.309L0.9511,-0.309L0.3633,0.118L0.5878,0.809L0,0.382L-0.5878,0.809L-0.3633,0.118L-0.9511,-0.309L-0.2245,-0.309Z';

const solid: readonly number[] = [];
const dashes: readonly (readonly number[])[] = [
  solid,
  [7, 3],
  [2, 2],
  [8, 3, 2, 3],
  [4, 2],
  [1, 3],
];
const shapes = ['circle', 'square', 'triangle-up', 'diamond', 'cross', 'triangle-down'];

/** The share of modules with pretrained weights in an initialisation; `undefined` for RI and others. */
export function fractionOf(init: string): number | undefined {
  if (init === 'st') return 0;
  if (init === 'wt') return 1;
  const [, kept, rest] = /^WT-ST-(\d+)\/(\d+)$/.exec(init) ?? [];
  if (kept === undefined || rest === undefined) return undefined;
  return Number(kept) / (Number(kept) + Number(rest));
}

/** RI is grey and a star; ST, WT-ST-n/m and WT run from orange to blue. */
export function initStyle(init: string): SeriesStyle {
  const fraction = fractionOf(init);
  if (fraction === undefined) return { color: colour('grey'), dash: [2, 2], shape: star };
  const fixed: Record<string, Pick<SeriesStyle, 'dash' | 'shape'>> = {
    st: { dash: [7, 3], shape: 'square' },
    wt: { dash: solid, shape: 'circle' },
  };
  const place = Number(/^WT-ST-(\d+)/.exec(init)?.[1] ?? 0);
  const partial = {
    dash: dashes[2 + (place % 4)] ?? solid,
    shape: shapes[2 + (place % 4)] ?? 'circle',
  };
  return { color: fractionColour(fraction), ...(fixed[init] ?? partial) };
}

interface ModelLook {
  color: ColourName;
  dash: number;
  shape: string;
}

/** Hue and dash say the family, shade and shape the size. */
const modelLooks: Record<string, ModelLook> = {
  deit_tiny: { color: 'blueLight', dash: 0, shape: 'triangle-up' },
  deit_small: { color: 'blue', dash: 0, shape: 'circle' },
  deit_base: { color: 'blueDark', dash: 0, shape: 'square' },
  deit_micro: { color: 'blue', dash: 0, shape: 'circle' },
  swin_tiny: { color: 'vermillion', dash: 1, shape: 'diamond' },
  swin_micro: { color: 'vermillionLight', dash: 1, shape: 'diamond' },
  inception_v3: { color: 'green', dash: 2, shape: 'cross' },
  resnet18: { color: 'purpleLight', dash: 3, shape: 'triangle-down' },
  resnet50: { color: 'purple', dash: 3, shape: 'square' },
  resnet152: { color: 'purpleDark', dash: 3, shape: 'diamond' },
  resnet18_micro: { color: 'purple', dash: 3, shape: 'triangle-down' },
};

/**
 * The looks of models, in the order given: fixed where known, the next free one for others, and for a model
 * that is there a second time (truncated, or from another source).
 */
export function modelStyles(models: readonly string[]): Map<string, SeriesStyle> {
  const taken = new Set<string>();
  let next = 4;
  return new Map(
    models.map((id) => {
      const { name } = modelParts(id);
      const look = modelLooks[name];
      if (!look || taken.has(name)) return [id, seriesStyle(next++)];
      taken.add(name);
      const { color, dash, shape } = look;
      return [id, { color: colour(color), dash: dashes[dash] ?? solid, shape }];
    }),
  );
}

/** The looks of any other series, by its place. */
export function seriesStyle(place: number): SeriesStyle {
  const name = seriesColours[place % seriesColours.length] ?? 'slate';
  return {
    color: colour(name),
    dash: dashes[place % dashes.length] ?? solid,
    shape: shapes[place % shapes.length] ?? 'circle',
  };
}

/** Encodings of a series: colour, dash and shape, without Vega's legends: the figure has one above its panels. */
export interface SeriesEncoding {
  color: FigureSpec;
  strokeDash: FigureSpec;
  shape: FigureSpec;
}

/**
 * The encodings of series by their label, in the order given. Lines take `color` and `strokeDash`, points
 * `color` and `shape`.
 * @param field the field that holds the label
 */
export function seriesEncoding(
  field: string,
  series: readonly { label: string; style: SeriesStyle }[],
): SeriesEncoding {
  const domain = series.map(({ label }) => label);
  const encode = (range: readonly unknown[]): FigureSpec => ({
    field,
    type: 'nominal',
    title: null,
    sort: domain,
    scale: { domain, range },
    legend: null,
  });
  return {
    color: encode(series.map(({ style }) => style.color)),
    strokeDash: encode(series.map(({ style }) => (style.dash.length > 0 ? style.dash : [1, 0]))),
    shape: encode(series.map(({ style }) => style.shape)),
  };
}

/** {@link seriesEncoding} of models, in the order given. Labels as `modelLabel`. */
export function modelEncoding(field: string, models: readonly string[]): SeriesEncoding {
  const styles = [...modelStyles([...new Set(models)])];
  return seriesEncoding(
    field,
    styles.map(([id, style]) => ({ label: modelLabel(id), style })),
  );
}

/** Colour of a matrix's value, on a scale whose lightness only rises or only falls. */
export function heatmapEncoding(field: string, title: string): FigureSpec {
  return {
    field,
    type: 'quantitative',
    title,
    scale: { domain: [0, 1], clamp: true, range: 'heatmap' },
  };
}
