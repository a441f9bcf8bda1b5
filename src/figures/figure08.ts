/** Figure 8: convergence. Validation curves under a constant learning rate, and the speed-up over ST. */
import type { StudySummary } from '../results/index.ts';
import { listOf, provenance, sentences } from './caption.ts';
import { curvePanel, curveSeries, curveSettings, speedUpPanel } from './convergence.ts';
import type { FigureKind, FigureSpec } from './figure.ts';
import { panelSpec } from './fractionPanels.ts';
import { metricLabel, modelLabel } from './labels.ts';
import { legendRow } from './legend.ts';
import { modelStyles } from './styles.ts';
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
        caption: sentences(
          left
            ? `Validation metric over iterations under a constant learning rate, ${left.panels} panel${left.panels === 1 ? '' : 's'}: thin lines are runs, thick ones their mean as far as all runs go, on straight lines between evaluations.`
            : 'The study has no runs under a constant learning rate, so their validation curves are not shown.',
          right
            ? `Speed-up: iterations that ST needed to its best validation metric over those of each WT fraction, of the means over seeds${summary.data.length > 1 ? ', averaged over data sets' : ''}, under the schedule of the study.`
            : '',
          right && right.others.length > 0
            ? `Speed-ups of ${listOf(right.others.map(modelLabel))} are not shown.`
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

function constantCurves(summary: StudySummary): { spec: FigureSpec; panels: number } | undefined {
  const constant = summary.learningCurves.filter(({ schedule }) => schedule === 'constant');
  const settings = curveSettings(summary, constant);
  if (settings.length === 0) return undefined;
  const series = curveSeries(settings.flatMap(({ curves }) => curves));
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
  return { spec, panels: settings.length };
}

function speedUps(summary: StudySummary): { spec: FigureSpec; others: string[] } | undefined {
  const { shown, others } = comparedModels(summary.axes.models);
  const panel = speedUpPanel(summary, shown);
  if (!panel) return undefined;
  const styles = modelStyles(shown);
  const series = shown.flatMap((model) => {
    const [label, style] = [modelLabel(model), styles.get(model)];
    return style && panel.lines.some((line) => line.label === label) ? [{ label, style }] : [];
  });
  const size = { width: WIDTH * 1.5, height: HEIGHT };
  const spec = {
    vconcat: [legendRow(series, 2 * WIDTH), panelSpec(panel, series, size)],
    spacing: 12,
  };
  return { spec, others };
}
