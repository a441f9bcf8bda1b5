/** Figure 8: convergence. Validation curves under a constant learning rate, and the speed-up over ST. */
import type { StudySummary } from '../results/index.ts';
import { counted, listed } from '../util/index.ts';
import { provenance, sentences } from './caption.ts';
import {
  curvePanel,
  curveSeries,
  curveSettings,
  hiddenCurves,
  speedUpPanel,
} from './convergence.ts';
import { aloneOf, type FigureKind, type FigureSpec } from './figure.ts';
import { modelSeries, panelModels, panelSpec } from './fractionPanels.ts';
import { metricLabel, modelLabel } from './labels.ts';
import { legendRow } from './legend.ts';
import { comparedModels } from './sweeps.ts';

const [WIDTH, HEIGHT, COLUMNS] = [230, 160, 3];

export const figure08: FigureKind = {
  id: 'figure-08-convergence',
  paper: 'Figure 8',
  needs: 'runs under a constant learning rate, or ST and WT runs for the speed-up',
  draw(summary) {
    const left = constantCurves(summary);
    const right = speedUps(summary);
    if (!left && !right) return [];
    const title = 'Transfer learning and convergence';
    return [
      {
        id: figure08.id,
        paper: figure08.paper,
        title,
        ...aloneOf(
          [...(left?.models ?? []), ...(right?.models ?? [])],
          right ? summary.axes.data : (left?.data ?? []),
        ),
        caption: sentences(
          left
            ? `Validation metric over iterations under a constant learning rate, ${counted(left.panels, 'panel')}: thin lines are runs, thick ones their mean as far as all runs go, on straight lines between evaluations.`
            : 'The study has no runs under a constant learning rate, so their validation curves are not shown.',
          left?.hidden ?? '',
          right
            ? `Speed-up: iterations that ST needed to its best validation metric over those of each WT fraction, of the means over seeds${summary.data.length > 1 ? ', averaged over data sets' : ''}, under the schedule of the study.`
            : '',
          right && right.others.length > 0
            ? `Speed-ups of ${listed(right.others.map(modelLabel))} are not shown.`
            : '',
          provenance(summary),
        ),
        spec: {
          title,
          vconcat: [...(left ? [left.spec] : []), ...(right ? [right.spec] : [])],
          spacing: 24,
          // Initialisations above, models below.
          resolve: {
            scale: { color: 'independent', strokeDash: 'independent', shape: 'independent' },
          },
        },
      },
    ];
  },
};

interface ConstantCurves {
  spec: FigureSpec;
  panels: number;
  models: string[];
  data: string[];
  /** Which initialisations are not shown: a sentence. */
  hidden: string;
}

function constantCurves(summary: StudySummary): ConstantCurves | undefined {
  const constant = summary.learningCurves.filter(({ schedule }) => schedule === 'constant');
  const settings = curveSettings(summary, constant);
  if (settings.length === 0) return undefined;
  const all = settings.flatMap(({ curves }) => curves);
  const series = curveSeries(all);
  const across = Math.min(COLUMNS, settings.length);
  const spec = {
    vconcat: [
      legendRow(
        series.map((one) => ({ ...one, symbol: 'line' as const })),
        across * (WIDTH + 50),
      ),
      {
        concat: settings.map(({ data, model, curves }) =>
          curvePanel(curves, series, {
            title: `${modelLabel(model)}, ${data}`,
            y: `validation ${metricLabel(curves[0]?.metric)}`,
            width: WIDTH,
            height: HEIGHT,
          }),
        ),
        columns: COLUMNS,
        spacing: 22,
      },
    ],
    spacing: 12,
  };
  return {
    spec,
    panels: settings.length,
    models: settings.map(({ model }) => model),
    data: settings.map(({ data }) => data),
    hidden: hiddenCurves(all, series),
  };
}

interface SpeedUps {
  spec: FigureSpec;
  models: string[];
  /** Models that have no line of their own. */
  others: string[];
}

function speedUps(summary: StudySummary): SpeedUps | undefined {
  const { shown, others } = comparedModels(summary.axes.models);
  const panel = speedUpPanel(summary, shown);
  if (!panel) return undefined;
  const series = modelSeries(shown, [panel]);
  const size = { width: WIDTH * 1.5, height: HEIGHT };
  const spec = {
    vconcat: [legendRow(series, 2 * WIDTH), panelSpec(panel, series, size)],
    spacing: 12,
  };
  return { spec, models: panelModels(shown, [panel]), others };
}
