/** Figure 16: re-initialisation robustness by tap for several WT fractions, every data set and model. */
import type { StudySummary } from '../results/index.ts';
import { listed } from '../util/index.ts';
import { leftOut, provenance, sentences } from './caption.ts';
import { aloneOf, type Figure, type FigureKind } from './figure.ts';
import { metricLabel, modelLabel } from './labels.ts';
import { lineGrid, lineWords } from './lineGrid.ts';
import { reinitCell, reinitSettings, reinitWords } from './reinitCells.ts';
import { explainShown } from './shownInits.ts';
import { type TapPage, tapPages } from './tapPage.ts';

export const figure16: FigureKind = {
  id: 'figure-16-reinit',
  paper: 'Figure 16',
  needs: 're-initialisation robustness of finished runs',
  draw: (summary) => {
    const settings = reinitSettings(summary);
    return tapPages(summary, settings, (page) => draw(summary, page));
  },
};

function draw(summary: StudySummary, { models, settings, data, shown, gaps }: TapPage): Figure {
  const title = 'Robustness to putting one tap back';
  const cells = data.map((name) =>
    models.map((model) => {
      const cell = reinitCell(summary, settings, { data: name, model, shown, gaps });
      const metric = summary.data.find((set) => set.name === name)?.metric;
      const valueTitle = metricLabel(metric);
      return cell && { ...cell, valueTitle, yTitle: model === models[0] ? valueTitle : null };
    }),
  );
  return {
    id: figure16.id,
    paper: figure16.paper,
    title,
    ...aloneOf(models, data),
    spec: {
      title: { text: title, subtitle: 'test metric with the tap in its initial state' },
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
      reinitWords,
      `Rows are data sets, columns are models: ${listed(models.map(modelLabel))}.`,
      explainShown(shown, models),
      lineWords(cells.flat().flatMap((cell) => cell?.points ?? [])),
      leftOut(gaps),
      provenance(summary, data),
    ),
  };
}
