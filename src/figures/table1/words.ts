/** Words and numbers that the formats of table 1 share. */
import type { Aggregate, Cell } from '../../results/index.ts';
import { noteOf } from './rows.ts';

const metricTitles: Record<string, string> = { kappa: 'κ', recall: 'recall', auc: 'AUC' };

/** `κ`, `recall`, `AUC`. */
export function metricTitle(metric: string): string {
  return metricTitles[metric] ?? metric;
}

/** `DeiT-S (22M)`, as the paper's table counts parameters. */
export function modelTitle(name: string, parameters: number | undefined): string {
  if (parameters === undefined) return name;
  const millions = parameters / 1e6;
  return `${name} (${millions.toFixed(millions < 10 ? 1 : 0)}M)`;
}

/**
 * What to know of a table: runs that are missing, metrics that are undefined, differing precision.
 * @param nameOf the names of a cell's model and initialisation
 */
export function notesOf(
  { cells, precisions }: Aggregate,
  nameOf: (cell: Cell) => readonly string[],
): string[] {
  const notes = cells.flatMap((cell) => {
    const note = noteOf(cell);
    return note ? [`${[cell.data, ...nameOf(cell)].join(', ')}: ${note}`] : [];
  });
  return precisions.length > 1
    ? [...notes, `runs differ in precision: ${precisions.join(', ')} (results.csv says which)`]
    : notes;
}
