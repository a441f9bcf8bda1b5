/** Table 1 as text, for the console. */
import type { Aggregate, Cell, Gain, Spread } from '../../results/index.ts';
import { counted, decimal, whole } from '../../util/index.ts';
import { initLabel } from '../labels.ts';
import { cellOf, comparisonOf, gainRows, orderedInits } from './rows.ts';
import { metricTitle, modelTitle, notesOf } from './words.ts';

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
    const title = metric ? `, ${metricTitle(metric)} ↑` : '';
    const size = samples === undefined ? '' : `, n = ${whole(samples)}`;
    columns.push(`${name}${title}${size}`, 'iterations to best (to RI’s best)');
  }
  const rows = table.models.flatMap(({ id: model, parameters }) => [
    ...orderedInits(table, model).map((init, at) => [
      at === 0 ? modelTitle(model, parameters) : '',
      initLabel(init),
      ...table.data.flatMap(({ name }) => {
        const reference = cellOf(table, name, model, 'ri');
        return describeCell(cellOf(table, name, model, init), table, reference);
      }),
    ]),
    ...gainRows(table.axes.inits).map(({ label, gainOf }) => [
      '',
      label,
      ...table.data.flatMap(({ name }) => {
        const comparison = comparisonOf(table, name, model);
        return [comparison ? describeGain(gainOf(comparison)) : '', ''];
      }),
    ]),
  ]);
  // By their ids, as commands take them.
  const notes = notesOf(table, ({ model, init }) => [model, initLabel(init)]);
  return { columns, rows, notes };
}

function describeCell(
  cell: Cell | undefined,
  { axes }: Aggregate,
  reference: Cell | undefined,
): [string, string] {
  if (!cell || cell.finishedSeeds.length === 0) return ['–', '–'];
  const { metric, iterationsToBest } = cell;
  const partial =
    metric && metric.count < axes.seeds.length ? ` (${counted(metric.count, 'run')})` : '';
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
function describeSpread({ mean, deviation }: Spread, digits: number): string {
  const centre = decimal(mean, digits);
  return deviation === undefined ? centre : `${centre} ± ${decimal(deviation, digits)}`;
}

const describeCount = (spread: Spread): string => describeSpread(spread, 0);

/** `1.213 [1.101, 1.318]`. */
function describeGain({ value, low, high, reason }: Gain): string {
  if (value === undefined) return reason === 'no runs to compare' ? '–' : `undefined: ${reason}`;
  const bounds =
    low === undefined || high === undefined ? '' : ` [${decimal(low)}, ${decimal(high)}]`;
  return `${decimal(value)}${bounds}`;
}
