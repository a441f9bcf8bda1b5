/** Figure 17: how far weights drift by tap, for several WT fractions, every data set and model. */
import type { StudySummary } from '../results/index.ts';
import { listed } from '../util/index.ts';
import { leftOut, provenance, sentences } from './caption.ts';
import { aloneOf, type Figure, type FigureKind } from './figure.ts';
import { modelLabel } from './labels.ts';
import { type LineCell, lineCell, lineGrid, lineWords } from './lineGrid.ts';
import { findSettings } from './settings.ts';
import { explainShown } from './shownInits.ts';
import { type TapPage, tapPages } from './tapPage.ts';

export const figure17: FigureKind = {
  id: 'figure-17-l2',
  paper: 'Figure 17',
  needs: 'the ℓ2 drift of finished runs',
  draw: (summary) => {
    const settings = findSettings(summary, ({ measure }) => measure === 'l2');
    return tapPages(summary, settings, (page) => draw(summary, page));
  },
};

/** What the numbers are: a sentence for captions. */
export const driftWords =
  'The ℓ2 distance between the weights before and after fine-tuning over their number, of the convolution and linear weights of each tap.';

/** With what its values are called. */
export const driftCell = <Cell extends LineCell | undefined>(cell: Cell): Cell =>
  cell && { ...cell, valueTitle: 'ℓ2 per weight' };

function draw(summary: StudySummary, { models, settings, data, shown, gaps }: TapPage): Figure {
  const title = 'Drift of the weights during fine-tuning';
  const cells = data.map((name) =>
    models.map((model) =>
      driftCell(lineCell(settings, { data: name, model, shown, gaps, pick: (rows) => rows })),
    ),
  );
  return {
    id: figure17.id,
    paper: figure17.paper,
    title,
    ...aloneOf(models, data),
    spec: {
      title: { text: title, subtitle: 'ℓ2 distance per weight, before to after fine-tuning' },
      ...lineGrid({
        rows: data,
        columns: models.map(modelLabel),
        cell: (row, column) => cells[row]?.[column],
        shown,
        shared: 'column',
        tapLabels: 'lowest',
        logarithmic: true,
        yFormat: '.0e',
        width: 180,
        height: 120,
      }),
    },
    caption: sentences(
      driftWords,
      `Rows are data sets, columns are models: ${listed(models.map(modelLabel))}; the axis is logarithmic and the same down a column.`,
      explainShown(shown, models),
      lineWords(cells.flat().flatMap((cell) => cell?.points ?? [])),
      leftOut(gaps),
      provenance(summary, data),
    ),
  };
}
