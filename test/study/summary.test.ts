/** A study's findings from the files of its folder, whole, half done and damaged. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Plan, type PlannedRun, readSummary, writeReport } from '../../src/study/index.ts';
import { fakeRun, temporaryFolder } from './fakeRuns.ts';
import { writeFinished } from './finishedRuns.ts';

let folder = '';
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const inits = ['ri', 'st', 'wt'];
const target = (init: string, seed: number): PlannedRun =>
  fakeRun(`${init}${seed}`, {}, { init, seed, data: 'skin' });
const source = fakeRun('teacher', {}, { role: 'source', data: 'natural', samples: 99 });
const runs = [source, ...[0, 1, 2].flatMap((seed) => inits.map((init) => target(init, seed)))];
const planOf = (): Plan => ({
  name: 'fake',
  folder,
  file: 'fake.yaml',
  data: ['skin'],
  models: ['resnet18_micro'],
  inits,
  seeds: [0, 1, 2],
  runs,
});
const metrics: Record<string, number> = { ri: 0.5, st: 0.6, wt: 0.8 };

describe('the summary of a study', () => {
  it('brings together what its files say', async () => {
    for (const run of runs) {
      await writeFinished(folder, run, {
        metric: (metrics[run.init] ?? 0.9) + run.seed / 100,
        validation: [0.2, (metrics[run.init] ?? 0.9) - 0.05, 0.3],
        warnings: run.init === 'wt' ? ['few images'] : [],
        finishedAt: `2024-01-0${run.seed + 1}T00:00:00.000Z`,
      });
    }
    await writeFile(join(folder, 'study.yaml'), 'name: fake\ndescription: A test.\nsplitSeed: 3\n');
    await mkdir(join(folder, 'splits'));
    await writeFile(
      join(folder, 'splits', 'skin.csv'),
      'sample,group,class,split\n1,,a,train\n2,,b,train\n3,,a,val\n4,,a|b,test\n5,,,test\n6,,a,unused\n',
    );
    const summary = await readSummary(planOf());
    expect(summary).toMatchObject({
      name: 'fake',
      description: 'A test.',
      planned: 10,
      source: { name: 'natural', samples: 99 },
      settings: { splitSeed: 3 },
      newest: '2024-01-03T00:00:00.000Z',
      unfinished: [],
      warnings: [{ text: 'few images', runs: 3 }],
      cost: { runs: 10, runSeconds: 100, peakMemoryBytes: 4e8 },
      environment: {
        devices: ['A processor'],
        precisions: ['fp32'],
        threads: [1],
        versions: { node: ['20.20.0'] },
      },
    });
    expect(summary.axes).toEqual({
      data: ['skin'],
      models: ['resnet18_micro'],
      inits,
      seeds: [0, 1, 2],
    });
    expect(summary.data).toEqual([
      {
        name: 'skin',
        metric: 'recall',
        samples: 10,
        counts: { train: 6, val: 2, test: 2 },
        task: 'multiclass',
        classes: ['a', 'b'],
        classCounts: [
          { name: 'a', train: 1, val: 1, test: 1 },
          { name: 'b', train: 1, val: 0, test: 1 },
        ],
      },
    ]);
    expect(summary.table.comparisons[0]?.transfer.value).toBeCloseTo(0.81 / 0.51, 12);
    expect(summary.comparisons.map(({ better, than }) => [better, than])).toEqual([
      ['wt', 'st'],
      ['wt', 'ri'],
      ['st', 'ri'],
    ]);
    // Validation of WT passes RI's best, 0.45, at its second evaluation; the source has no RI run.
    const reached = summary.rows.map(({ init, iterationsToReference }) => [
      init,
      iterationsToReference,
    ]);
    expect(reached.slice(0, 4)).toEqual([
      ['source', undefined],
      ['ri', 4],
      ['st', 4],
      ['wt', 4],
    ]);
    expect(summary.learningCurves).toHaveLength(9);
    expect(summary.learningCurves[0]).toMatchObject({ init: 'ri', seed: 0, schedule: 'plateau' });
    expect(
      summary.learningCurves[0]?.points.map(({ iteration, value }) => [iteration, value]),
    ).toEqual([
      [2, 0.2],
      [4, expect.closeTo(0.45, 12)],
      [6, 0.3],
    ]);
    expect(summary.cost.diskBytes).toBeGreaterThan(10_000);
  });

  it('keeps what is missing, failed or damaged in sight', async () => {
    for (const run of runs.slice(0, 8)) await writeFinished(folder, run, { metric: 0.5 });
    await writeFinished(folder, target('st', 2), {});
    const log = join(folder, 'ri0', 'log.jsonl');
    await writeFile(log, '{"kind":"evaluation","iteration":"two"}\n');
    await mkdir(join(folder, 'wt0', 'analysis'));
    const analysis = join(folder, 'wt0', 'analysis', 'l2.json');
    await writeFile(analysis, '{"measure":"l2"}');
    await writeFile(join(folder, 'wt1', 'run.json'), 'damaged');

    const report = await writeReport(planOf());
    expect(report.unfinished).toEqual([
      {
        runId: 'wt1',
        title: 'skin resnet18_micro wt seed 1',
        status: 'waiting',
        reason: expect.stringContaining('run.json: expected JSON'),
      },
      { runId: 'wt2', title: 'skin resnet18_micro wt seed 2', status: 'waiting' },
    ]);
    expect(report.warnings.map(({ text }) => text)).toEqual([
      expect.stringContaining(`${log}, line 1: expected a line of a run log`),
      expect.stringContaining(`${analysis}: expected an analysis "l2"`),
      expect.stringContaining('study.yaml: expected the resolved study, got ENOENT'),
    ]);
    const cell = report.table.cells.find(({ init }) => init === 'st');
    expect(cell?.undefinedRuns).toEqual([{ seed: 2, reason: 'class b is absent' }]);
    expect(report.rows.filter(({ init }) => init === 'ri')).toHaveLength(3);
    expect(report.learningCurves.map(({ init, seed }) => [init, seed])).not.toContainEqual([
      'ri',
      0,
    ]);
  });

  it('of a study without a finished run is there too', async () => {
    const summary = await readSummary(planOf());
    expect(summary.rows).toEqual([]);
    expect(summary.unfinished).toHaveLength(10);
    expect(summary.newest).toBe(undefined);
    expect(summary.cost).toMatchObject({ runs: 0, runSeconds: 0, byModel: [] });
  });
});
