/** Reading a CSV file that a person or a spreadsheet wrote. */
import { readFile } from 'node:fs/promises';
import { CsvError, parse } from 'csv-parse/sync';
import { nearestNames, RequestError } from '../util/index.ts';

export interface TableRow {
  /** Line of the file, the header being line 1 of most. */
  line: number;
  /** By column name, without surrounding blanks. Absent cells are empty. */
  cells: ReadonlyMap<string, string>;
  /** How many cells the row has: not that of the header where the row is damaged. */
  width: number;
}

export interface Table {
  path: string;
  columns: string[];
  rows: TableRow[];
}

/**
 * A CSV file with a header: comma, semicolon or tab between cells, UTF-8 or UTF-16, with or without a
 * byte-order mark. Empty lines are passed over.
 * @throws RequestError where the file cannot be read as such.
 */
export async function readTable(path: string): Promise<Table> {
  const text = decodeText(path, await readBytes(path));
  const delimiter = delimiterOf(text);
  const records = parseRecords(path, text, delimiter);
  const [header, ...body] = records;
  if (!header || body.length === 0) {
    throw new RequestError({
      where: path,
      expected: 'a header and at least one row',
      got: header ? 'a header alone' : 'an empty file',
    });
  }
  const columns = header.cells;
  const twice = columns.find((name, index) => columns.indexOf(name) !== index);
  if (twice !== undefined) {
    throw new RequestError({
      where: `${path}, row ${header.line}`,
      expected: 'each column once',
      got: `"${twice}" twice`,
      hint: 'rename one of them',
    });
  }
  const rows = body.map(({ line, cells }) => ({
    line,
    width: cells.length,
    cells: new Map(columns.map((name, index) => [name, cells[index] ?? ''])),
  }));
  return { path, columns, rows };
}

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

async function readBytes(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
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

/** Comma, semicolon or tab: whichever the first line has most of. */
function delimiterOf(text: string): string {
  const first = text.split(/\r?\n/, 1)[0] ?? '';
  const counts = [',', ';', '\t'].map((mark) => ({ mark, count: first.split(mark).length }));
  return counts.reduce((best, one) => (one.count > best.count ? one : best)).mark;
}

function parseRecords(
  path: string,
  text: string,
  delimiter: string,
): { line: number; cells: string[] }[] {
  try {
    const lines: number[] = [];
    const records: string[][] = parse(text, {
      bom: true,
      delimiter,
      relax_column_count: true,
      skip_empty_lines: true,
      trim: true,
      on_record: (record: string[], { lines: line }) => {
        lines.push(line);
        return record;
      },
    });
    return records
      .map((cells, index) => ({
        line: lines[index] ?? 0,
        // The parser trims around quotes, not within.
        cells: cells.map((cell) => cell.trim()),
      }))
      .filter(({ cells }) => cells.some((cell) => cell !== ''));
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new RequestError(
      { where: path, expected: 'CSV', got: error.message, hint: 'check the quotes at that place' },
      { cause: error },
    );
  }
}
