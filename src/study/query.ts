/**
 * SQL over a study: its files are read into tables in memory, then the database is shut off from files,
 * network and extensions, and only then sees the user's query. Nothing of the study can be written.
 */
import { existsSync } from 'node:fs';
import {
  type ColumnType,
  createTable,
  type DataColumn,
  insertRows,
  json,
  openMemoryDatabase,
  real,
  runPaths,
  text,
  truth,
  whole,
} from '../results/index.ts';
import { nearestNames, RequestError } from '../util/index.ts';
import { readAnalysisValues } from './analysisTable.ts';
import type { Plan } from './plan.ts';
import { type PlannedRun, studyPaths } from './run.ts';
import { type RunState, readStates } from './state.ts';
import { readRows } from './summary.ts';
import {
  metricColumns,
  metricRows,
  type RunRow,
  runColumns,
  runViewColumns,
  valueColumns,
} from './values.ts';

type Database = Awaited<ReturnType<typeof openMemoryDatabase>>;
type Connection = Database['connection'];

export interface ViewColumn {
  name: string;
  type: ColumnType;
  about: string;
}

export interface QueryView {
  name: 'runs' | 'metrics' | 'taps' | 'log';
  about: string;
  columns: readonly ViewColumn[];
}

const absent = (): undefined => undefined;

/** What a line of log.jsonl says, with its type for DuckDB's reader. */
const lineColumns: readonly DataColumn<never>[] = [
  text('kind', 'train (the mean loss since the line before) or evaluation (of validation)', absent),
  whole('iteration', 'steps done', absent),
  real('epoch', 'epochs done, with their parts', absent),
  real('learning_rate', 'at that step', absent),
  real('loss', 'mean loss', absent),
  text('metric', 'what the data set is judged by; of evaluations', absent),
  real('value', 'that metric', absent),
  text('undefined_reason', 'why the metric is undefined', absent),
  truth('best', 'whether it was the best so far', absent),
  text('schedule', 'continue, reduced or stop', absent),
  json('metrics', 'every metric of the evaluation', absent),
];

/** The names in log.jsonl of the columns that are called otherwise. */
const lineKeys: Record<string, string> = {
  learning_rate: 'learningRate',
  undefined_reason: 'reason',
};

const runsOnly = runColumns<PlannedRun>((run) => run);

export const queryViews: readonly QueryView[] = [
  {
    name: 'runs',
    about: 'one row a planned run: its state, and its result where it is done',
    columns: runViewColumns,
  },
  {
    name: 'metrics',
    about: 'every metric of every finished run, validation and test, over all classes and of each',
    columns: metricColumns,
  },
  {
    name: 'taps',
    about: 'every number of every analysis of every finished run, by tap',
    columns: valueColumns,
  },
  {
    name: 'log',
    about: 'the lines of every run’s log.jsonl, of runs that are going too',
    columns: [...runsOnly, ...lineColumns],
  },
];

export interface QueryResult {
  columns: { name: string; type: string }[];
  rows: unknown[][];
  /** What could not be read, and is not among the rows. */
  notes: string[];
}

/**
 * The rows that one SELECT gives.
 * @throws RequestError for SQL that is wrong or is no query, or where DuckDB is not installed.
 */
export async function queryStudy(
  plan: Plan,
  sql: string,
  { signal }: { signal?: AbortSignal } = {},
): Promise<QueryResult> {
  const needed = await checkQuery(sql);
  using database = await openMemoryDatabase('study query');
  const { connection } = database;
  await createViews(connection);
  const notes = await fill(connection, plan, needed);
  await shutOff(connection);
  const interrupt = (): void => connection.interrupt();
  signal?.addEventListener('abort', interrupt, { once: true });
  try {
    const result = await connection.runAndReadAll(sql);
    const types = result.columnTypes().map(String);
    return {
      notes,
      columns: result
        .deduplicatedColumnNames()
        .map((name, at) => ({ name, type: types[at] ?? 'VARCHAR' })),
      rows: result
        .getRowsJson()
        .map((row) => row.map((value, at) => plainValue(value, types[at] ?? 'VARCHAR'))),
    };
  } catch (error) {
    signal?.throwIfAborted();
    throw explain(error);
  } finally {
    signal?.removeEventListener('abort', interrupt);
  }
}

/**
 * Looks at a query without any data, in a database that is shut off already.
 * @returns the views that it reads
 */
async function checkQuery(sql: string): Promise<Set<string>> {
  using database = await openMemoryDatabase('study query');
  const { connection } = database;
  const { StatementType } = await import('@duckdb/node-api');
  await createViews(connection);
  await shutOff(connection);
  try {
    // DuckDB has no words for a text without a statement.
    const statements = sql.trim() === '' ? undefined : await connection.extractStatements(sql);
    if (statements?.count !== 1) {
      throw new RequestError({
        where: 'query',
        expected: 'one SELECT',
        got: `${statements?.count ?? 0} statements`,
      });
    }
    const statement = await statements.prepare(0);
    const { statementType } = statement;
    if (statementType !== StatementType.SELECT && statementType !== StatementType.EXPLAIN) {
      throw new RequestError({
        where: 'query',
        expected: 'a SELECT: a study is read here, never written',
        got: StatementType[statementType] ?? 'another statement',
      });
    }
    // By the words of the text: DuckDB's own list of tables leaves some out (those of joins).
    const words = new Set(sql.toLowerCase().match(/\w+/g));
    return new Set(queryViews.map(({ name }) => name).filter((name) => words.has(name)));
  } catch (error) {
    throw error instanceof RequestError ? error : explain(error);
  }
}

async function createViews(connection: Connection): Promise<void> {
  for (const { name, columns } of queryViews) await createTable(connection, name, columns);
}

/** From here on the database reaches no file, no network and no extension, and cannot be told to. */
async function shutOff(connection: Connection): Promise<void> {
  await connection.run("SET temp_directory = ''");
  await connection.run('SET enable_external_access = false');
  await connection.run('SET lock_configuration = true');
}

async function fill(
  connection: Connection,
  plan: Plan,
  needed: ReadonlySet<string>,
): Promise<string[]> {
  if (needed.size === 0) return [];
  const notes: string[] = [];
  const states = await readStates(plan.folder, plan.runs);
  if (needed.has('runs')) {
    const results = new Map((await readRows(plan, states)).map((row) => [row.runId, row]));
    const rows = states.map((state): RunRow => ({ state, result: results.get(state.run.id) }));
    await insertRows(connection, 'runs', runViewColumns, rows);
  }
  if (needed.has('metrics')) {
    await insertRows(connection, 'metrics', metricColumns, states.flatMap(metricRows));
  }
  if (needed.has('taps')) {
    const { values, problems } = await readAnalysisValues(plan, states);
    notes.push(...problems);
    await insertRows(connection, 'taps', valueColumns, values);
  }
  if (needed.has('log')) await fillLog(connection, plan, states);
  return notes;
}

/** Logs are the bulk of a study: DuckDB's own reader takes them. A last line that was cut off is left out. */
async function fillLog(
  connection: Connection,
  plan: Plan,
  states: readonly RunState[],
): Promise<void> {
  const paths = studyPaths(plan.folder);
  const files = states
    .filter(({ record }) => record !== undefined)
    .map(({ run }) => runPaths(paths.run(run.id)).log)
    .filter((path) => existsSync(path));
  if (files.length === 0) return;
  await createTable(connection, 'planned', runsOnly);
  await insertRows(connection, 'planned', runsOnly, plan.runs);
  const keyOf = ({ name }: ViewColumn): string => lineKeys[name] ?? name;
  const types = {
    text: 'VARCHAR',
    whole: 'BIGINT',
    real: 'DOUBLE',
    truth: 'BOOLEAN',
    json: 'JSON',
  };
  const shape = lineColumns.map((column) => `${keyOf(column)}: '${types[column.type]}'`).join(', ');
  const list = files.map((path) => `'${literal(path)}'`).join(', ');
  const columns = lineColumns.map((column) => `lines."${keyOf(column)}"`).join(', ');
  await connection.run(`
    INSERT INTO log
    SELECT planned.*, ${columns}
    FROM read_json([${list}], format = 'newline_delimited', ignore_errors = true,
                   filename = 'path', columns = {${shape}}) AS lines
    JOIN planned ON planned.run_id = list_extract(string_split(replace(lines.path, '\\', '/'), '/'), -2)
    WHERE lines.kind IS NOT NULL`);
  await connection.run('DROP TABLE planned');
}

/** A path in an SQL text: quotes doubled, and no character taken for a pattern. */
function literal(path: string): string {
  return path.replace(/[*?[]/g, '[$&]').replaceAll("'", "''");
}

/** Whole and decimal numbers that JSON writes as text, as numbers where they are exact. */
function plainValue(value: unknown, type: string): unknown {
  if (typeof value !== 'string' || !/INT|DECIMAL/.test(type)) return value;
  const number = Number(value);
  return Number.isNaN(number) || Math.abs(number) > Number.MAX_SAFE_INTEGER ? value : number;
}

/** What DuckDB found wrong with a query, in one line, with the nearest names there are. */
function explain(error: unknown): RequestError {
  const message = error instanceof Error ? error.message : String(error);
  const [first = message] = message.split('\n');
  const schema = 'carryover study query --schema lists the views and columns';
  const table = /Table with name (\S+) does not exist/.exec(message)?.[1];
  const views = queryViews.map(({ name }) => name);
  if (table !== undefined) {
    const near = nearestNames(table, views);
    const hint = near.length > 0 ? `did you mean ${near.join(', ')}? ${schema}` : schema;
    return new RequestError(
      { where: 'query', expected: `a view: ${views.join(', ')}`, got: table, hint },
      { cause: error },
    );
  }
  const column = /column (?:named )?"([^"]+)"/i.exec(message)?.[1];
  if (column !== undefined) {
    const near = nearestNames(column, [
      ...new Set(queryViews.flatMap(({ columns }) => columns.map(({ name }) => name))),
    ]);
    const hint = near.length > 0 ? `did you mean ${near.join(', ')}? ${schema}` : schema;
    return new RequestError(
      { where: 'query', expected: 'a column of the views that it reads', got: column, hint },
      { cause: error },
    );
  }
  if (/^Permission Error/.test(first)) {
    return new RequestError(
      {
        where: 'query',
        expected: 'a query over the views alone',
        got: 'one that reaches for files or extensions',
        hint: schema,
      },
      { cause: error },
    );
  }
  const meant = /Did you mean "([^"]+)"/.exec(message)?.[1];
  const text = first.replace(/^Failed to extract statements: /, '');
  return new RequestError(
    {
      where: 'query',
      expected: 'SQL as DuckDB has it',
      got: text,
      hint: meant === undefined ? schema : `did you mean ${meant}?`,
    },
    { cause: error },
  );
}
