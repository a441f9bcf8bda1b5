/** Table 1 as it is printed: the same cells for Markdown, LaTeX and HTML. */
import {
  type Cell,
  type Gain,
  type PaperCell,
  paperCells,
  paperDataSets,
  type StudySummary,
} from '../../results/index.ts';
import { decimal, listed, whole } from '../../util/index.ts';
import { initLabel, modelLabel, modelParts } from '../labels.ts';
import { cellOf, comparisonOf, type GainRow, gainRows, orderedInits } from './rows.ts';
import { metricTitle, modelTitle, notesOf } from './words.ts';

export interface Table1Options {
  /** Sets the paper's own numbers beside those of data sets and models that match. */
  paper?: boolean;
  /** Which initialisations have a row; by default all. */
  hasRow?: (init: string) => boolean;
}

/** What stands in a cell: a number with its spread, or why there is none. */
export interface PrintedCell {
  /** `0.894`; absent where there is no number. */
  value?: string;
  /** `0.017`. */
  deviation?: string;
  /** Ends of the 95 % interval. */
  interval?: [low: string, high: string];
  /** In the place of a number: `undefined`, or `–` for what is not finished. */
  instead?: string;
  /** Why there is no number, where that is known. */
  reason?: string;
  /** Runs behind the number, where they are fewer than planned. */
  runs?: number;
  /** Whether no other row of the data set and model has a greater mean, as printed. */
  isBest: boolean;
}

export interface PrintedColumn {
  /** Name of the data set in the study. */
  data: string;
  /** `κ`, `recall`, `AUC`. */
  metric: string;
  /** `n = 3,662` and `FID = 160`, those that are known. */
  facts: string[];
  /** Whether the paper's numbers stand beside the study's. */
  hasPaper: boolean;
}

export interface PrintedRow {
  /** As the study calls it; absent for gains. */
  init?: string;
  label: string;
  /** One a column. */
  cells: PrintedCell[];
  /** The paper's, one a column; absent where it has none. */
  paper: (PrintedCell | undefined)[];
}

/** The rows of one model. */
export interface PrintedGroup {
  /** As the study calls it. */
  model: string;
  /** Label and parameters. */
  title: string;
  rows: PrintedRow[];
}

export interface PrintedTable {
  columns: PrintedColumn[];
  groups: PrintedGroup[];
  /** How to read it. */
  caption: string;
  /** Runs that are missing, metrics that are undefined, differing precision. */
  notes: string[];
}

/** The table of a study. */
export function printedTable(
  summary: StudySummary,
  { paper = false, hasRow = () => true }: Table1Options = {},
): PrintedTable {
  const { table } = summary;
  const facts = new Map(summary.data.map((data) => [data.name, data]));
  const columns = table.data.map(({ name, metric, samples }): PrintedColumn => {
    const frechet = facts.get(name)?.frechet;
    return {
      data: name,
      metric: metric === undefined ? 'metric' : metricTitle(metric),
      facts: [
        ...(samples === undefined ? [] : [`n = ${whole(samples)}`]),
        ...(frechet === undefined ? [] : [`FID = ${frechet.distance.toFixed(0)}`]),
      ],
      hasPaper:
        paper && table.models.some(({ id }) => paperCell(name, metric, id, 'wt') !== undefined),
    };
  });
  const groups = table.models.map(({ id, parameters }): PrintedGroup => {
    const paperOf = (init: string): (PaperCell | undefined)[] =>
      table.data.map(({ name, metric }, at) =>
        columns[at]?.hasPaper ? paperCell(name, metric, id, init) : undefined,
      );
    const inits = orderedInits(table, id).filter(hasRow);
    const best = table.data.map(({ name }) =>
      bestOf(inits.map((init) => cellOf(table, name, id, init))),
    );
    const rows = [
      ...inits.map(
        (init): PrintedRow => ({
          init,
          label: initLabel(init),
          cells: table.data.map(({ name }, at) =>
            initCell(cellOf(table, name, id, init), summary.axes.seeds.length, best[at]),
          ),
          paper: paperOf(init).map((cell) => cell && printed(cell.mean, cell.deviation)),
        }),
      ),
      ...gainRows(table.axes.inits).map(
        ({ kind, label, gainOf }): PrintedRow => ({
          label,
          cells: table.data.map(({ name }) => {
            const comparison = comparisonOf(table, name, id);
            return gainCell(comparison && gainOf(comparison));
          }),
          paper: paperGains(kind, paperOf),
        }),
      ),
    ];
    return { model: id, title: modelTitle(modelLabel(id), parameters), rows };
  });
  const notes = notesOf(table, ({ model, init }) => [modelLabel(model), initLabel(init)]);
  return { columns, groups, caption: captionOf(summary, columns), notes };
}

/** The greatest mean as printed, where two initialisations or more have one. */
function bestOf(cells: readonly (Cell | undefined)[]): string | undefined {
  const means = cells.flatMap((cell) => cell?.metric?.mean ?? []);
  return means.length > 1 ? decimal(Math.max(...means)) : undefined;
}

function printed(value: number, deviation?: number): PrintedCell {
  return {
    value: decimal(value),
    ...(deviation === undefined ? {} : { deviation: decimal(deviation) }),
    isBest: false,
  };
}

function initCell(cell: Cell | undefined, planned: number, best: string | undefined): PrintedCell {
  if (!cell || cell.finishedSeeds.length === 0) return { instead: '–', isBest: false };
  const { metric, metricInterval, undefinedRuns } = cell;
  if (!metric) return { instead: 'undefined', reason: undefinedRuns[0]?.reason, isBest: false };
  return {
    ...printed(metric.mean, metric.deviation),
    ...(metricInterval
      ? { interval: [decimal(metricInterval.low), decimal(metricInterval.high)] }
      : {}),
    ...(metric.count < planned ? { runs: metric.count } : {}),
    isBest: decimal(metric.mean) === best,
  };
}

function gainCell(gain: Gain | undefined): PrintedCell {
  if (gain?.value === undefined) {
    const isEmpty = gain === undefined || gain.reason === 'no runs to compare';
    return { instead: isEmpty ? '–' : 'undefined', reason: gain?.reason, isBest: false };
  }
  const { value, low, high } = gain;
  return {
    ...printed(value),
    ...(low === undefined || high === undefined ? {} : { interval: [decimal(low), decimal(high)] }),
  };
}

const plain = (text: string): string => text.toLowerCase().replaceAll(/[^a-z0-9]/g, '');

/** The paper's number for a data set of that name and metric and a whole model, if it has one. */
export function paperCell(
  data: string,
  metric: string | undefined,
  model: string,
  init: string,
): PaperCell | undefined {
  const { name, depth } = modelParts(model);
  const set = paperDataSets.find(({ id, title }) =>
    [plain(id), plain(title)].includes(plain(data)),
  );
  if (!set || depth !== undefined || set.metric !== metric) return undefined;
  return paperCells.find(
    (cell) => cell.data === set.id && cell.model === name && cell.init === init,
  );
}

/** The text of a paper's cell as a format prints cells; empty where the paper has none. */
export function paperText(
  cell: PrintedCell | undefined,
  textOf: (cell: PrintedCell) => string,
): string {
  return cell ? textOf(cell) : '';
}

/** The paper prints no gains in its table; they are the ratios of its means. */
function paperGains(
  kind: GainRow['kind'],
  paperOf: (init: string) => (PaperCell | undefined)[],
): (PrintedCell | undefined)[] {
  const [wt, ri, st] = ['wt', 'ri', 'st'].map((init) => paperOf(init));
  return (wt ?? []).map((cell, at) => {
    const other = kind === 'transfer' ? ri?.[at] : st?.[at];
    if (!cell || !other) return undefined;
    const gain =
      kind === 'transfer' ? cell.mean / other.mean : (cell.mean - other.mean) / cell.mean;
    return printed(gain);
  });
}

/** What the rows of gains are: a sentence; none where there are none. */
function gainWords(inits: readonly string[]): string[] {
  const parts = gainRows(inits).map(
    ({ kind, label }) =>
      `${label} is the ${kind === 'transfer' ? 'gain of transfer' : 'share of the metric that feature reuse brings'}`,
  );
  return parts.length === 0 ? [] : [`${listed(parts)}.`];
}

function captionOf({ name, axes, environment }: StudySummary, columns: PrintedColumn[]): string {
  const { precisions, devices } = environment;
  const seeds = axes.seeds.length;
  return [
    `Test metric of the best checkpoint by initialisation (study ${name}).`,
    seeds > 1
      ? `Mean ± sample standard deviation over up to ${seeds} seeds${seeds > 2 ? ', 95 % bootstrap interval of the mean in brackets' : ''}.`
      : 'One seed.',
    'The best mean of each data set and model, as printed, is bold.',
    ...gainWords(axes.inits),
    ...(columns.some(({ hasPaper }) => hasPaper)
      ? [
          'Beside them the numbers of Matsoukas et al., CVPR 2022, table 1 (mean ± sd of five runs; gains are ratios of its means).',
        ]
      : []),
    ...(precisions.length > 0 ? [`Precision ${precisions.join(', ')}.`] : []),
    ...(devices.length > 0 ? [`Device ${devices.join(', ')}.`] : []),
  ].join(' ');
}
