/** The test metric of one run with one tap put back, beside the metric as trained. */
import type { ReinitDocument } from '../../results/index.ts';
import { leftOut } from '../caption.ts';
import { metricLabel } from '../labels.ts';
import { colour } from '../palette.ts';
import { domainOf, tapLines } from '../tapLines.ts';
import { namedRule, PANEL_HEIGHT, type RunFigure, tapsWidth } from './parts.ts';

export function reinitFigure({ taps, trained, images }: ReinitDocument): RunFigure {
  const series = 'put back';
  const points = taps.flatMap(({ tap, evaluation }) =>
    evaluation?.primary.value === undefined
      ? []
      : [{ series, tap, value: evaluation.primary.value }],
  );
  const gaps = taps
    .filter(({ evaluation }) => evaluation?.primary.value === undefined)
    .map(({ tap }) => tap);
  const before = trained.primary.value;
  const names = taps.map(({ tap }) => tap);
  const values = [...points.map(({ value }) => value), ...(before === undefined ? [] : [before])];
  const metric = metricLabel(trained.metric);
  const domain = domainOf(values);
  const lines = tapLines(points, {
    taps: names,
    shown: [{ label: series, style: { color: colour('blue'), dash: [], shape: 'circle' } }],
    width: tapsWidth(names),
    height: PANEL_HEIGHT,
    yTitle: `test ${metric}`,
    ...(domain ? { domain } : {}),
  });
  const y = {
    type: 'quantitative',
    title: `test ${metric}`,
    scale: { zero: false, ...(domain ? { domain, nice: false } : {}) },
  };
  const rule = before === undefined ? [] : namedRule({ at: before, name: 'as trained' }, y);
  return {
    title: 'The test metric with one tap put back to its initial state',
    notes: [`${images} test images`, ...(gaps.length > 0 ? [leftOut(gaps)] : [])],
    ...lines,
    layer: [...rule, ...lines.layer],
  };
}
