/**
 * The colours of figures, in pairs: one for light and one for dark paper. Specifications hold the light ones;
 * a dark picture is drawn by exchanging each for its partner. Hues are told apart by the colour-blind; in
 * grey, lines are told apart by their dashes and points by their shapes (styles.ts), and the two ramps by
 * their lightness, which only rises or only falls.
 */

type Pair = readonly [light: string, dark: string];

const pairs = {
  blue: ['#0072b2', '#56b4e9'],
  blueLight: ['#5aa9d6', '#a8dbf7'],
  blueDark: ['#00466e', '#2f8fd0'],
  vermillion: ['#c44e00', '#ff9a4d'],
  vermillionLight: ['#e08a4a', '#ffc89b'],
  green: ['#007f5c', '#3ccb9b'],
  greenLight: ['#4fb396', '#97e6cb'],
  purple: ['#a0457e', '#e19ac4'],
  purpleLight: ['#cb86b1', '#f2cbe1'],
  purpleDark: ['#661d4d', '#c767a1'],
  ochre: ['#8a6d00', '#d9bc50'],
  slate: ['#56616f', '#aeb9c7'],
  grey: ['#6b6b6b', '#b4b4b4'],
  text: ['#1f2328', '#e8eaed'],
  muted: ['#5b6168', '#aab1ba'],
  grid: ['#e4e6e9', '#34393f'],
  line: ['#9aa0a6', '#737a82'],
  paper: ['#ffffff', '#16181c'],
} satisfies Record<string, Pair>;

export type ColourName = keyof typeof pairs;

/** The light colour of a name. */
export function colour(name: ColourName): string {
  return pairs[name][0];
}

/** Steps of {@link fractionColour}: more than the modules of any network that is drawn. */
const STEPS = 64;

/** ST (0) is orange, WT (1) is blue; lightness falls on light paper and rises on dark. */
const fractionStops = {
  light: ['#e07b39', '#c9485b', '#9a2f7a', '#5b2a86', '#1f2a78'],
  dark: ['#d8612f', '#e0708a', '#d58ccb', '#b7a9f0', '#bcd6ff'],
};

/** Values of a matrix, least to greatest: the paper's white of the page to deep blue-black, and back. */
const heatmapStops = {
  light: ['#fbf7e6', '#f3cf83', '#e58a4f', '#bd4358', '#762a6f', '#2a1a4a'],
  dark: ['#1d1733', '#552a72', '#a83a70', '#df6f52', '#f0b45f', '#fcf3c4'],
};

/** The colour of the share of modules that keep their weights, 0 (ST) to 1 (WT). */
export function fractionColour(fraction: number): string {
  const step = Math.round(Math.min(1, Math.max(0, fraction)) * STEPS) / STEPS;
  return between(fractionStops.light, step);
}

/** The ramp of matrices in a theme, Vega's `heatmap`. */
export function heatmapRange(theme: 'light' | 'dark'): string[] {
  return heatmapStops[theme];
}

/** Colours of series that have no fixed one, in this order. */
export const seriesColours: readonly ColourName[] = [
  'blue',
  'vermillion',
  'green',
  'purple',
  'ochre',
  'slate',
];

const darkOf = new Map<string, string>([
  ...Object.values(pairs).map(([light, dark]): [string, string] => [light, dark]),
  ...Array.from({ length: STEPS + 1 }, (_, step): [string, string] => [
    fractionColour(step / STEPS),
    between(fractionStops.dark, step / STEPS),
  ]),
]);

/** A specification with every colour of the light theme exchanged for its dark partner. */
export function darkened<T>(value: T): T;
export function darkened(value: unknown): unknown {
  if (typeof value === 'string') return darkOf.get(value) ?? value;
  if (Array.isArray(value)) return value.map((item: unknown) => darkened(item));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, darkened(item)]));
}

/** Linear between the stops, in sRGB. */
function between(stops: readonly string[], at: number): string {
  const place = at * (stops.length - 1);
  const index = Math.min(Math.floor(place), stops.length - 2);
  const [low, high] = [stops[index] ?? '', stops[index + 1] ?? ''];
  const channel = (start: number): string => {
    const [from, to] = [low, high].map((hex) => Number.parseInt(hex.slice(start, start + 2), 16));
    const mixed = Math.round((from ?? 0) + ((to ?? 0) - (from ?? 0)) * (place - index));
    return mixed.toString(16).padStart(2, '0');
  };
  return `#${channel(1)}${channel(3)}${channel(5)}`;
}
