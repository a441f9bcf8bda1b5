/** The table of a study in the layout of the paper's table 1, as CSV and as text. */
import {
  type Aggregate,
  type Cell,
  type Comparison,
  type CsvCell,
  type DataSummary,
  formatCsv,
  type Gain,
  initRank,
  type Spread,
} from '../results/index.ts';

/** Names of the metrics as tables print them. */
const metricTitles: Record<string, string> = { kappa: 'κ', recall: 'recall', auc: 'AUC' };

type GainRow = { label: string; gainOf: (comparison: Comparison) => Gain };

/** The gains that the study's initialisations allow. */
function gainRows(inits: readonly string[]): GainRow[] {
  const has = (init: string): boolean => inits.includes(init);
  return [
    ...(has('wt') && has('ri')
      ? [{ label: 'WT/RI', gainOf: ({ transfer }: Comparison) => transfer }]
      : []),
    ...(has('wt') && has('st')
      ? [{ label: '(WT-ST)/WT', gainOf: ({ reuse }: Comparison) => reuse }]
      : []),
  ];
}

/** The rows of a model: RI, ST, WT-ST-n/m in order of n, WT. */
function orderedInits({ axes }: Aggregate, model: string): string[] {
  return [...(axes.initsOf?.[model] ?? axes.inits)].sort((a, b) => initRank(a) - initRank(b));
}

const cellOf = (table: Aggregate, data: string, model: string, init: string): Cell | undefined =>
  table.cells.find((cell) => cell.data === data && cell.model === model && cell.init === init);

const comparisonOf = (table: Aggregate, data: string, model: string): Comparison | undefined =>
  table.comparisons.find((item) => item.data === data && item.model === model);

/** `table1.csv`: one row a model and initialisation or gain, a group of columns a data set. */
export function formatTable1(table: Aggregate): string {
  const columns = ['model', 'parameters', 'row'];
  for (const { name, metric } of table.data) {
    const metricName = metric ?? 'metric';
    columns.push(
      `${name} n`,
      `${name} ${metricName}`,
      `${name} sd`,
      `${name} 95% low`,
      `${name} 95% high`,
      `${name} runs`,
      `${name} note`,
      `${name} iterations to best`,
      `${name} iterations to best sd`,
      `${name} iterations to RI best`,
      `${name} iterations to RI best sd`,
    );
  }
  const rows = table.models.flatMap(({ id: model, parameters }) => [
    ...orderedInits(table, model).map((init) => [
      model,
      parameters,
      init.toUpperCase(),
      ...table.data.flatMap((data) => initCells(data, cellOf(table, data.name, model, init))),
    ]),
    ...gainRows(table.axes.inits).map(({ label, gainOf }) => [
      model,
      parameters,
      label,
      ...table.data.flatMap((data) => {
        const comparison = comparisonOf(table, data.name, model);
        return gainCells(data, comparison && gainOf(comparison));
      }),
    ]),
    ...(gainRows(table.axes.inits).some(({ label }) => label === '(WT-ST)/WT')
      ? [
          [
            model,
            parameters,
            '(WT-ST)/WT, 0 to 1 over the study',
            ...table.data.flatMap((data) => {
              const value = comparisonOf(table, data.name, model)?.reuseNormalised;
              return gainCells(data, { value });
            }),
          ],
        ]
      : []),
  ]);
  return formatCsv(columns, rows);
}

function initCells(data: DataSummary, cell: Cell | undefined): CsvCell[] {
  return [
    data.samples,
    cell?.metric?.mean,
    cell?.metric?.deviation,
    cell?.metricInterval?.low,
    cell?.metricInterval?.high,
    cell?.metric?.count ?? 0,
    cell ? noteOf(cell) : undefined,
    cell?.iterationsToBest?.mean,
    cell?.iterationsToBest?.deviation,
    cell?.iterationsToReference?.mean,
    cell?.iterationsToReference?.deviation,
  ];
}

function gainCells(data: DataSummary, gain: Gain | undefined): CsvCell[] {
  const { value, low, high, reason } = gain ?? {};
  const none = undefined;
  return [data.samples, value, none, low, high, none, reason, none, none, none, none];
}

/** What is wrong with a cell: runs that are missing or whose metric is undefined. */
function noteOf({ missingSeeds, undefinedRuns }: Cell): string | undefined {
  const reasons = [...new Set(undefinedRuns.map(({ reason }) => reason))];
  const notes = [
    ...(missingSeeds.length > 0 ? [`not finished: seed ${missingSeeds.join(', ')}`] : []),
    ...(undefinedRuns.length > 0
      ? [
          `undefined: seed ${undefinedRuns.map(({ seed }) => seed).join(', ')} (${reasons.join('; ')})`,
        ]
      : []),
  ];
  return notes.length > 0 ? notes.join('; ') : undefined;
}

export interface TextTable {
  columns: string[];
  rows: string[][];
  /** What to know of the cells: runs that are missing, metrics that are undefined. */
  notes: string[];
}

/** The table for the console: metric, and iterations to the best validation metric beside it. */
export function describeTable1(table: Aggregate): TextTable {
  const columns = ['model', ''];
  for (const { name, metric, samples } of table.data) {
    const title = metric ? `, ${metricTitles[metric] ?? metric} ↑` : '';
    const size = samples === undefined ? '' : `, n = ${samples.toLocaleString('en-US')}`;
    columns.push(`${name}${title}${size}`, 'iterations to best (to RI’s best)');
  }
  const rows = table.models.flatMap(({ id: model, parameters }) => [
    ...orderedInits(table, model).map((init, at) => [
      at === 0 ? modelTitle(model, parameters) : '',
      init.toUpperCase(),
      ...table.data.flatMap(({ name }) => {
        const reference = cellOf(table, name, model, 'ri');
        return describeCell(cellOf(table, name, model, init), table, reference);
      }),
    ]),
    ...gainRows(table.axes.inits).map(({ label, gainOf }) => [
      '',
      label.replace('-', '−'),
      ...table.data.flatMap(({ name }) => {
        const comparison = comparisonOf(table, name, model);
        return [comparison ? describeGain(gainOf(comparison)) : '', ''];
      }),
    ]),
  ]);
  const notes = table.cells.flatMap((cell) => {
    const note = noteOf(cell);
    return note ? [`${cell.data} ${cell.model} ${cell.init.toUpperCase()}: ${note}`] : [];
  });
  if (table.precisions.length > 1) {
    notes.push(`runs differ in precision: ${table.precisions.join(', ')} (results.csv says which)`);
  }
  return { columns, rows, notes };
}

/** `resnet50 (23.5M)`, as the paper's table counts parameters. */
function modelTitle(id: string, parameters: number | undefined): string {
  return parameters === undefined ? id : `${id} (${(parameters / 1e6).toFixed(1)}M)`;
}

function describeCell(
  cell: Cell | undefined,
  { axes }: Aggregate,
  reference: Cell | undefined,
): [string, string] {
  if (!cell || cell.finishedSeeds.length === 0) return ['–', '–'];
  const { metric, iterationsToBest } = cell;
  const partial = metric && metric.count < axes.seeds.length ? ` (${metric.count} runs)` : '';
  const reached = describeReached(cell, reference);
  return [
    metric ? `${describeSpread(metric, 3)}${partial}` : 'undefined',
    iterationsToBest ? `${describeCount(iterationsToBest)}${reached}` : '–',
  ];
}

/** When validation reached RI's best, and in how many of the runs where not in all. */
function describeReached(
  { iterationsToReference, finishedSeeds }: Cell,
  ri: Cell | undefined,
): string {
  if (!ri || ri.finishedSeeds.length === 0) return '';
  if (!iterationsToReference) return ' (never)';
  const [reached, finished] = [iterationsToReference.count, finishedSeeds.length];
  const share = reached < finished ? `, ${reached} of ${finished} runs` : '';
  return ` (${describeCount(iterationsToReference)}${share})`;
}

/** `0.412 ± 0.013`; the deviation only where there are two values. */
export function describeSpread({ mean, deviation }: Spread, digits: number): string {
  const centre = mean.toFixed(digits);
  return deviation === undefined ? centre : `${centre} ± ${deviation.toFixed(digits)}`;
}

const describeCount = (spread: Spread): string => describeSpread(spread, 0);

/** `1.213 [1.101, 1.318]`. */
function describeGain({ value, low, high, reason }: Gain): string {
  if (value === undefined) return reason === 'no runs to compare' ? '–' : `undefined: ${reason}`;
  const bounds =
    low === undefined || high === undefined ? '' : ` [${low.toFixed(3)}, ${high.toFixed(3)}]`;
  return `${value.toFixed(3)}${bounds}`;
}
