/** Figure 13: k-NN by tap for several WT fractions, every data set and model. */
import type { StudySummary } from '../results/index.ts';
import { listed } from '../util/index.ts';
import { leftOut, provenance, sentences } from './caption.ts';
import { aloneOf, type Figure, type FigureKind } from './figure.ts';
import { knnByTap, knnWords } from './knnFindings.ts';
import { metricLabel, modelLabel } from './labels.ts';
import { lineCell, lineGrid, lineWords } from './lineGrid.ts';
import { findSettings } from './settings.ts';
import { explainShown } from './shownInits.ts';
import { type TapPage, tapPages } from './tapPage.ts';

export const figure13: FigureKind = {
  id: 'figure-13-knn',
  paper: 'Figure 13',
  needs: 'k-NN of finished runs',
  draw: (summary) => {
    const settings = findSettings(summary, ({ measure }) => measure === 'knn');
    return tapPages(summary, settings, (page) => draw(summary, page));
  },
};

function draw(summary: StudySummary, { models, settings, data, shown, gaps }: TapPage): Figure {
  const title = 'k-NN evaluation by depth';
  const cells = data.map((name) =>
    models.map((model) => {
      const cell = lineCell(settings, { data: name, model, shown, gaps, pick: knnByTap });
      const metric = summary.data.find((set) => set.name === name)?.metric;
      const valueTitle = `k-NN ${metricLabel(metric)}`;
      return cell && { ...cell, valueTitle, yTitle: model === models[0] ? valueTitle : null };
    }),
  );
  return {
    id: figure13.id,
    paper: figure13.paper,
    title,
    ...aloneOf(models, data),
    spec: {
      title,
      ...lineGrid({
        rows: data,
        columns: models.map(modelLabel),
        cell: (row, column) => cells[row]?.[column],
        shown,
        shared: 'row',
        tapLabels: 'lowest',
        width: 190,
        height: 120,
      }),
    },
    caption: sentences(
      `Predictive performance of features at different depths of ${listed(models.map(modelLabel))} (columns), from the input to the output, after fine-tuning from different initialisations.`,
      knnWords,
      explainShown(shown, models),
      lineWords(cells.flat().flatMap((cell) => cell?.points ?? [])),
      leftOut(gaps),
      provenance(summary, data),
    ),
  };
}
