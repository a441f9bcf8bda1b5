/** JSON Lines: an object in each line, its keys the columns. */
import { RequestError } from '../../util/index.ts';
import { problemList } from '../problems.ts';
import { cellText, positionsOf, RowCells, type Table } from './cells.ts';

interface Line {
  line: number;
  entries: Map<string, unknown>;
}

/** True of text that is JSON rather than a table with a header. */
export function isJson(text: string): boolean {
  return /^\s*(\{\s*["}]|\[\s*[{[\]])/.test(text);
}

/**
 * The rows of a JSON Lines file. Columns are all keys of all rows; a key that a row does not have is an
 * empty cell there.
 * @throws RequestError that lists the lines that are no objects.
 */
export function parseJsonLines(path: string, text: string): Table {
  if (/^\s*\[/.test(text)) {
    throw new RequestError({
      where: path,
      expected: 'JSON Lines: one object in each line',
      got: 'one JSON list',
      hint: "convert it, for example with jq -c '.[]'",
    });
  }
  const problems: string[] = [];
  const lines = text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .flatMap((content, index) => {
      const parsed = parseLine(content, index + 1);
      if (typeof parsed === 'string') problems.push(parsed);
      return typeof parsed === 'object' ? [parsed] : [];
    });
  if (problems.length > 0) {
    throw new RequestError({
      where: path,
      expected: 'JSON Lines: one object in each line',
      got: problemList(problems, 'fault'),
      hint: 'correct or remove these lines',
    });
  }
  const columns = [...new Set(lines.flatMap(({ entries }) => [...entries.keys()]))];
  const listColumns = new Set<string>();
  const positions = positionsOf(columns);
  const rows = lines.map(({ line, entries }) => {
    for (const [name, value] of entries) if (Array.isArray(value)) listColumns.add(name);
    const cells = columns.map((name) => cellText(entries.get(name)));
    return { line, width: columns.length, cells: new RowCells(positions, cells) };
  });
  return { path, columns, rows, listColumns };
}

/** A line's object, what is wrong with it, or nothing for a blank one. */
function parseLine(content: string, line: number): Line | string | undefined {
  if (content.trim() === '') return undefined;
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch (error) {
    return `row ${line}: ${error instanceof Error ? error.message : String(error)}`;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const kind = value === null ? 'null' : Array.isArray(value) ? 'a list' : `a ${typeof value}`;
    return `row ${line}: ${kind}, where an object was expected`;
  }
  return { line, entries: new Map(Object.entries(value)) };
}
