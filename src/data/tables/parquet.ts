/** Parquet, through DuckDB, which is installed only where somebody wants it. */
import { RequestError } from '../../util/index.ts';
import { cellText, positionsOf, RowCells, type Table } from './cells.ts';

/** Column types whose contents are no label and no path: pictures kept in the file, for example. */
const unreadable = /^(BLOB|STRUCT|MAP|UNION)/;

/**
 * The rows of a Parquet file, without columns of bytes or structures.
 * @throws RequestError where DuckDB is not installed, or the file is damaged.
 */
export async function readParquet(path: string): Promise<Table> {
  const { DuckDBInstance } = await loadDuckDb(path);
  // Nothing is ever fetched: Parquet is built in.
  const database = await DuckDBInstance.create(':memory:', {
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  });
  const connection = await database.connect();
  try {
    const source = `read_parquet('${literal(path)}')`;
    const described = await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${source}`);
    const types = described.getRowObjectsJson().map(({ column_name: name, column_type: type }) => ({
      name: String(name),
      type: String(type),
    }));
    const kept = types.filter(({ type }) => !(unreadable.test(type) && !type.endsWith('[]')));
    const columns = kept.map(({ name }) => name);
    if (columns.length === 0) throw new Error('no columns of text or numbers');
    const list = columns.map((name) => `"${name.replaceAll('"', '""')}"`).join(', ');
    const result = await connection.runAndReadAll(`SELECT ${list} FROM ${source}`);
    const positions = positionsOf(columns);
    const rows = result.getRowsJson().map((row, index) => ({
      line: index + 1,
      width: columns.length,
      // Where a number is missing, pandas writes NaN.
      cells: new RowCells(
        positions,
        row.map((value) => (value === 'NaN' ? '' : cellText(value))),
      ),
    }));
    if (rows.length === 0) throw new Error('no rows');
    const lists = kept.filter(({ type }) => type.endsWith('[]')).map(({ name }) => name);
    return { path, columns, rows, listColumns: new Set(lists) };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new RequestError(
      {
        where: path,
        expected: 'a Parquet file with rows of text and numbers',
        got: message.split('\n')[0] ?? message,
        hint: 'write it anew, or save it as CSV',
      },
      { cause: error },
    );
  } finally {
    connection.closeSync();
    database.closeSync();
  }
}

async function loadDuckDb(path: string) {
  try {
    return await import('@duckdb/node-api');
  } catch (error) {
    throw new RequestError(
      {
        where: path,
        expected: 'the optional package @duckdb/node-api, which reads Parquet',
        got: 'none that can be loaded',
        hint: 'npm install @duckdb/node-api, or save the table as CSV',
      },
      { cause: error },
    );
  }
}

/** A path in an SQL text: quotes doubled, and no character taken for a pattern. */
function literal(path: string): string {
  return path.replace(/[*?[]/g, '[$&]').replaceAll("'", "''");
}
