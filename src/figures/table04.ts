/** Table 4 as a figure: networks truncated to their first blocks against whole ones, from WT. */
import type { StudySummary } from '../results/index.ts';
import { leftOut, provenance, repeats, sentences } from './caption.ts';
import { aloneOf, type FigureKind, type FigureSpec } from './figure.ts';
import { panelTitle } from './grid.ts';
import { metricLabel, modelLabel, modelParts } from './labels.ts';
import { colour } from './palette.ts';
import { boundsOf, cellOf, describeBounds, metricOf, spreadOf, spreadTold } from './sweeps.ts';
import { told } from './told.ts';

/** Pixels of a panel. */
const WIDTH = 190;

export const table04: FigureKind = {
  id: 'table-04-depth',
  paper: 'Table 4',
  needs: 'WT runs of a network and of the same one truncated, such as deit_small and deit_small:5',
  draw(summary) {
    const models = depthModels(summary);
    const missing: string[] = [];
    const metrics = summary.data.map((data) => ({
      data,
      values: models.flatMap((model) => {
        const cell = cellOf(summary, data.name, model, 'wt');
        const metric = cell && metricOf(cell);
        if (metric) return [{ model: modelLabel(model), metric }];
        missing.push(`${modelLabel(model)} on ${data.name}`);
        return [];
      }),
    }));
    const shown = metrics.filter(({ values }) => values.length > 0);
    if (models.length === 0 || shown.length === 0) return [];
    const all = shown.flatMap(({ values }) => values.map(({ metric }) => metric));
    const sort = models.map(modelLabel);
    const sets = shown.map(({ data }) => data.name);
    const title = 'Are all blocks needed? Truncated networks against whole ones, from WT';
    return [
      {
        id: table04.id,
        paper: table04.paper,
        title,
        ...aloneOf(models, sets),
        caption: sentences(
          'Test metric of networks that start from pretrained weights (WT), whole and truncated to their first blocks (DeiT-S-5b has five of twelve), a panel a data set; below, parameters and training speed.',
          `Points are means of ${repeats(all.map(({ count }) => count))}.`,
          describeBounds(all, 'Bars'),
          leftOut(missing),
          provenance(summary, sets),
        ),
        spec: {
          title,
          concat: [
            ...shown.map(({ data, values }) =>
              dotPanel(
                values.map(({ model, metric }) => ({
                  model,
                  value: metric.mean,
                  ...boundsOf(metric),
                  ...spreadOf(metric),
                })),
                { title: data.name, x: `test ${metricLabel(data.metric)}`, sort },
              ),
            ),
            ...costPanels(summary, models, sort),
          ],
          columns: 3,
          spacing: 22,
        },
      },
    ];
  },
};

/** Whole networks that the study has truncated too, each followed by those, the deepest first. */
function depthModels({ axes }: StudySummary): string[] {
  const parts = axes.models.map((id) => ({ id, ...modelParts(id) }));
  return parts
    .filter(({ depth }) => depth === undefined)
    .flatMap(({ id, name, source }) => {
      const truncated = parts
        .filter((one) => one.depth !== undefined && one.name === name && one.source === source)
        .sort((a, b) => Number(b.depth) - Number(a.depth));
      return truncated.length > 0 ? [id, ...truncated.map((one) => one.id)] : [];
    });
}

/** Images per second of a model in training, over all its finished runs that say it. */
function imagesPerSecond({ cost }: StudySummary, model: string): number | undefined {
  // Costs are of a network, whatever its source.
  const { name, depth } = modelParts(model);
  const id = depth === undefined ? name : `${name}:${depth}`;
  return cost.byModel.find((one) => one.model === id)?.imagesPerSecond;
}

function costPanels(
  summary: StudySummary,
  models: readonly string[],
  sort: readonly string[],
): FigureSpec[] {
  const panel = (title: string, x: string, of: (model: string) => number | undefined) => {
    const values = models.flatMap((model) => {
      const value = of(model);
      return value === undefined ? [] : [{ model: modelLabel(model), value }];
    });
    return values.length > 0 ? [barPanel(values, { title, x, sort })] : [];
  };
  return [
    ...panel('parameters', 'millions', (model) => {
      const count = summary.models.find(({ id }) => id === model)?.parameters;
      return count === undefined ? undefined : count / 1e6;
    }),
    ...panel('speed', 'images per second in training', (model) => imagesPerSecond(summary, model)),
  ];
}

interface PanelAbout {
  title: string;
  x: string;
  sort: readonly string[];
}

const modelAxis = (sort: readonly string[]): FigureSpec => ({
  field: 'model',
  type: 'nominal',
  sort,
  title: null,
  scale: { domain: sort },
  axis: { labelLimit: 120 },
});

function dotPanel(
  values: readonly { model: string; value: number; low?: number; high?: number }[],
  { title, x, sort }: PanelAbout,
): FigureSpec {
  const axis = { type: 'quantitative', title: x, scale: { zero: false }, axis: { tickCount: 5 } };
  const y = modelAxis(sort);
  const { description, tooltip } = told([
    { field: 'model', title: 'model' },
    { field: 'value', title: x, format: '.4~g' },
    ...spreadTold(),
  ]);
  return {
    title: panelTitle(title, WIDTH),
    width: WIDTH,
    height: { step: 26 },
    layer: [
      {
        data: { values: values.filter(({ low }) => low !== undefined) },
        mark: { type: 'rule', strokeWidth: 1.5, aria: false },
        encoding: { x: { ...axis, field: 'low' }, x2: { field: 'high' }, y },
      },
      {
        data: { values },
        mark: { type: 'point', size: 60, color: colour('blue'), description },
        encoding: { x: { ...axis, field: 'value' }, y, tooltip },
      },
    ],
  };
}

function barPanel(
  values: readonly { model: string; value: number }[],
  { title, x, sort }: PanelAbout,
): FigureSpec {
  const { description, tooltip } = told([
    { field: 'model', title: 'model' },
    { field: 'value', title: x, format: '.4~g' },
  ]);
  return {
    title: panelTitle(title, WIDTH),
    width: WIDTH,
    height: { step: 26 },
    data: { values },
    mark: { type: 'bar', color: colour('slate'), size: 12, description },
    encoding: {
      tooltip,
      x: { field: 'value', type: 'quantitative', title: x, axis: { tickCount: 5 } },
      y: modelAxis(sort),
    },
  };
}
