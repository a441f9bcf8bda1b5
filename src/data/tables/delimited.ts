/** CSV and TSV as people and spreadsheets write them. */
import { CsvError, parse } from 'csv-parse/sync';
import { RequestError } from '../../util/index.ts';
import { positionsOf, RowCells, type Table } from './cells.ts';

/**
 * Text with a header: comma, semicolon or tab between cells. Empty lines are passed over.
 * @throws RequestError where the text cannot be read as such.
 */
export function parseDelimited(path: string, text: string): Table {
  const records = parseRecords(path, text, delimiterOf(text));
  const [header, ...body] = records;
  if (!header || body.length === 0) {
    throw new RequestError({
      where: path,
      expected: 'a header and at least one row',
      got: header ? 'a header alone' : 'an empty file',
    });
  }
  const columns = header.cells;
  // Spreadsheets leave nameless columns behind, which nobody can ask for.
  const twice = columns.find((name, index) => name !== '' && columns.indexOf(name) !== index);
  if (twice !== undefined) {
    throw new RequestError({
      where: `${path}, row ${header.line}`,
      expected: 'each column once',
      got: `"${twice}" twice`,
      hint: 'rename one of them',
    });
  }
  const positions = positionsOf(columns);
  const rows = body.map(({ line, cells }) => ({
    line,
    width: cells.length,
    cells: new RowCells(positions, cells),
  }));
  return { path, columns, rows, listColumns: new Set() };
}

/** Comma, semicolon or tab: whichever the first line with text has most of, outside of quotes. */
function delimiterOf(text: string): string {
  const first = text.split(/\r?\n/).find((line) => line.trim() !== '') ?? '';
  const bare = first.replace(/"[^"]*"/g, '');
  const counts = [',', ';', '\t'].map((mark) => ({ mark, count: bare.split(mark).length }));
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
