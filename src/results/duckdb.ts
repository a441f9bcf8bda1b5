/**
 * DuckDB, an optional package: typed tables into it, and out of it as Parquet. Nothing is ever fetched:
 * what is used here (Parquet, JSON) is built in, and extensions are switched off.
 */
import { rename, rm } from 'node:fs/promises';
import type { DuckDBConnection, DuckDBType } from '@duckdb/node-api';
import { explainWriteFailure, RequestError } from '../util/index.ts';
import type { ColumnType, DataColumn } from './dataTable.ts';

const sqlTypes: Record<ColumnType, string> = {
  text: 'VARCHAR',
  whole: 'BIGINT',
  real: 'DOUBLE',
  truth: 'BOOLEAN',
  json: 'JSON',
};

/** Rows that are handed over at once; DuckDB's own vectors are as long. */
const CHUNK = 2048;

/** @throws RequestError where the package is not installed, or not for this machine. */
export async function loadDuckDb(what: string) {
  try {
    return await import('@duckdb/node-api');
  } catch (error) {
    throw new RequestError(
      {
        where: what,
        expected: 'the optional package @duckdb/node-api',
        got: 'none that can be loaded',
        hint: 'npm install @duckdb/node-api; the CSV files hold the same tables',
      },
      { cause: error },
    );
  }
}

export interface MemoryDatabase extends Disposable {
  connection: DuckDBConnection;
}

/** A database in memory that reaches no network and loads no extension. */
export async function openMemoryDatabase(what: string): Promise<MemoryDatabase> {
  const { DuckDBInstance } = await loadDuckDb(what);
  const database = await DuckDBInstance.create(':memory:', {
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    allow_community_extensions: 'false',
  });
  const connection = await database.connect();
  return {
    connection,
    [Symbol.dispose]() {
      connection.closeSync();
      database.closeSync();
    },
  };
}

/** `CREATE TABLE`, with the descriptions as comments. */
export async function createTable(
  connection: DuckDBConnection,
  name: string,
  columns: readonly Pick<DataColumn<never>, 'name' | 'type' | 'about'>[],
): Promise<void> {
  const list = columns.map((column) => `"${column.name}" ${sqlTypes[column.type]}`).join(', ');
  await connection.run(`CREATE TABLE "${name}" (${list})`);
}

/** Adds rows to a table that {@link createTable} made of the same columns. */
export async function insertRows<Row>(
  connection: DuckDBConnection,
  name: string,
  columns: readonly DataColumn<Row>[],
  rows: readonly Row[],
): Promise<void> {
  const { BIGINT, BOOLEAN, DOUBLE, DuckDBDataChunk, VARCHAR } = await loadDuckDb(name);
  const types: Record<ColumnType, DuckDBType> = {
    text: VARCHAR,
    whole: BIGINT,
    real: DOUBLE,
    truth: BOOLEAN,
    json: VARCHAR,
  };
  const appender = await connection.createAppender(name);
  for (let start = 0; start < rows.length; start += CHUNK) {
    const some = rows.slice(start, start + CHUNK);
    const chunk = DuckDBDataChunk.create(
      columns.map(({ type }) => types[type]),
      some.length,
    );
    chunk.setColumns(
      columns.map(({ type, cell }) =>
        some.map((row) => {
          const value = cell(row);
          if (value === undefined) return null;
          return type === 'whole' ? BigInt(value) : value;
        }),
      ),
    );
    appender.appendDataChunk(chunk);
  }
  appender.closeSync();
}

/**
 * Writes a table as Parquet (zstd), whole or not at all.
 * @throws RequestError where DuckDB is not installed; WorkError where the disk is full.
 */
export async function writeParquetTable<Row>(
  path: string,
  columns: readonly DataColumn<Row>[],
  rows: readonly Row[],
): Promise<void> {
  using database = await openMemoryDatabase(path);
  const { connection } = database;
  await createTable(connection, 'written', columns);
  await insertRows(connection, 'written', columns, rows);
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await connection.run(
      `COPY written TO '${temporary.replaceAll("'", "''")}' (FORMAT parquet, COMPRESSION zstd)`,
    );
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw explainWriteFailure(path, error);
  }
}
