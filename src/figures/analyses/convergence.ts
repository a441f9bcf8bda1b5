/** Validation curves of one run or two, with the best of each marked. */
import type { ConvergenceDocument } from '../../results/index.ts';
import { initLabel, metricLabel } from '../labels.ts';
import { legendRow } from '../legend.ts';
import { initStyle, type SeriesStyle, seriesEncoding, seriesStyle } from '../styles.ts';
import { PANEL_HEIGHT, type RunFigure } from './parts.ts';

const WIDTH = 380;

type Side = ConvergenceDocument['subject'];

export function convergenceFigure({ subject, other }: ConvergenceDocument): RunFigure {
  const sides = other ? [subject, other] : [subject];
  const areAlike = other?.init === subject.init;
  const label = ({ init, runId }: Side): string =>
    areAlike ? `${initLabel(init)} ${runId}` : initLabel(init);
  const shown = sides.map((side, at) => ({
    label: label(side),
    style: styleOf(side, at, areAlike),
  }));
  const points = sides.flatMap((side) =>
    side.curve.flatMap(({ iteration, value, learningRate }) =>
      value === null ? [] : [{ iteration, value, learningRate, series: label(side) }],
    ),
  );
  const best = sides.flatMap((side) =>
    side.best === null
      ? []
      : [{ iteration: side.iterationsToBest, value: side.best, series: label(side) }],
  );
  const metric = `validation ${metricLabel(subject.metric)}`;
  const { color, strokeDash, shape } = seriesEncoding('series', shown);
  const x = {
    field: 'iteration',
    type: 'quantitative',
    scale: { domainMin: 0 },
    axis: { grid: false },
  };
  const y = { field: 'value', type: 'quantitative', title: metric, scale: { zero: false } };
  const tooltip = [
    { field: 'series', title: 'initialisation' },
    { field: 'iteration' },
    { field: 'value', title: metric, format: '.4~g' },
  ];
  return {
    title: 'Validation during training',
    notes: [
      sides
        .map((side) => `${label(side)} best at iteration ${side.iterationsToBest}`)
        .join('; ')
        .concat(' (ring)'),
    ],
    vconcat: [
      legendRow(shown, WIDTH),
      {
        width: WIDTH,
        height: PANEL_HEIGHT,
        layer: [
          {
            data: { values: points },
            mark: { type: 'line', aria: false },
            encoding: { x, y, color, strokeDash },
          },
          {
            data: { values: points },
            mark: { type: 'point', size: 26 },
            encoding: { x, y, color, shape, tooltip },
          },
          {
            data: { values: best },
            mark: { type: 'point', shape: 'circle', size: 190, filled: false, strokeWidth: 1.75 },
            encoding: { x, y, color, tooltip },
          },
        ],
      },
    ],
    spacing: 12,
  };
}

/** Two runs of one initialisation have its colour once. */
function styleOf({ init }: Side, at: number, areAlike: boolean): SeriesStyle {
  return areAlike ? seriesStyle(at) : initStyle(init);
}
