/** Figure 4: how far weights drift by tap, for several WT fractions, averaged over the study's data sets. */
import type { StudySummary } from '../results/index.ts';
import { listed } from '../util/index.ts';
import { leftOut, provenance, repeats, sentences } from './caption.ts';
import { aloneOf, type Figure, type FigureKind } from './figure.ts';
import { driftCell, driftWords } from './figure17.ts';
import { modelLabel } from './labels.ts';
import { type LineCell, lineGrid } from './lineGrid.ts';
import { averageFindings, distinct, findSettings, type Setting } from './settings.ts';
import { explainShown, type ShownInit } from './shownInits.ts';
import { type TapPage, tapPages } from './tapPage.ts';

export const figure04: FigureKind = {
  id: 'figure-04-l2',
  paper: 'Figure 4',
  needs: 'the ℓ2 drift of finished runs',
  draw: (summary) => {
    const settings = findSettings(summary, ({ measure }) => measure === 'l2');
    return tapPages(summary, settings, (page) => draw(summary, page));
  },
};

function draw(summary: StudySummary, { models, settings, data, shown, gaps }: TapPage): Figure {
  const title = 'Drift of the weights, mean over data sets';
  const cells = models.map((model) => driftCell(averageCell(settings, model, shown, gaps)));
  const counts = cells.flatMap(({ points }) => points.flatMap(({ count }) => count ?? []));
  const seeds = settings.flatMap(({ rows }) => rows.flatMap(({ value }) => value?.count ?? []));
  return {
    id: figure04.id,
    paper: figure04.paper,
    title,
    ...aloneOf(models, data),
    spec: {
      title: { text: title, subtitle: 'ℓ2 distance per weight, before to after fine-tuning' },
      ...lineGrid({
        rows: [''],
        hasRowLabels: false,
        columns: models.map(modelLabel),
        cell: (_, column) => cells[column],
        shown,
        shared: 'none',
        tapLabels: 'all',
        logarithmic: true,
        yFormat: '.0e',
        counts: 'data sets',
        width: 220,
        height: 190,
      }),
    },
    caption: sentences(
      driftWords,
      data.length === 1
        ? `Of ${data[0]}, the only data set that has it.`
        : `Points are means over ${repeats(counts, 'data set')} (${listed(data)}) of the means over ${repeats([...new Set(seeds)])}.`,
      'The axes are logarithmic, each its own.',
      explainShown(shown, models),
      leftOut(gaps),
      provenance(summary, data),
    ),
  };
}

function averageCell(
  settings: readonly Setting[],
  model: string,
  shown: readonly ShownInit[],
  gaps: string[],
): LineCell {
  const found = shown.map(({ label, inits }) => ({
    label,
    average: averageFindings(
      settings.filter((one) => one.model === model && one.init === inits.get(model)),
    ),
  }));
  const points = found.flatMap(({ label, average }) =>
    average.flatMap(({ of, mean, sets }) => {
      if (mean === undefined) gaps.push(`${of} of ${modelLabel(model)} (${label})`);
      return mean === undefined ? [] : [{ series: label, tap: of, value: mean, count: sets }];
    }),
  );
  return { taps: distinct(found.flatMap(({ average }) => average.map(({ of }) => of))), points };
}
