/** `carryover study query`: SQL over a study's runs, metrics, analysis values and logs. */
import type { Command } from 'commander';
import type { CsvCell } from '../../../results/index.ts';
import type { QueryResult } from '../../../study/index.ts';
import { RequestError } from '../../../util/index.ts';
import { type Output, outputOf } from '../../output.ts';
import { stopOnSignals } from '../../signals.ts';
import { loadResults, loadStudies, type StudyOptions } from './prepare.ts';

interface QueryOptions extends StudyOptions {
  csv?: boolean;
  schema?: boolean;
}

export function registerQuery(study: Command): void {
  study
    .command('query')
    .description('one SQL query over the views runs, metrics, taps and log; reads, never writes')
    .argument('[study]', 'the study file, or the folder of the study')
    .argument('[sql]', 'a SELECT, as DuckDB has it')
    .option('--out <folder>', "the study's folder (default: runs/<study>)")
    .option('--csv', 'print CSV with all digits, instead of a table')
    .option('--schema', 'list the views and their columns')
    .addHelpText(
      'after',
      '\nWorks while the study runs, and needs the optional package @duckdb/node-api.\n' +
        '\nExamples:\n' +
        '  $ carryover study query --schema\n' +
        '  $ carryover study query study.yaml "SELECT init, avg(test_metric) FROM runs GROUP BY init"\n' +
        "  $ carryover study query runs/skin \"SELECT tap, avg(value) FROM taps WHERE measure = 'knn'\n" +
        '      GROUP BY tap" --csv',
    )
    .action(
      (
        path: string | undefined,
        sql: string | undefined,
        options: QueryOptions,
        command: Command,
      ) => query(path, sql, options, outputOf(command)),
    );
}

async function query(
  path: string | undefined,
  sql: string | undefined,
  options: QueryOptions,
  output: Output,
): Promise<void> {
  if (options.schema) {
    await showSchema(output);
    return;
  }
  if (options.csv && output.json) {
    throw new RequestError({
      where: 'study query',
      expected: '--csv or --json',
      got: 'both',
    });
  }
  if (path === undefined || sql === undefined) {
    throw new RequestError({
      where: 'study query',
      expected: 'a study and a query',
      got: path === undefined ? 'neither' : 'no query',
      hint: 'carryover study query study.yaml "SELECT * FROM runs"; --schema lists the columns',
    });
  }
  using stop = stopOnSignals();
  const { locateFolder, queryStudy, readPlan } = await loadStudies();
  const plan = await readPlan(await locateFolder(path, options.out));
  const result = await queryStudy(plan, sql, { signal: stop.signal });
  for (const note of result.notes) output.warn(note);
  if (options.csv) {
    const { formatCsv } = await loadResults();
    const names = result.columns.map(({ name }) => name);
    output.line(
      formatCsv(
        names,
        result.rows.map((row) => row.map(csvCell)),
      ).trimEnd(),
    );
    return;
  }
  if (!output.json) showRows(result, output);
  output.document({
    columns: result.columns,
    rows: result.rows.map((row) =>
      Object.fromEntries(result.columns.map(({ name }, at) => [name, row[at]])),
    ),
  });
}

async function showSchema(output: Output): Promise<void> {
  const { queryViews } = await loadStudies();
  for (const { name, about, columns } of queryViews) {
    output.line(`${name}: ${about}`);
    output.table({
      columns: ['  column', 'type', 'what it holds'],
      rows: columns.map((column) => [`  ${column.name}`, column.type, column.about]),
    });
    output.line();
  }
  output.document({
    views: queryViews.map(({ name, about, columns }) => ({
      name,
      about,
      columns: columns.map((column) => ({
        name: column.name,
        type: column.type,
        about: column.about,
      })),
    })),
  });
}

function showRows({ columns, rows }: QueryResult, output: Output): void {
  output.table({
    columns: columns.map(({ name }) => name),
    rows: rows.map((row) => row.map(shown)),
  });
  output.note(`${rows.length} ${rows.length === 1 ? 'row' : 'rows'}`);
}

/** A value in a table for people: six digits are enough. */
function shown(value: unknown): string | number | undefined {
  if (value === null || value === undefined) return undefined;
  if (typeof value === 'number') {
    return Number.isInteger(value) ? value : Number(value.toPrecision(6));
  }
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function csvCell(value: unknown): CsvCell {
  if (value === null || value === undefined) return undefined;
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'string') {
    return value;
  }
  return JSON.stringify(value);
}
