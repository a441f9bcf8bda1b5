/** The last panels of figures 2, 8, 14 and 19: ratios against the WT fraction, averaged over data sets. */
import type { CurvePoint, StudySummary } from '../results/index.ts';
import { mean } from '../util/index.ts';
import type { FractionPanel, PanelLine } from './fractionPanels.ts';
import { modelLabel } from './labels.ts';
import { curvePoints } from './sweeps.ts';

/** A ratio by fraction of each model, averaged over the data sets that have it: lines of a last panel. */
export function averageLines(
  summary: StudySummary,
  models: readonly string[],
  ratioOf: (point: CurvePoint) => number | undefined,
): PanelLine[] {
  return models.flatMap((model) =>
    averageLine(
      modelLabel(model),
      summary.axes.data.flatMap((data) =>
        curvePoints(summary, data, model).flatMap((point) => {
          const value = ratioOf(point);
          return value === undefined ? [] : [{ fraction: point.fraction, value }];
        }),
      ),
    ),
  );
}

/** The line of the means at each fraction; none for a single point. */
export function averageLine(
  label: string,
  all: readonly { fraction: number; value: number }[],
): PanelLine[] {
  const fractions = [...new Set(all.map(({ fraction }) => fraction))].sort((a, b) => a - b);
  if (fractions.length < 2) return [];
  const points = fractions.map((fraction) => {
    const values = all.filter((one) => one.fraction === fraction).map(({ value }) => value);
    return { fraction, value: { mean: mean(values), count: values.length } };
  });
  return [{ label, points }];
}

/** The last panel of gains over ST; nothing without lines. */
export function gainPanel(
  summary: StudySummary,
  lines: readonly PanelLine[],
): FractionPanel | undefined {
  if (lines.length === 0) return undefined;
  return {
    title: summary.data.length > 1 ? 'mean over data sets' : 'relative gain',
    y: 'gain over ST, % of ST',
    format: '+.0%',
    rule: 0,
    counts: 'data sets',
    lines,
  };
}
