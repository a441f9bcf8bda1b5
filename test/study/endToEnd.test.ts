/** A real study of micro networks through the command line: pre-train, transfer, table, resume. */
import { spawn } from 'node:child_process';
import { appendFile, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readRunRecord } from '../../src/results/index.ts';
import { startable } from '../../src/util/index.ts';
import { figuresOf, hasChromium, openPage, overflow, startBrowser } from '../report/browser.ts';
import { makePictures } from './pictures.ts';

const main = startable('../../src/cli/main', import.meta.url);

interface Started {
  pid: number | undefined;
  ended: Promise<{ code: number | null; stdout: string; stderr: string }>;
  signal(name: NodeJS.Signals): void;
}

function start(...args: string[]): Started {
  const child = spawn(process.execPath, [...main.execArgv, main.path, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  return {
    pid: child.pid,
    ended: new Promise((resolve) => {
      child.on('close', (code) => resolve({ code, stdout, stderr }));
    }),
    signal: (name) => child.kill(name),
  };
}

const run = (...args: string[]) => start(...args).ended;

interface RunLine {
  id: string;
  role: string;
  data: string;
  init: string;
  status: string;
  reason?: string;
}

let folder: string;
let file: string;
const out = (name: string): string => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'carryover-end-to-end-'));
  await makePictures(join(folder, 'natural'), { classes: 4, each: 16, seed: 1 });
  await makePictures(join(folder, 'skin'), { classes: 3, each: 20, seed: 2 });
  file = join(folder, 'study.yaml');
  await writeFile(
    file,
    `data: { skin: folder:skin }
models: [resnet18_micro]
seeds: [0, 1]
threads: 1
source: { name: natural, data: folder:natural, train: { maxEpochs: 3 } }
training: { size: 32, resize: 36, batchSize: 16, warmupIterations: 2, maxEpochs: 2, precision: fp32, workers: 0 }
`,
  );
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

// Thirty processes or so: half a minute on an idle machine, minutes on a busy one.
describe('a study', { timeout: 400_000 }, () => {
  it('runs to its tables, and does nothing when started again', async () => {
    const plan = await run('study', 'plan', file, '--out', out('first'), '--json');
    expect(plan.code, plan.stderr).toBe(0);
    const planned: { runs: RunLine[] } = JSON.parse(plan.stdout);
    expect(planned.runs.map(({ status }) => status)).toEqual(Array(7).fill('waiting'));

    const first = await run('study', 'run', file, '--out', out('first'), '--json');
    expect(first.code, first.stderr).toBe(0);
    const document: {
      runs: RunLine[];
      cells: { init: string; metric: { count: number } }[];
      gains: { transfer: { value: number } }[];
    } = JSON.parse(first.stdout);
    expect(document.runs.map(({ status }) => status)).toEqual(Array(7).fill('done'));
    expect(document.cells.map(({ init, metric }) => [init, metric.count])).toEqual([
      ['ri', 2],
      ['st', 2],
      ['wt', 2],
    ]);
    expect(document.gains[0]?.transfer.value).toBeGreaterThan(0);
    expect(first.stderr).toMatch(/skin, recall ↑, n = 60/);

    const rows: Record<string, string>[] = parse(
      await readFile(join(out('first'), 'results.csv')),
      {
        columns: true,
      },
    );
    expect(rows.map(({ init }) => init).sort()).toEqual([
      'ri',
      'ri',
      'source',
      'st',
      'st',
      'wt',
      'wt',
    ]);
    for (const row of rows) {
      expect(Number(row.test_metric)).toBeGreaterThanOrEqual(0);
      expect(row.test_metric).not.toBe('');
      expect(Number(row.iterations)).toBeGreaterThan(0);
      expect(row.precision).toBe('fp32');
    }
    const table = await readFile(join(out('first'), 'table1.csv'), 'utf8');
    expect(table.split('\n').length).toBe(1 + 6 + 1);

    const source = document.runs.find(({ role }) => role === 'source');
    const before = await stat(join(out('first'), source?.id ?? '', 'run.json'));
    const again = await run('study', 'run', file, '--out', out('first'));
    expect(again.code, again.stderr).toBe(0);
    expect(again.stderr).toContain('7 done before');
    expect(again.stderr).not.toContain('started');
    expect(again.stdout).toMatch(/resnet18_micro \(0\.7M\) +RI +0\.\d{3} ± 0\.\d{3}/);
    const after = await stat(join(out('first'), source?.id ?? '', 'run.json'));
    expect(after.mtimeMs).toBe(before.mtimeMs);
  });

  it.skipIf(!hasChromium)('ends in a report that a browser shows', async () => {
    const browser = await startBrowser();
    try {
      for (const width of [375, 1280]) {
        const { page, complaints, requests } = await openPage(
          browser,
          join(out('first'), 'report.html'),
          { width },
        );
        const index: { figures: { id: string }[] } = JSON.parse(
          await readFile(join(out('first'), 'figures', 'index.json'), 'utf8'),
        );
        const seen = await figuresOf(page);
        expect(seen.map(({ id }) => id)).toEqual(index.figures.map(({ id }) => id));
        expect(seen.length).toBeGreaterThan(0);
        for (const { id, marks } of seen) expect(marks, id).toBeGreaterThan(10);
        expect(await page.locator('#answer').innerText()).toMatch(
          /^On skin, .* pretrained weights .* random/,
        );
        expect([complaints, requests]).toEqual([[], []]);
        expect(await overflow(page)).toBeLessThanOrEqual(0);
        await page.close();
      }
    } finally {
      await browser.close();
    }
  });

  it('stopped by Ctrl-C and by a kill, goes on and ends with the same numbers', async () => {
    const stopped = start('study', 'run', file, '--out', out('second'));
    await untilTraining(out('second'));
    stopped.signal('SIGINT');
    const { code, stderr } = await stopped.ended;
    expect(code, stderr).toBe(1);
    expect(stderr).toMatch(/error: carryover: expected to work to the end, got SIGINT/);

    const killed = start('study', 'run', file, '--out', out('second'));
    await untilTraining(out('second'));
    killed.signal('SIGKILL');
    await killed.ended;

    const last = await run('study', 'run', file, '--out', out('second'));
    expect(last.code, last.stderr).toBe(0);
    const metrics = async (name: string) => {
      const rows: Record<string, string>[] = parse(await readFile(join(out(name), 'results.csv')), {
        columns: true,
      });
      return rows.map(({ run_id, test_metric, iterations_to_best }) => [
        run_id,
        test_metric,
        iterations_to_best,
      ]);
    };
    expect(await metrics('second')).toEqual(await metrics('first'));
  });

  it('goes on past runs that fail, and says what to mend', async () => {
    await makePictures(join(folder, 'spoilt'), { classes: 2, each: 20, seed: 3 });
    await writeFile(join(folder, 'spoilt', 'class0', '3.png'), 'no picture');
    const both = join(folder, 'both.yaml');
    await writeFile(
      both,
      `data: { spoilt: folder:spoilt, skin: folder:skin }
models: [resnet18_micro]
inits: [ri]
seeds: [0]
training: { size: 32, resize: 36, batchSize: 16, warmupIterations: 2, maxEpochs: 1, workers: 0 }
`,
    );
    const { code, stderr } = await run('study', 'run', both, '--out', out('third'));
    expect(code).toBe(1);
    expect(stderr).toMatch(/failed {3}spoilt resnet18_micro ri seed 0: .*3\.png/);
    expect(stderr).toMatch(/error: study both: expected 2 finished runs, got 1/);
    const status = await run('study', 'status', both, '--out', out('third'), '--json');
    const { runs }: { runs: RunLine[] } = JSON.parse(status.stdout);
    expect(runs.map(({ data, status: was }) => [data, was])).toEqual([
      ['spoilt', 'failed'],
      ['skin', 'done'],
    ]);
    expect(runs[0]?.reason).toContain('3.png');
  });

  it('refuses to mix runs on splits that have changed', async () => {
    await appendFile(file, 'splitSeed: 7\n');
    const { code, stderr } = await run('study', 'run', file, '--out', out('first'));
    expect(code).toBe(1);
    expect(stderr).toMatch(/splits\/skin\.csv: expected the split that this study makes/);
  });
});

/** Waits until some run of the study is in training. */
async function untilTraining(study: string): Promise<void> {
  for (let waited = 0; waited < 90_000; waited += 100) {
    await delay(100);
    const plan = await readFile(join(study, 'plan.json'), 'utf8').catch(() => '{"runs":[]}');
    const { runs }: { runs: RunLine[] } = JSON.parse(plan);
    for (const { id } of runs) {
      const record = await readRunRecord(join(study, id));
      if (record?.status === 'running') return;
    }
  }
  throw new Error('no run began to train');
}
