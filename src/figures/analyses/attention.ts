/** Mean attended distance of one run: heads as dots, their mean as a line, by block. */
import type { AttentionDocument } from '../../results/index.ts';
import { leftOut } from '../caption.ts';
import { colour } from '../palette.ts';
import { tapAxis } from '../taps.ts';
import { namedRule, PANEL_HEIGHT, type RunFigure } from './parts.ts';

export function attentionFigure({ layers, uniform, images }: AttentionDocument): RunFigure {
  const heads = layers.flatMap(({ tap, heads: own }) =>
    own.flatMap((found, head) =>
      found === null ? [] : [{ tap, head: `head ${head + 1}`, value: found }],
    ),
  );
  const means = layers.flatMap(({ tap, mean }) =>
    mean === null ? [] : [{ tap, head: 'mean of heads', value: mean }],
  );
  const gaps = layers.filter(({ mean }) => mean === null).map(({ tap }) => tap);
  const taps = layers.map(({ tap }) => tap);
  const step = Math.max(28, Math.ceil(280 / Math.max(1, taps.length)));
  const x = tapAxis({ taps, step, channel: 'x', field: 'tap' });
  const y = {
    field: 'value',
    type: 'quantitative',
    title: 'mean attended distance, pixels',
    scale: { zero: false },
  };
  const tooltip = [
    { field: 'tap' },
    { field: 'head' },
    { field: 'value', title: 'pixels', format: '.2f' },
  ];
  const color = { value: colour('blue') };
  return {
    title: 'How far attention reaches, by block and head',
    notes: [
      `dots are heads, the line is their mean; ${images} test images`,
      ...(gaps.length > 0 ? [leftOut(gaps)] : []),
    ],
    width: taps.length * step,
    height: PANEL_HEIGHT,
    layer: [
      ...namedRule({ at: uniform, name: 'attention to all patches alike' }, y),
      {
        data: { values: heads },
        mark: { type: 'point', size: 26, opacity: 0.6 },
        encoding: { x, y, color: { value: colour('vermillion') }, tooltip },
      },
      { data: { values: means }, mark: { type: 'line', aria: false }, encoding: { x, y, color } },
      {
        data: { values: means },
        mark: { type: 'point', size: 40 },
        encoding: { x, y, color, tooltip },
      },
    ],
  };
}
