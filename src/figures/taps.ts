/** Taps on the axes of figures: short names, their groups (stages, blocks), and which ticks have room. */
import type { FigureSpec } from './figure.ts';

const shortened: readonly (readonly [RegExp, string])[] = [
  [/^patch_embed$/, 'patches'],
  [/^blocks\.(\d+)\.(\w+)$/, '$1 $2'],
  [/^layers\.(\d+)\.blocks\.(\d+)\.(\w+)$/, '$1.$2 $3'],
  [/^Conv2d_(\w+)_\dx\d$/, 'Conv2d_$1'],
];

/** The stage or block that a tap is of. */
const grouped: readonly (readonly [RegExp, string])[] = [
  [/^patch_embed$/, 'patches'],
  [/^(layer\d+)\.\d+$/, '$1'],
  [/^Conv2d_(\w+)$/, 'Conv2d'],
  [/^(Mixed_\d)\w$/, '$1'],
  [/^blocks\.(\d+)\.\w+$/, 'block $1'],
  [/^layers\.(\d+)\.blocks\.\d+\.\w+$/, 'stage $1'],
];

function renamed(tap: string, rules: readonly (readonly [RegExp, string])[]): string {
  const rule = rules.find(([pattern]) => pattern.test(tap));
  return rule ? tap.replace(...rule) : tap;
}

/** `0 attn` for `blocks.0.attn`, `2.3 mlp` for `layers.2.blocks.3.mlp`, `patches` for `patch_embed`. */
export function tapLabel(tap: string): string {
  return renamed(tap, shortened);
}

/** Taps on a scale of bands or points, in the network's order. */
export interface TapScale {
  taps: readonly string[];
  /** Pixels from one tap to the next. */
  step: number;
}

export interface TapAxisOptions extends TapScale {
  channel: 'x' | 'y';
  field: string;
  title?: string | null;
  /** Whether ticks have names; by default they have. */
  hasLabels?: boolean;
}

/** Room that a label takes along its axis, in pixels: rotated on x, lying on y. */
const LABEL_ROOM = { x: 13, y: 11 };
/** Closer than this, all labels are smaller. */
const CLOSE = 15;
/** Where not every tap has a label, those that have one stand apart. */
const GROUP_ROOM = 20;

/** Taps whose ticks have a label, with it: every tap where there is room, else the first of groups. */
export function labelledTaps({ taps, step }: TapScale, channel: 'x' | 'y'): Map<string, string> {
  if (step >= LABEL_ROOM[channel]) return new Map(taps.map((tap) => [tap, tapLabel(tap)]));
  const groups = taps.map((tap) => renamed(tap, grouped));
  const labels = new Map<string, string>();
  let last = Number.NEGATIVE_INFINITY;
  for (const [at, tap] of taps.entries()) {
    const group = groups[at] ?? tap;
    const isFirst = groups.indexOf(group) === at;
    if (!isFirst || (at - last) * step < GROUP_ROOM) continue;
    labels.set(tap, group);
    last = at;
  }
  return labels;
}

/** The encoding of taps along an axis: from left to right, from bottom to top. */
export function tapAxis({
  taps,
  step,
  channel,
  field,
  title = null,
  hasLabels = true,
}: TapAxisOptions): FigureSpec {
  const labels = labelledTaps({ taps, step }, channel);
  return {
    field,
    type: 'nominal',
    title,
    // The first of a nominal y axis is at its top.
    scale: { domain: channel === 'x' ? taps : [...taps].reverse() },
    axis: {
      values: [...labels.keys()],
      labelExpr: `(${JSON.stringify(Object.fromEntries(labels))})[datum.value]`,
      labels: hasLabels,
      labelOverlap: false,
      ...(step < CLOSE && labels.size === taps.length ? { labelFontSize: 9 } : {}),
      grid: false,
      ...(channel === 'x' ? { labelAngle: -45, labelAlign: 'right', labelBaseline: 'middle' } : {}),
    },
  };
}
