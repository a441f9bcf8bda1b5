/** Figure 5: re-initialisation robustness by tap of a vision transformer and a ResNet, every data set. */
import type { StudySummary } from '../results/index.ts';
import { listed } from '../util/index.ts';
import { leftOut, provenance, sentences } from './caption.ts';
import { aloneOf, type Figure, type FigureKind } from './figure.ts';
import { metricLabel, modelLabel } from './labels.ts';
import { lineGrid, lineWords } from './lineGrid.ts';
import { reinitCell, reinitSettings, reinitWords } from './reinitCells.ts';
import { chosenModels } from './settings.ts';
import { explainShown } from './shownInits.ts';
import { type TapPage, tapPage } from './tapPage.ts';

export const figure05: FigureKind = {
  id: 'figure-05-reinit',
  paper: 'Figure 5',
  needs: 're-initialisation robustness of finished runs',
  draw: (summary) => {
    const settings = reinitSettings(summary);
    const models = chosenModels(settings);
    return models.length === 0 ? [] : [draw(summary, tapPage(summary, settings, models))];
  },
};

function draw(summary: StudySummary, { models, settings, data, shown, gaps }: TapPage): Figure {
  const title = `Robustness to putting one tap back, ${listed(models.map(modelLabel))}`;
  const cells = models.map((model) =>
    data.map((name) => {
      const cell = reinitCell(summary, settings, { data: name, model, shown, gaps });
      const metric = summary.data.find((set) => set.name === name)?.metric;
      return cell && { ...cell, yTitle: metricLabel(metric), valueTitle: metricLabel(metric) };
    }),
  );
  return {
    id: figure05.id,
    paper: figure05.paper,
    title,
    ...aloneOf(models, data),
    spec: {
      title: { text: title, subtitle: 'test metric with the tap in its initial state' },
      ...lineGrid({
        rows: models.map(modelLabel),
        columns: data,
        cell: (row, column) => cells[row]?.[column],
        shown,
        shared: 'column',
        tapLabels: 'all',
        width: 190,
        height: 150,
      }),
    },
    caption: sentences(
      reinitWords,
      `Rows are models, columns are data sets, whose axes are the same for both models.`,
      explainShown(shown, models),
      lineWords(cells.flat().flatMap((cell) => cell?.points ?? [])),
      leftOut(gaps),
      provenance(summary, data),
    ),
  };
}
