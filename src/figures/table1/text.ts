/** Table 1 as text, for the console. */
import type { Aggregate, Cell, Gain, Spread } from '../../results/index.ts';
import { cellOf, comparisonOf, gainRows, noteOf, orderedInits } from './rows.ts';

/** Names of the metrics as the console prints them. */
const metricTitles: Record<string, string> = { kappa: 'κ', recall: 'recall', auc: 'AUC' };

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
export function describeGain({ value, low, high, reason }: Gain): string {
  if (value === undefined) return reason === 'no runs to compare' ? '–' : `undefined: ${reason}`;
  const bounds =
    low === undefined || high === undefined ? '' : ` [${low.toFixed(3)}, ${high.toFixed(3)}]`;
  return `${value.toFixed(3)}${bounds}`;
}
