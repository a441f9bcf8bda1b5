/** ℓ2 drift of the weights of one run by tap. */
import type { L2Document } from '../../results/index.ts';
import { leftOut } from '../caption.ts';
import { colour } from '../palette.ts';
import { domainOf, tapLines } from '../tapLines.ts';
import { PANEL_HEIGHT, type RunFigure, tapsWidth } from './parts.ts';

/** Values further apart than this are not read off a linear axis. */
const WIDE = 10;

export function l2Figure({ taps }: L2Document): RunFigure {
  const distances = taps.map(({ distance }) => distance);
  const positive = distances.filter((distance) => distance > 0);
  const logarithmic = Math.max(...positive) > WIDE * Math.min(...positive);
  const drawn = logarithmic ? taps.filter(({ distance }) => distance > 0) : taps;
  const still = taps.filter((tap) => !drawn.includes(tap)).map(({ tap }) => tap);
  const names = taps.map(({ tap }) => tap);
  const series = 'drift';
  const domain = logarithmic
    ? domainOf(positive, true)
    : ([0, 1.05 * Math.max(...distances, Number.MIN_VALUE)] as const);
  return {
    title: 'How far the weights of each tap drifted',
    notes: still.length > 0 ? [leftOut(still, 'Not moved at all, and not on the axis')] : [],
    ...tapLines(
      drawn.map(({ tap, distance }) => ({ series, tap, value: distance })),
      {
        taps: names,
        shown: [{ label: series, style: { color: colour('blue'), dash: [], shape: 'circle' } }],
        width: tapsWidth(names),
        height: PANEL_HEIGHT,
        yTitle: 'ℓ2 distance per weight',
        yFormat: '.0e',
        logarithmic,
        ...(domain ? { domain } : {}),
      },
    ),
  };
}
