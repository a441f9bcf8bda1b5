/** A reliability diagram: how often what the network said came true, by how sure it was, and how often. */
import type { CalibrationDocument } from '../../results/index.ts';
import { colour } from '../palette.ts';
import type { RunFigure } from './parts.ts';

const WIDTH = 280;

export function calibrationFigure({ overall, images }: CalibrationDocument): RunFigure {
  const { bins, expectedError } = overall;
  const values = bins.flatMap(({ low, high, count, frequency, confidence }) =>
    frequency === undefined ? [] : [{ low, high, count, frequency, confidence }],
  );
  const counts = bins.map(({ low, high, count }) => ({ low, high, count }));
  const x = {
    field: 'low',
    type: 'quantitative',
    bin: { binned: true },
    title: null,
    scale: { domain: [0, 1], nice: false },
    axis: { values: [0, 0.2, 0.4, 0.6, 0.8, 1], format: '.1f', grid: false },
  };
  const x2 = { field: 'high' };
  const share = { type: 'quantitative', scale: { domain: [0, 1], nice: false } };
  const tooltip = [
    { field: 'low', format: '.2f' },
    { field: 'high', format: '.2f' },
    { field: 'count', title: 'predictions' },
    { field: 'confidence', title: 'mean confidence', format: '.3f' },
    { field: 'frequency', title: 'came true', format: '.3f' },
  ];
  return {
    title: 'Whether the network is right as often as it says',
    notes: [
      expectedError.value === undefined
        ? `expected calibration error undefined: ${expectedError.reason ?? 'no reason given'}`
        : `expected calibration error ${expectedError.value.toFixed(3)}; ${images} test images`,
      'dots: mean confidence of a bin; below the line the network is too sure',
    ],
    vconcat: [
      {
        width: WIDTH,
        height: WIDTH,
        layer: [
          {
            data: { values },
            mark: { type: 'bar', opacity: 0.55, binSpacing: 1 },
            encoding: {
              x,
              x2,
              y: { ...share, field: 'frequency', title: 'came true' },
              color: { value: colour('blue') },
              tooltip,
            },
          },
          {
            data: {
              values: [
                { low: 0, frequency: 0 },
                { low: 1, frequency: 1 },
              ],
            },
            mark: { type: 'line', strokeDash: [4, 3], strokeWidth: 1.25, aria: false },
            encoding: {
              x: { field: 'low', type: 'quantitative' },
              y: { ...share, field: 'frequency' },
              color: { value: colour('muted') },
            },
          },
          {
            data: { values },
            mark: { type: 'point', size: 36 },
            encoding: {
              x: { field: 'confidence', type: 'quantitative' },
              y: { ...share, field: 'frequency' },
              color: { value: colour('text') },
              tooltip,
            },
          },
        ],
      },
      {
        width: WIDTH,
        height: 70,
        data: { values: counts },
        mark: { type: 'bar', binSpacing: 1 },
        encoding: {
          x: { ...x, title: 'confidence' },
          x2,
          y: {
            field: 'count',
            type: 'quantitative',
            title: 'predictions',
            axis: { tickCount: 2, format: '~s' },
          },
          color: { value: colour('slate') },
          tooltip: [{ field: 'count', title: 'predictions' }],
        },
      },
    ],
    spacing: 8,
  };
}
