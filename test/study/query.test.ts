import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { openMemoryDatabase, readLog } from '../../src/results/index.ts';
import {
  findingsOf,
  type Plan,
  queryStudy,
  queryViews,
  studyPaths,
  writeReport,
} from '../../src/study/index.ts';
import { runCaught } from '../cli/caught.ts';
import { writeSyntheticStudy } from './syntheticStudy.ts';

const folderOf = () => mkdtemp(join(tmpdir(), "carryover-it's a [query] "));

async function study(): Promise<Plan> {
  return writeSyntheticStudy(await folderOf(), {
    data: ['isic2019'],
    models: ['resnet18'],
    inits: ['ri', 'st', 'wt'],
    seeds: 2,
    statusOf: (index) => (['running', 'waiting', 'failed'] as const)[index - 3] ?? 'done',
    analysed: () => true,
    evaluations: 2,
  });
}

const recordOf = (plan: Plan, at: number) =>
  JSON.parse(readFileSync(join(plan.folder, plan.runs[at]?.id ?? '', 'run.json'), 'utf8'));

async function ask(plan: Plan, sql: string): Promise<unknown[][]> {
  return (await queryStudy(plan, sql)).rows;
}

describe('the views of a study', () => {
  it('runs: every planned run with its state, and the result of those that are done', async () => {
    const plan = await study();
    const states = await ask(plan, 'SELECT init, status, test_metric IS NULL FROM runs');
    expect(states).toEqual([
      ['ri', 'done', false],
      ['st', 'done', false],
      ['wt', 'done', false],
      ['ri', 'running', true],
      ['st', 'waiting', true],
      ['wt', 'failed', true],
    ]);
    const { result } = recordOf(plan, 1);
    const [row] = await ask(
      plan,
      "SELECT test_metric, iterations_to_best, wall_seconds, peak_memory_bytes FROM runs WHERE run_id = '0000000000000001'",
    );
    expect(row).toEqual([
      result.test.primary.value,
      result.iterationsToBest,
      result.wallSeconds,
      result.peakMemoryBytes,
    ]);
  });

  it('metrics: every metric of both splits, over all classes and of each', async () => {
    const plan = await study();
    const { result } = recordOf(plan, 2);
    const rows = await ask(
      plan,
      "SELECT split, metric, class, value, undefined_reason FROM metrics WHERE init = 'wt'",
    );
    const expected = ['validation', 'test'].flatMap((split) => {
      const { loss, metrics, perClass } = result[split];
      return [
        [split, 'loss', null, loss, null],
        [split, 'recall', null, metrics.recall.value, null],
        [split, 'kappa', null, metrics.kappa.value, null],
        [split, 'auc', null, null, 'one class'],
        ...Object.entries<{ value: number }>(perClass).map(([name, { value }]) => [
          split,
          'recall',
          name,
          value,
          null,
        ]),
      ];
    });
    expect(rows).toEqual(expected);
  });

  it('taps: every number of every analysis, with the reason where there is none', async () => {
    const plan = await study();
    const paths = studyPaths(plan.folder);
    const id = plan.runs[0]?.id ?? '';
    const documents = ['knn', 'l2'].map((measure) =>
      JSON.parse(readFileSync(join(paths.run(id), 'analysis', `${measure}.json`), 'utf8')),
    );
    const rows = await ask(
      plan,
      `SELECT measure, tap, value, undefined_reason FROM taps WHERE run_id = '${id}'`,
    );
    expect(rows).toEqual(
      documents.flatMap((document) =>
        findingsOf(document).map(({ measure, of, value, reason }) => [
          measure,
          of,
          value ?? null,
          reason ?? null,
        ]),
      ),
    );
    expect(rows[0]).toEqual(['knn', 'layer1', null, 'says the same of every image']);
  });

  it('log: the lines of all runs, without one that is still being written', async () => {
    const plan = await study();
    const folder = join(plan.folder, plan.runs[3]?.id ?? '');
    const whole = await readLog(folder);
    appendFileSync(join(folder, 'log.jsonl'), '{"kind":"train","iterat');
    const rows = await ask(
      plan,
      `SELECT kind, iteration, loss, value, metrics->>'$.recall.value' FROM log WHERE run_id = '${plan.runs[3]?.id}'`,
    );
    expect(rows).toEqual(
      whole.map((line) => [
        line.kind,
        line.iteration,
        line.loss,
        line.kind === 'evaluation' ? line.value : null,
        line.kind === 'evaluation' ? String(line.metrics.recall?.value) : null,
      ]),
    );
    const [count] = await ask(plan, 'SELECT count(DISTINCT run_id), count(*) FROM log');
    expect(count).toEqual([5, 5 * 8]);
  });

  it('say what they hold, every column of every one', async () => {
    const plan = await study();
    for (const { name, columns } of queryViews) {
      const { columns: found } = await queryStudy(plan, `SELECT * FROM ${name}`);
      expect(found.map((column) => column.name)).toEqual(columns.map((column) => column.name));
      expect(columns.every(({ about }) => about.length > 3)).toBe(true);
    }
  });

  it('join, and give whole numbers as numbers', async () => {
    const plan = await study();
    const rows = await ask(
      plan,
      "SELECT count(*), sum(iterations) FROM runs JOIN metrics USING (run_id) WHERE metrics.metric = 'loss'",
    );
    expect(rows).toEqual([[6, 6000]]);
  });

  it('tell of an analysis that cannot be read', async () => {
    const plan = await study();
    writeFileSync(join(plan.folder, plan.runs[0]?.id ?? '', 'analysis', 'l2.json'), '{');
    const { notes, rows } = await queryStudy(plan, "SELECT * FROM taps WHERE measure = 'l2'");
    expect(notes).toHaveLength(1);
    expect(rows).toHaveLength(12);
  });
});

describe('what a query may not do', () => {
  it.each([
    ['SELECT tset_metric FROM runs', /column.*got tset_metric \(did you mean .*test_metric/],
    ['SELECT * FROM rusn', /a view: runs, metrics, taps, log, got rusn \(did you mean runs/],
    ['SELEC 1', /syntax error at or near "SELEC"/],
    ['SELECT 1; SELECT 2', /one SELECT, got 2 statements/],
    ['', /one SELECT, got 0 statements/],
    ['DELETE FROM runs', /never written, got DELETE/],
    ['CREATE TABLE x AS SELECT 1', /never written, got CREATE/],
    ['SET enable_external_access = true', /never written, got SET/],
    ["ATTACH 'x.db'", /never written, got ATTACH/],
    ['INSTALL httpfs', /never written, got LOAD/],
    ["COPY runs TO 'x.csv'", /reaches for files or extensions/],
    ["SELECT * FROM read_csv('/etc/passwd')", /reaches for files or extensions/],
    ["SELECT * FROM read_text('/etc/hostname')", /reaches for files or extensions/],
    ["SELECT * FROM 'https://example.org/x.parquet'", /expected a view|files or extensions/],
    ["SELECT * FROM '/etc/passwd'", /expected a view/],
  ])('%s', async (sql, message) => {
    const plan = await study();
    const failed = queryStudy(plan, sql);
    await expect(failed).rejects.toThrow(message);
    await expect(failed).rejects.toMatchObject({ exitCode: 2 });
    await failed.catch((error: Error) => expect(error.message).not.toContain('\n'));
  });
});

describe('results and values as Parquet', () => {
  afterEach(() => {
    vi.doUnmock('@duckdb/node-api');
    vi.resetModules();
  });

  it('have typed columns and the numbers of the CSV files, to the last digit', async () => {
    const plan = await study();
    const { notes } = await writeReport(plan);
    expect(notes).toEqual([]);
    using database = await openMemoryDatabase('test');
    for (const name of ['results', 'values']) {
      const base = join(plan.folder, name).replaceAll("'", "''").replace('[', '[[]');
      const types = await database.connection.runAndReadAll(
        `SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM '${base}.parquet')`,
      );
      const typeOf = new Map(types.getRowsJson().map(([column, type]) => [column, type]));
      expect(typeOf.get('run_id')).toBe('VARCHAR');
      expect(typeOf.get('seed')).toBe('BIGINT');
      expect(typeOf.get(name === 'results' ? 'test_metric' : 'value')).toBe('DOUBLE');
      // As text both ways: DuckDB reads the CSV with the types of the Parquet file.
      const shape = [...typeOf].map(([column, type]) => `'${column}': '${type}'`).join(', ');
      const differing = await database.connection.runAndReadAll(`
        WITH p AS (SELECT * FROM '${base}.parquet'),
             c AS (SELECT * FROM read_csv('${base}.csv', columns = {${shape}}))
        (FROM p EXCEPT ALL FROM c) UNION ALL (FROM c EXCEPT ALL FROM p)`);
      expect(differing.getRowsJson()).toEqual([]);
      const count = await database.connection.runAndReadAll(
        `SELECT count(*) FROM '${base}.parquet'`,
      );
      expect(Number(count.getRowsJson()[0]?.[0])).toBe(name === 'results' ? 3 : 36);
    }
  });

  it('are left out with a note where DuckDB is not installed', async () => {
    const plan = await study();
    vi.resetModules();
    vi.doMock('@duckdb/node-api', () => {
      throw new Error('not installed');
    });
    const { queryStudy: query, writeReport: write } = await import('../../src/study/index.ts');
    const { notes } = await write(plan);
    expect(notes).toEqual([expect.stringMatching(/no Parquet.*npm install @duckdb\/node-api/)]);
    expect(readFileSync(studyPaths(plan.folder).values, 'utf8').split('\n')).toHaveLength(38);
    await expect(query(plan, 'SELECT 1')).rejects.toThrow(/npm install @duckdb/);
  });
});

describe('carryover study query', () => {
  const sql = "SELECT init, seed, status FROM runs WHERE status <> 'done'";

  it('prints a table, CSV or one document', async () => {
    const { folder } = await study();
    const table = await runCaught('study', 'query', folder, sql);
    expect(table.stdout.split('\n')[2]).toBe('ri       1  running');
    const csv = await runCaught('study', 'query', folder, sql, '--csv');
    expect(csv.stdout).toBe('init,seed,status\nri,1,running\nst,1,waiting\nwt,1,failed\n');
    const document = JSON.parse((await runCaught('study', 'query', folder, sql, '--json')).stdout);
    expect(document.rows[0]).toEqual({ init: 'ri', seed: 1, status: 'running' });
  });

  it('lists views and columns, and asks for what is missing', async () => {
    const { code, stdout } = await runCaught('study', 'query', '--schema');
    expect(code).toBe(0);
    for (const { name } of queryViews) expect(stdout).toMatch(new RegExp(`^${name}: `, 'm'));
    const { folder } = await study();
    const missing = await runCaught('study', 'query', folder);
    expect(missing).toMatchObject({ code: 2, stdout: '' });
    expect(missing.stderr).toMatch(/no query/);
  });
});
