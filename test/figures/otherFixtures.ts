/**
 * Two more synthetic studies for figures and reports, made of the paper's: one of several sources, whose models
 * have names of sources behind them, and the smallest there can be.
 */
import type { Axes, ResultRow, StudySummary } from '../../src/results/index.ts';
// From their own files: the whole of src/study takes LibTorch with it.
import { aggregate } from '../../src/study/aggregate.ts';
import { compareInits, studyCurves } from '../../src/study/comparisons.ts';
import { tableRows } from '../../src/study/tableRows.ts';
import { costOf, paperSummary } from './summaryFixture.ts';

/** Names of the paper's data sets as a group of its own would call them. */
const renamed: Record<string, string> = {
  aptos2019: 'fundus-2019-left-eyes',
  isic2019: 'dermoscopy',
  chexpert: 'chest-x-ray',
};

const sources = ['natural-images', 'textures'];

/** Three data sets, two models from two sources each, every WT-ST-n/m, three seeds. */
export function sourcesSummary(): StudySummary {
  const models = ['deit_small', 'resnet50'];
  const whole = part(paperSummary(), {
    name: 'sources',
    data: Object.keys(renamed),
    models,
    inits: undefined,
    seeds: [0, 1, 2],
  });
  const text = JSON.stringify(whole);
  const named = Object.entries(renamed).reduce(
    (rest, [from, to]) => rest.replaceAll(`"${from}"`, `"${to}"`),
    text,
  );
  const summary = JSON.parse(named) as StudySummary;
  // The second source is the weaker one.
  const rows = summary.rows.flatMap((row): ResultRow[] =>
    row.init === 'ri'
      ? [row]
      : sources.map((source, at) => ({
          ...row,
          runId: `${row.runId.slice(0, -1)}${at}`,
          source,
          ...(row.testMetric === undefined ? {} : { testMetric: row.testMetric - 0.04 * at }),
        })),
  );
  const labels = models.flatMap((model) => sources.map((source) => `${model} from ${source}`));
  const perSource = <T extends { model: string }>(items: readonly T[]): T[] =>
    items.flatMap((item) =>
      sources.map((source) => ({ ...item, model: `${item.model} from ${source}` })),
    );
  const axes: Axes = {
    ...summary.axes,
    models: labels,
    initsOf: Object.fromEntries(
      labels.map((label) => [label, summary.axes.initsOf?.[label.split(' ')[0] ?? ''] ?? []]),
    ),
  };
  const targets = tableRows(rows, { sources });
  const table = aggregate(targets, axes);
  return {
    ...summary,
    axes,
    rows,
    planned: rows.length,
    models: table.models,
    source: { name: sources.join(', ') },
    table,
    comparisons: compareInits(targets, axes),
    curves: studyCurves(targets),
    findings: perSource(summary.findings),
    learningCurves: perSource(summary.learningCurves),
  };
}

/** One data set, one model, WT and RI, one seed, no analyses. */
export function smallestSummary(): StudySummary {
  const summary = part(paperSummary(), {
    name: 'smallest',
    data: ['isic2019'],
    models: ['resnet50'],
    inits: ['ri', 'wt'],
    seeds: [0],
  });
  return {
    ...summary,
    findings: [],
    data: summary.data.map(({ frechet: _, ...data }) => data),
  };
}

interface Part {
  name: string;
  data: string[];
  models: string[];
  inits: string[] | undefined;
  seeds: number[];
}

/** The part of a study that has these axes, its tables computed from its runs. */
function part(whole: StudySummary, { name, data, models, inits, seeds }: Part): StudySummary {
  const isIn = (item: { data: string; model: string; init: string; seed?: number }): boolean =>
    data.includes(item.data) &&
    models.includes(item.model) &&
    (inits === undefined || inits.includes(item.init) || item.init === 'wt against st') &&
    (item.seed === undefined || seeds.includes(item.seed));
  const rows = whole.rows.filter(isIn);
  const initsOf = Object.fromEntries(
    models.map((model) => [
      model,
      (whole.axes.initsOf?.[model] ?? []).filter((init) => inits?.includes(init) ?? true),
    ]),
  );
  const axes = { data, models, inits: [...new Set(Object.values(initsOf).flat())], initsOf, seeds };
  return {
    ...whole,
    name,
    axes,
    planned: rows.length,
    data: data.flatMap((one) => whole.data.find((set) => set.name === one) ?? []),
    models: whole.models.filter(({ id }) => models.includes(id)),
    rows,
    table: aggregate(rows, axes),
    comparisons: compareInits(rows, axes),
    curves: inits === undefined ? studyCurves(rows) : [],
    findings: whole.findings.filter(isIn),
    learningCurves: whole.learningCurves.filter(isIn),
    cost: costOf(
      rows,
      models.map((id) => ({ id })),
    ),
    unfinished: [],
    warnings: [],
    settings: { name, models, repeats: seeds.length },
  };
}
