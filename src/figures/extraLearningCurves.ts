/** Not in the paper: validation curves under the study's own schedule, a figure a model. */
import { provenance, sentences } from './caption.ts';
import { curvePanel, curveSeries, curveSettings, hiddenCurves } from './convergence.ts';
import { aloneOf, type FigureKind } from './figure.ts';
import { metricLabel, modelLabel } from './labels.ts';
import { legendRow } from './legend.ts';
import { fileName } from './pages.ts';

export const extraLearningCurves: FigureKind = {
  id: 'extra-learning-curves',
  paper: 'beyond the paper',
  needs: 'finished runs',
  draw(summary) {
    const plateau = summary.learningCurves.filter(({ schedule }) => schedule === 'plateau');
    const there = curveSettings(summary, plateau);
    return summary.axes.models.flatMap((model) => {
      const settings = there.filter((one) => one.model === model);
      if (settings.length === 0) return [];
      const all = settings.flatMap(({ curves }) => curves);
      const series = curveSeries(all);
      const data = settings.map((one) => one.data);
      const title = `Validation curves of ${modelLabel(model)}`;
      return [
        {
          id: `${extraLearningCurves.id}-${fileName(model)}`,
          paper: extraLearningCurves.paper,
          title,
          ...aloneOf([model], data),
          caption: sentences(
            'Validation metric over training iterations, the learning rate falling as validation stands still, a panel a data set. Thin lines are runs, thick ones their mean as far as all runs go, on straight lines between evaluations.',
            hiddenCurves(all, series),
            provenance(summary, data),
          ),
          spec: {
            title,
            vconcat: [
              legendRow(
                series.map((one) => ({ ...one, symbol: 'line' as const })),
                700,
              ),
              {
                concat: settings.map(({ data: name, curves }) =>
                  curvePanel(curves, series, {
                    title: name,
                    y: `validation ${metricLabel(curves[0]?.metric)}`,
                    width: 230,
                    height: 160,
                  }),
                ),
                columns: 3,
                spacing: 22,
              },
            ],
            spacing: 12,
          },
        },
      ];
    });
  },
};
