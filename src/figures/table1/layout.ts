/** Table 1 as it is printed: the same cells for Markdown, LaTeX and HTML. */
import {
  type Cell,
  type Gain,
  type PaperCell,
  paperCells,
  paperDataSets,
  type StudySummary,
} from '../../results/index.ts';
import { initLabel, modelLabel, modelParts } from '../labels.ts';
import { cellOf, comparisonOf, type GainRow, gainRows, orderedInits } from './rows.ts';
import { fixed, metricTitle, modelTitle, notesOf } from './words.ts';

export interface Table1Options {
  /** Sets the paper's own numbers beside those of data sets and models that match. */
  paper?: boolean;
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
  /** Runs behind the number, where they are fewer than planned. */
  runs?: number;
  /** Whether no other initialisation of the data set and model is better. */
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
  /** Label and parameters of the model, in its first row alone. */
  model?: string;
  label: string;
  isGain: boolean;
  /** One a column. */
  cells: PrintedCell[];
  /** The paper's, one a column; absent where it has none. */
  paper: (PrintedCell | undefined)[];
}

export interface PrintedTable {
  columns: PrintedColumn[];
  /** Rows of one model together. */
  groups: PrintedRow[][];
  /** How to read it. */
  caption: string;
  /** Runs that are missing, metrics that are undefined, differing precision. */
  notes: string[];
}

/** The table of a study. */
export function printedTable(
  summary: StudySummary,
  { paper = false }: Table1Options = {},
): PrintedTable {
  const { table } = summary;
  const facts = new Map(summary.data.map((data) => [data.name, data]));
  const columns = table.data.map(({ name, metric, samples }): PrintedColumn => {
    const frechet = facts.get(name)?.frechet;
    return {
      data: name,
      metric: metric === undefined ? 'metric' : metricTitle(metric),
      facts: [
        ...(samples === undefined ? [] : [`n = ${samples.toLocaleString('en-US')}`]),
        ...(frechet === undefined ? [] : [`FID = ${frechet.distance.toFixed(0)}`]),
      ],
      hasPaper:
        paper && table.models.some(({ id }) => paperCell(name, metric, id, 'wt') !== undefined),
    };
  });
  const groups = table.models.map(({ id, parameters }) => {
    const paperOf = (init: string): (PaperCell | undefined)[] =>
      table.data.map(({ name, metric }, at) =>
        columns[at]?.hasPaper ? paperCell(name, metric, id, init) : undefined,
      );
    const inits = orderedInits(table, id);
    const best = table.data.map(({ name }) =>
      bestOf(inits.map((init) => cellOf(table, name, id, init))),
    );
    const rows = [
      ...inits.map(
        (init): PrintedRow => ({
          label: initLabel(init),
          isGain: false,
          cells: table.data.map(({ name }, at) =>
            initCell(cellOf(table, name, id, init), summary.axes.seeds.length, best[at]),
          ),
          paper: paperOf(init).map((cell) => cell && printed(cell.mean, cell.deviation)),
        }),
      ),
      ...gainRows(table.axes.inits).map(
        ({ kind, label, gainOf }): PrintedRow => ({
          label,
          isGain: true,
          cells: table.data.map(({ name }) => {
            const comparison = comparisonOf(table, name, id);
            return gainCell(comparison && gainOf(comparison));
          }),
          paper: paperGains(kind, paperOf),
        }),
      ),
    ];
    return rows.map((row, at) =>
      at === 0 ? { model: modelTitle(modelLabel(id), parameters), ...row } : row,
    );
  });
  const notes = notesOf(table, ({ model, init }) => [modelLabel(model), initLabel(init)]);
  return { columns, groups, caption: captionOf(summary, columns), notes };
}

/** The greatest mean as printed, where two initialisations or more have one. */
function bestOf(cells: readonly (Cell | undefined)[]): string | undefined {
  const means = cells.flatMap((cell) => cell?.metric?.mean ?? []);
  return means.length > 1 ? fixed(Math.max(...means)) : undefined;
}

function printed(value: number, deviation?: number): PrintedCell {
  return {
    value: fixed(value),
    ...(deviation === undefined ? {} : { deviation: fixed(deviation) }),
    isBest: false,
  };
}

function initCell(cell: Cell | undefined, planned: number, best: string | undefined): PrintedCell {
  if (!cell || cell.finishedSeeds.length === 0) return { instead: '–', isBest: false };
  const { metric, metricInterval } = cell;
  if (!metric) return { instead: 'undefined', isBest: false };
  return {
    ...printed(metric.mean, metric.deviation),
    ...(metricInterval
      ? { interval: [fixed(metricInterval.low), fixed(metricInterval.high)] }
      : {}),
    ...(metric.count < planned ? { runs: metric.count } : {}),
    isBest: fixed(metric.mean) === best,
  };
}

function gainCell(gain: Gain | undefined): PrintedCell {
  if (gain?.value === undefined) {
    const isEmpty = gain === undefined || gain.reason === 'no runs to compare';
    return { instead: isEmpty ? '–' : 'undefined', isBest: false };
  }
  const { value, low, high } = gain;
  return {
    ...printed(value),
    ...(low === undefined || high === undefined ? {} : { interval: [fixed(low), fixed(high)] }),
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

function captionOf({ name, axes, environment }: StudySummary, columns: PrintedColumn[]): string {
  const { precisions, devices } = environment;
  const seeds = axes.seeds.length;
  return [
    `Test metric of the best checkpoint by initialisation (study ${name}).`,
    seeds > 1
      ? `Mean ± sample standard deviation over up to ${seeds} seeds${seeds > 2 ? ', 95 % bootstrap interval of the mean in brackets' : ''}.`
      : 'One seed.',
    'The best initialisation of each data set and model is bold.',
    `WT/RI is the gain of transfer, (WT−ST)/WT the share that comes from feature reuse.`,
    ...(columns.some(({ hasPaper }) => hasPaper)
      ? [
          'Beside them the numbers of Matsoukas et al., CVPR 2022, table 1 (mean ± sd of five runs; gains are ratios of its means).',
        ]
      : []),
    ...(precisions.length > 0 ? [`Precision ${precisions.join(', ')}.`] : []),
    ...(devices.length > 0 ? [`Device ${devices.join(', ')}.`] : []),
  ].join(' ');
}
