/** Reading a table of images and labels: CSV, TSV, JSON Lines or Parquet, told by content. */
import { open, readFile } from 'node:fs/promises';
import { errorCode, nearestNames, RequestError } from '../util/index.ts';
import type { Table } from './tables/cells.ts';
import { parseDelimited } from './tables/delimited.ts';
import { isJson, parseJsonLines } from './tables/jsonLines.ts';
import { readParquet } from './tables/parquet.ts';

export type { Table, TableRow } from './tables/cells.ts';

/**
 * A table with named columns. Text is comma-, semicolon- or tab-separated with a header, or JSON
 * Lines; UTF-8 or UTF-16, with or without a byte-order mark. Parquet is read with DuckDB.
 * @throws RequestError where the file cannot be read as such.
 */
export async function readTable(path: string): Promise<Table> {
  const head = await readHead(path);
  const stranger = strangers.find(({ signature }) => head.startsWith(signature));
  if (stranger) {
    throw new RequestError({
      where: path,
      expected: 'CSV, TSV, JSON Lines or Parquet',
      got: stranger.name,
      hint: stranger.hint,
    });
  }
  if (head.startsWith('PAR1')) return readParquet(path);
  const text = decodeText(path, await readFile(path));
  return isJson(text) ? parseJsonLines(path, text) : parseDelimited(path, text);
}

/** Files that are taken for tables and are none, by their first bytes. */
const strangers = [
  { signature: 'PK\x03\x04', name: 'a zip or Excel file', hint: 'save it as "CSV UTF-8"' },
  { signature: '\xd0\xcf\x11\xe0', name: 'an old Excel file', hint: 'save it as "CSV UTF-8"' },
  { signature: '\x1f\x8b', name: 'a gzip file', hint: 'unpack it with gunzip' },
];

/**
 * The column that the user named, or the first of `candidates` that the file has, in any case.
 * @param key the setting that names the column, for the error.
 * @throws RequestError where a named column, or a required one, is missing.
 */
export function findColumn(
  table: Table,
  key: string,
  named: string | undefined,
  candidates: readonly string[],
  required: boolean,
): string | undefined {
  if (named !== undefined) {
    if (table.columns.includes(named)) return named;
    const near = nearestNames(named, table.columns);
    throw new RequestError({
      where: table.path,
      expected: `a column "${named}" (${key})`,
      got: `the columns ${table.columns.join(', ')}`,
      hint: near.length > 0 ? `did you mean ${near.join(', ')}?` : `set ${key} to one of them`,
    });
  }
  const normal = (name: string): string => name.toLowerCase().replace(/[\s_-]+/g, '');
  for (const candidate of candidates) {
    const found = table.columns.find((name) => normal(name) === normal(candidate));
    if (found !== undefined) return found;
  }
  if (!required) return undefined;
  throw new RequestError({
    where: table.path,
    expected: `a column named ${candidates.slice(0, 4).join(', ')} or the like`,
    got: `the columns ${table.columns.join(', ')}`,
    hint: `name it: ${key}: <column>`,
  });
}

/** The first bytes as Latin-1. */
async function readHead(path: string): Promise<string> {
  try {
    const file = await open(path, 'r');
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(8), 0, 8, 0);
      return buffer.toString('latin1', 0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    const code = errorCode(error) ?? String(error);
    const got =
      code === 'ENOENT' ? 'no such file' : code === 'EISDIR' ? 'a folder' : `${code} on reading it`;
    throw new RequestError(
      { where: path, expected: 'a CSV file', got, hint: 'check the path' },
      { cause: error },
    );
  }
}

function decodeText(path: string, bytes: Buffer): string {
  const mark = bytes.subarray(0, 2).toString('hex');
  const encoding = mark === 'fffe' ? 'utf-16le' : mark === 'feff' ? 'utf-16be' : 'utf-8';
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    throw new RequestError({
      where: path,
      expected: 'UTF-8 text',
      got: 'bytes of another encoding',
      hint: 'save it as "CSV UTF-8"',
    });
  }
}
