/** A table in memory, whatever kind of file it came from. */

/** The cells of a row by column name; `undefined` for a column that the table does not have. */
export interface Cells {
  get(column: string): string | undefined;
}

export interface TableRow {
  /** Where the row is in the file: its line in text, its number from 1 in Parquet. */
  line: number;
  /** Without surrounding blanks. Absent cells are empty; a list's items are joined by `|`. */
  cells: Cells;
  /** How many cells the row has: not that of the header where the row is damaged. */
  width: number;
}

export interface Table {
  path: string;
  columns: string[];
  rows: TableRow[];
  /** Columns with lists in them, of files that can hold lists. */
  listColumns: ReadonlySet<string>;
}

/** Rows as lists in the columns' order: the names are kept once, not in every row. */
export class RowCells implements Cells {
  readonly #positions: ReadonlyMap<string, number>;
  readonly #values: readonly string[];

  constructor(positions: ReadonlyMap<string, number>, values: readonly string[]) {
    this.#positions = positions;
    this.#values = values;
  }

  get(column: string): string | undefined {
    const position = this.#positions.get(column);
    return position === undefined ? undefined : (this.#values[position] ?? '');
  }
}

/** Where each column is. */
export function positionsOf(columns: readonly string[]): Map<string, number> {
  return new Map(columns.map((name, index) => [name, index]));
}

/** Between the items of a list in a cell. */
export const listSeparator = '|';

/** What JSON or Parquet has in a cell, as text: nothing for null, items joined for a list. */
export function cellText(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'string') return value.trim();
  if (Array.isArray(value)) return value.map(cellText).join(listSeparator);
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
