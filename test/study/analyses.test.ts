/** What analyses a study has still to take, how they are taken, and their table over seeds. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  analysisPaths,
  type CkaDocument,
  type L2Document,
  type MeasureName,
  measureSettings,
  writeAnalysis,
} from '../../src/results/index.ts';
import {
  type AnalysisRequest,
  dueAnalyses,
  formatAnalyses,
  jobTitle,
  type Plan,
  type PlannedRun,
  type RunState,
  readAnalyses,
  runAnalyses,
} from '../../src/study/index.ts';
import { fakeRun, temporaryFolder } from './fakeRuns.ts';
import { finishedRecord } from './finishedRuns.ts';

/** A measure as a study asks for it. */
function ask(
  measure: MeasureName,
  options: Record<string, unknown> = {},
  selection: Omit<AnalysisRequest, 'measure' | 'options'> = {},
): AnalysisRequest {
  return { measure, options: measureSettings(measure, options), ...selection };
}

let folder = '';
const runs = [0, 1, 2].flatMap((seed): PlannedRun[] =>
  ['wt', 'st'].map((init) => fakeRun(`${init}${seed}`, {}, { init, seed })),
);
const states: RunState[] = [
  ...runs.map((run): RunState => ({ run, status: 'done' })),
  { run: fakeRun('unfinished', {}, { seed: 3 }), status: 'running' },
  { run: fakeRun('source', {}, { role: 'source' }), status: 'done' },
];
const planOf = (): Plan => ({
  name: 'fake',
  folder,
  file: 'fake.yaml',
  data: ['fake'],
  models: ['resnet18_micro'],
  inits: ['wt', 'st'],
  seeds: [0, 1, 2],
  runs,
});

function drift({ id, init, seed }: PlannedRun, distance: number): L2Document {
  const run = { runId: id, model: 'resnet18_micro', init, seed, data: 'fake', checkpoints: [] };
  return {
    format: 1,
    run,
    versions: {},
    warnings: [],
    measure: 'l2',
    from: { run: id, checkpoint: 'initial' },
    to: { run: id, checkpoint: 'best' },
    taps: [{ tap: 'conv1', weights: 10, norm: 10 * distance, distance, initialNorm: 1 }],
  };
}

beforeAll(async () => {
  folder = await temporaryFolder();
  for (const { id } of runs) await mkdir(join(folder, id));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('analyses of a study', () => {
  it('are due of finished target runs, of the network’s own measures, and of pairs by seed', async () => {
    const jobs = await dueAnalyses(planOf(), states, [ask('cka'), ask('attention'), ask('l2')]);
    expect(jobs.map((job) => [job.run.id, job.measures, job.against?.id])).toEqual([
      ...runs.map(({ id }) => [id, ['cka', 'l2'], undefined]),
      ...[0, 1, 2].map((seed) => [`wt${seed}`, ['cka'], `st${seed}`]),
    ]);
    expect(jobs[6] && jobTitle(jobs[6])).toContain('against ST');
  });

  it('find a pair by the id in the record, which the plan need not know', async () => {
    // Where the study trains the source, a record is named after the source's checkpoint.
    const [wt, st] = runs;
    if (!wt || !st) throw new Error('no runs');
    const recordId = 'of-the-record';
    const known = states.map(
      (state): RunState =>
        state.run === st
          ? { ...state, record: { ...finishedRecord(st, {}), runId: recordId } }
          : state,
    );
    const { measure: _, from: _from, to: _to, taps: _taps, ...head } = drift(wt, 1);
    const document: CkaDocument = {
      ...head,
      against: { ...drift(st, 1).run, runId: recordId },
      measure: 'cka',
      settings: { batch: 128, estimator: 'ratio-of-means' },
      images: 8,
      batches: 1,
      batchesLeftOut: 0,
      taps: ['conv1'],
      matrices: [
        {
          tokens: 'all',
          left: { run: wt.id, checkpoint: 'best' },
          right: { run: recordId, checkpoint: 'best' },
          taps: ['conv1'],
          values: [[0.25]],
          undefinedTaps: [],
        },
      ],
    };
    await writeAnalysis(join(folder, wt.id), document);
    const jobs = await dueAnalyses(planOf(), known, [ask('cka', {}, { seeds: [0] })]);
    expect(jobs.filter(({ against }) => against)).toEqual([]);
    const { rows } = await readAnalyses(planOf(), known, ['cka']);
    expect(rows.map(({ init, value }) => [init, value?.mean])).toEqual([['wt against st', 0.25]]);
    await rm(analysisPaths(join(folder, wt.id), 'cka', recordId).json);
  });

  it('are not due again once they are there', async () => {
    for (const run of runs.slice(0, 5))
      await writeAnalysis(join(folder, run.id), drift(run, run.seed + 1));
    const jobs = await dueAnalyses(planOf(), states, [ask('l2')]);
    expect(jobs.map(({ run }) => run.id)).toEqual(['st2']);
  });

  it('are due of the runs that are selected, and of pairs that are', async () => {
    const asked = ask('cka', {}, { seeds: [1, 2], data: ['fake'] });
    const jobs = await dueAnalyses(planOf(), states, [asked]);
    expect(jobs.map(({ run, against }) => [run.id, against?.id])).toEqual([
      ['wt1', undefined],
      ['st1', undefined],
      ['wt2', undefined],
      ['st2', undefined],
      ['wt1', 'st1'],
      ['wt2', 'st2'],
    ]);
    expect(await dueAnalyses(planOf(), states, [ask('cka', {}, { models: ['other'] })])).toEqual(
      [],
    );
  });

  it('are taken with their options, and again when those have changed', async () => {
    const kept = { ...drift(runs[0] as PlannedRun, 1), options: {} };
    await writeAnalysis(join(folder, 'wt0'), kept);
    const ofFirst = async (...requests: AnalysisRequest[]) =>
      (await dueAnalyses(planOf(), states.slice(0, 1), requests)).map(({ measures, flags }) => [
        measures,
        flags.join(' '),
      ]);
    expect(await ofFirst(ask('l2'))).toEqual([]);
    const probe = ask('knn', { k: 7, probe: true, embeddings: ['cls', 'both'] });
    const early = ask('calibration', { checkpoint: 'initial', bins: 5 });
    expect(
      await ofFirst(probe, ask('cka', { batch: 16, estimator: 'mean-of-ratios' }), early),
    ).toEqual([
      [
        ['knn', 'cka'],
        '--k 7 --votes exponential --temperature 0.1 --embedding cls,both --probe --checkpoint best ' +
          '--batch 16 --estimator mean-of-ratios --device auto',
      ],
      [['calibration'], '--bins 5 --checkpoint initial --device auto'],
    ]);
    const path = analysisPaths(join(folder, 'wt0'), 'knn').json;
    const write = (options?: Record<string, unknown>) =>
      writeFile(path, JSON.stringify({ options }));
    await write(probe.options);
    expect(await ofFirst(probe)).toEqual([]);
    await write({ ...probe.options, k: 8 });
    expect(await ofFirst(probe)).toHaveLength(1);
    await write();
    expect(await ofFirst(ask('knn'))).toEqual([]);
    expect(await ofFirst(probe)).toHaveLength(1);
    await writeFile(path, '{ "half a');
    expect(await ofFirst(probe)).toHaveLength(1);
    await rm(path);
  });

  it('come together over seeds', async () => {
    const { rows } = await readAnalyses(planOf(), states, ['l2', 'knn']);
    const wt = rows.find(({ init }) => init === 'wt');
    expect(wt).toMatchObject({ measure: 'l2', of: 'conv1', undefinedRuns: 0 });
    expect(wt?.value).toMatchObject({ mean: 2, deviation: 1, count: 3 });
    expect(wt?.value?.interval?.low).toBeGreaterThanOrEqual(1);
    expect(rows.find(({ init }) => init === 'st')?.value).not.toHaveProperty('interval.low');
    expect(formatAnalyses(rows)).toMatch(/^data,model,init,measure,of,detail,mean/);
  });

  it('that fail say why and do not stop the others', async () => {
    const script = join(folder, 'fake.mjs');
    await writeFile(
      script,
      `if (process.argv.includes('${join(folder, 'wt1')}')) {
         console.error('error: here: expected one thing, got another');
         process.exit(1);
       }`,
    );
    const jobs = runs.slice(0, 3).map((run) => ({ run, measures: ['l2' as const], flags: [] }));
    const outcomes = await runAnalyses(planOf(), jobs, { program: { args: [script] } });
    expect(outcomes.map(({ run, kind, reason }) => [run.id, kind, reason])).toEqual([
      ['wt0', 'done', undefined],
      ['st0', 'done', undefined],
      ['wt1', 'failed', 'here: expected one thing, got another'],
    ]);
  });
});
