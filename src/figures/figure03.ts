/**
 * Figure 3: CKA of a vision transformer and a ResNet, before against after fine-tuning from WT, and WT
 * against ST. The paper shows one data set; here the mean over the study's data sets, which figures 9 and 10
 * show one by one.
 */
import type { StudySummary } from '../results/index.ts';
import { counted, listed } from '../util/index.ts';
import { leftOut, provenance, sentences } from './caption.ts';
import { aloneOf, type Figure, type FigureKind } from './figure.ts';
import { panelGrid } from './grid.ts';
import { modelLabel } from './labels.ts';
import { averageFindings, chosenModels, findSettings, type Setting } from './settings.ts';
import { similarityPanel } from './similarity.ts';
import { lackingTaps, similarityScale } from './similarityGrid.ts';

const rows = [
  {
    init: 'wt',
    measure: 'cka initial/best',
    yTitle: 'WT before fine-tuning',
    xTitle: 'WT after fine-tuning',
  },
  {
    init: 'wt against st',
    measure: 'cka best',
    yTitle: 'WT after fine-tuning',
    xTitle: 'ST after fine-tuning',
  },
];

/** Pixels of a panel: room for the name of every tap. */
const SIZE = 330;

export const figure03: FigureKind = {
  id: 'figure-03-cka',
  paper: 'Figure 3',
  needs: 'CKA of WT runs, or of WT against ST',
  draw: (summary) => {
    const panels = rows
      .map((row) => ({
        ...row,
        settings: findSettings(
          summary,
          ({ measure, init }) => measure === row.measure && init === row.init,
        ),
      }))
      .filter(({ settings }) => settings.length > 0);
    const models = chosenModels(panels.flatMap(({ settings }) => settings));
    return models.length === 0 ? [] : [draw(summary, models, panels)];
  },
};

function draw(
  summary: StudySummary,
  models: readonly string[],
  panels: readonly ((typeof rows)[number] & { settings: Setting[] })[],
): Figure {
  const title = 'Layer-wise feature similarity (CKA)';
  const gaps: string[] = [];
  const used = panels.flatMap(({ settings }) =>
    settings.filter(({ model }) => models.includes(model)),
  );
  const spec = panelGrid({
    rows: panels.map(({ xTitle, yTitle }) => `${yTitle} and ${xTitle}`),
    columns: models.map(modelLabel),
    emptySize: SIZE,
    hasRowLabels: false,
    panel: (row, column) => {
      const [part, model = ''] = [panels[row], models[column]];
      const own = part?.settings.filter((setting) => setting.model === model) ?? [];
      if (!part || own.length === 0) return undefined;
      const average = averageFindings(own);
      gaps.push(
        ...lackingTaps(average, ({ sets }) => sets === own.length).map(
          (tap) => `${tap} of ${modelLabel(model)}`,
        ),
      );
      return similarityPanel(
        average.map(({ of, detail, mean }) => ({
          of,
          detail,
          ...(mean === undefined ? {} : { value: mean }),
        })),
        { size: SIZE, xTitle: part.xTitle, yTitle: part.yTitle, hasTitles: true },
      );
    },
  });
  const data = summary.axes.data.filter((name) => used.some((setting) => setting.data === name));
  return {
    id: figure03.id,
    paper: figure03.paper,
    title,
    ...aloneOf(models, data),
    spec: { title, ...spec },
    caption: sentences(
      `Similarity of what ${listed(models.map(modelLabel))} compute at all pairs of taps: ${listed(
        panels.map(({ xTitle, yTitle }) => `${yTitle} (upwards) and ${xTitle} (to the right)`),
      )}.`,
      similarityScale,
      data.length === 1
        ? `Of ${data[0]}.`
        : `The mean over ${counted(data.length, 'data set')} (${listed(data)}) of the means over seeds.`,
      leftOut(gaps, 'Undefined on some data sets, and the mean is over the others'),
      provenance(summary, data),
    ),
  };
}
