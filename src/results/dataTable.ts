/** Tables with typed columns: one description for CSV, Parquet and the views of `study query`. */
import { writeFileWhole } from '../util/index.ts';
import { type CsvCell, formatCsv } from './csv.ts';

/** `text`: VARCHAR, `whole`: BIGINT, `real`: DOUBLE, `truth`: BOOLEAN, `json`: JSON as text. All may be absent. */
export type ColumnType = 'text' | 'whole' | 'real' | 'truth' | 'json';

export interface DataColumn<Row> {
  name: string;
  type: ColumnType;
  /** What the column holds, for people; units where it has any. */
  about: string;
  cell: (row: Row) => CsvCell;
}

const columnOf =
  (type: ColumnType) =>
  <Row>(name: string, about: string, cell: (row: Row) => CsvCell): DataColumn<Row> => ({
    name,
    type,
    about,
    cell,
  });

/** Columns of each type: name, what it holds, and its cell of a row. */
export const text = columnOf('text');
export const whole = columnOf('whole');
export const real = columnOf('real');
export const truth = columnOf('truth');
export const json = columnOf('json');

/** The text of a table as CSV; what is absent is an empty field. */
export function formatCsvTable<Row>(
  columns: readonly DataColumn<Row>[],
  rows: readonly Row[],
): string {
  return formatCsv(
    columns.map(({ name }) => name),
    rows.map((row) => columns.map(({ cell }) => cell(row))),
  );
}

/** Writes a table as CSV, whole or not at all. */
export async function writeCsvTable<Row>(
  path: string,
  columns: readonly DataColumn<Row>[],
  rows: readonly Row[],
): Promise<void> {
  await writeFileWhole(path, formatCsvTable(columns, rows));
}
