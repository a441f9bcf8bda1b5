/** Figure 11: CKA of WT against ST by kind of token, of every network with a class token: one figure a model. */
import type { StudySummary } from '../results/index.ts';
import { listed } from '../util/index.ts';
import { provenance, sentences } from './caption.ts';
import { aloneOf, type Figure, type FigureKind } from './figure.ts';
import { panelGrid } from './grid.ts';
import { modelLabel } from './labels.ts';
import { fileName } from './pages.ts';
import { distinct, findSettings, type Setting } from './settings.ts';
import { similarityPanel } from './similarity.ts';
import { axesWords, cellsOf, meanWords, similarityWords, undefinedTaps } from './similarityGrid.ts';

const kinds = [
  { measure: 'cka best cls', label: 'class token' },
  { measure: 'cka best spatial', label: 'patch tokens' },
  { measure: 'cka best', label: 'both' },
];

/** Pixels of a panel. */
const SIZE = 150;

export const figure11: FigureKind = {
  id: 'figure-11-cka-tokens',
  paper: 'Figure 11',
  needs: 'CKA of WT against ST runs of a model with a class token',
  draw: (summary) => {
    const settings = findSettings(
      summary,
      ({ init, measure }) =>
        init === 'wt against st' && kinds.some((kind) => kind.measure === measure),
    );
    const withTokens = settings.filter(({ rows }) =>
      rows.some(({ measure }) => measure === 'cka best cls'),
    );
    const models = distinct(withTokens.map(({ model }) => model));
    return models.map((model) => {
      const figure = draw(
        summary,
        model,
        withTokens.filter((setting) => setting.model === model),
      );
      return models.length === 1 ? figure : { ...figure, id: `${figure.id}-${fileName(model)}` };
    });
  },
};

function draw(summary: StudySummary, model: string, settings: readonly Setting[]): Figure {
  const title = `Feature similarity of WT and ST by kind of token, ${modelLabel(model)}`;
  const data = settings.map((setting) => setting.data);
  const titles = { xTitle: 'ST', yTitle: 'WT' };
  const rows = settings.flatMap((setting) => setting.rows);
  const spec = panelGrid({
    rows: kinds.map(({ label }) => label),
    columns: data,
    emptySize: SIZE,
    panel: (row, column) => {
      const kind = kinds[row];
      const own = settings[column]?.rows.filter(({ measure }) => measure === kind?.measure) ?? [];
      if (own.length === 0) return undefined;
      return similarityPanel(cellsOf(own), {
        size: SIZE,
        ...titles,
        labels: { x: row === kinds.length - 1, y: column === 0 },
      });
    },
  });
  return {
    id: figure11.id,
    paper: figure11.paper,
    title,
    ...aloneOf([model], data),
    spec: { title: { text: title, subtitle: axesWords(titles) }, ...spec },
    caption: sentences(
      `Similarity of what ${modelLabel(model)} learns from WT and from ST at its class token alone, its patch tokens alone, and both; columns are data sets: ${listed(data)}.`,
      similarityWords(titles),
      'The patch embedding comes before the class token and is not in its panels.',
      meanWords(rows),
      undefinedTaps(
        settings,
        Object.fromEntries(kinds.map(({ measure, label }) => [measure, label])),
      ),
      provenance(summary, data),
    ),
  };
}
