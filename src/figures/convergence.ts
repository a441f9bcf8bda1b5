/** Validation curves of runs and what figures 8 and 19 share. */
import { initRank, type LearningCurve, type StudySummary } from '../results/index.ts';
import { decimal, mean, whole } from '../util/index.ts';
import { averageLines } from './averages.ts';
import type { FigureSpec } from './figure.ts';
import type { FractionPanel } from './fractionPanels.ts';
import { panelTitle } from './grid.ts';
import { initLabel } from './labels.ts';
import { initStyle, type SeriesStyle, seriesEncoding } from './styles.ts';
import { told } from './told.ts';

/** Panel of the speed-up over ST, averaged over data sets; nothing where no model has it. */
export function speedUpPanel(
  summary: StudySummary,
  models: readonly string[],
): FractionPanel | undefined {
  const lines = averageLines(summary, models, ({ speedUp }) => speedUp);
  if (lines.length === 0) return undefined;
  return {
    title: summary.data.length > 1 ? 'speed-up, mean over data sets' : 'speed-up',
    y: 'iterations of ST / own',
    rule: 1,
    counts: 'data sets',
    lines,
  };
}

/** Curves of more initialisations than this would hide each other: RI, ST and WT alone are shown. */
const MOST_INITS = 5;

/** The initialisations of some curves that a panel shows, and how they look. */
export function curveSeries(
  curves: readonly LearningCurve[],
): { init: string; label: string; style: SeriesStyle }[] {
  const inits = [...new Set(curves.map(({ init }) => init))];
  const few = inits.length <= MOST_INITS ? inits : inits.filter((init) => !init.includes('-'));
  const ordered = few.sort((a, b) => initRank(a) - initRank(b));
  return ordered.map((init) => ({ init, label: initLabel(init), style: initStyle(init) }));
}

/** A sentence on the initialisations of some curves that are not among those shown; nothing where all are. */
export function hiddenCurves(
  curves: readonly LearningCurve[],
  series: ReturnType<typeof curveSeries>,
): string {
  const hidden = new Set(curves.map(({ init }) => init)).size - series.length;
  return hidden > 0
    ? `RI, ST and WT alone are shown; ${hidden} initialisations in between are not.`
    : '';
}

interface CurveDatum {
  init: string;
  iteration: number;
  value: number;
  /** The highest point of its line, and over how many runs that is. */
  best?: string;
  runs: number;
}

/** A panel of validation metric against iterations: every seed thin, their mean thick. */
export function curvePanel(
  curves: readonly LearningCurve[],
  series: ReturnType<typeof curveSeries>,
  about: { title: string; y: string; width: number; height: number },
): FigureSpec {
  const { color, strokeDash } = seriesEncoding('init', series);
  const own = curves.filter(({ init }) => series.some((one) => one.init === init));
  const seeds = own.flatMap(({ init, seed, points }) =>
    points.flatMap(({ iteration, value }) =>
      value === undefined ? [] : [{ init: initLabel(init), seed, iteration, value }],
    ),
  );
  const means = series.flatMap(({ init }) => meanCurve(own.filter((one) => one.init === init)));
  const x = {
    field: 'iteration',
    type: 'quantitative',
    title: 'iteration',
    axis: { format: '~s', tickCount: 4 },
    scale: { nice: false },
  };
  const y = {
    field: 'value',
    type: 'quantitative',
    title: about.y,
    scale: { zero: false },
    axis: { tickCount: 5 },
  };
  const { description, tooltip } = told([
    { field: 'init', title: 'initialisation' },
    { field: 'best', title: `best mean ${about.y}` },
    { field: 'runs', title: 'runs', format: 'd' },
  ]);
  return {
    title: panelTitle(about.title, about.width),
    width: about.width,
    height: about.height,
    layer: [
      {
        data: { values: seeds },
        mark: { type: 'line', strokeWidth: 0.75, opacity: 0.35, aria: false },
        encoding: { x, y, color, detail: { field: 'seed' } },
      },
      ...(means.length > 0
        ? [
            {
              data: { values: means },
              mark: { type: 'line', strokeWidth: 2, description },
              encoding: { x, y, color, strokeDash, tooltip },
            },
          ]
        : []),
    ],
  };
}

/**
 * The mean over runs from where the last begins to where the first ends, at the iterations of the first run;
 * between two evaluations of a run its value is on the line between them.
 */
function meanCurve(curves: readonly LearningCurve[]): CurveDatum[] {
  const runs = curves
    .map(({ points }) =>
      points.flatMap(({ iteration, value }) => (value === undefined ? [] : [{ iteration, value }])),
    )
    .filter((points) => points.length > 0);
  const init = initLabel(curves[0]?.init ?? '');
  const found = (runs[0] ?? []).flatMap(({ iteration }) => {
    const values = runs.flatMap((points) => valueAt(points, iteration) ?? []);
    return values.length === runs.length ? [{ init, iteration, value: mean(values) }] : [];
  });
  const [best] = [...found].sort((a, b) => b.value - a.value);
  const words = best && `${decimal(best.value)} at iteration ${whole(best.iteration)}`;
  return found.map((point) => ({ ...point, best: words, runs: runs.length }));
}

function valueAt(
  points: readonly { iteration: number; value: number }[],
  at: number,
): number | undefined {
  const after = points.findIndex(({ iteration }) => iteration >= at);
  const [high, low] = [points[after], points[after - 1]];
  if (high?.iteration === at) return high.value;
  if (!high || !low) return undefined;
  const share = (at - low.iteration) / (high.iteration - low.iteration);
  return low.value + share * (high.value - low.value);
}

/** The settings that some curves are of, in the study's order. */
export function curveSettings(
  { axes }: StudySummary,
  curves: readonly LearningCurve[],
): { data: string; model: string; curves: LearningCurve[] }[] {
  return axes.models.flatMap((model) =>
    axes.data.flatMap((data) => {
      const own = curves.filter((curve) => curve.data === data && curve.model === model);
      return own.some(({ points }) => points.some(({ value }) => value !== undefined))
        ? [{ data, model, curves: own }]
        : [];
    }),
  );
}
