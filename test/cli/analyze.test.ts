/** `carryover analyze` as a user meets it: exit codes, documents, files, errors. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { runProgram } from '../../src/cli/program.ts';
import { analysisSchema } from '../../src/results/index.ts';
import { trainRun } from '../../src/train/index.ts';
import { readWeights } from '../../src/weights/index.ts';
import { shortRun, Workplace, writeClasses } from '../train/fixture.ts';

const place = new Workplace();
const [first, second] = [place.path('first'), place.path('second')];
let stdout = '';
let stderr = '';

/** Runs the program; what it printed is in `stdout` and `stderr`. */
async function carryover(...argv: string[]): Promise<number> {
  stdout = '';
  stderr = '';
  return runProgram(argv, {
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
  });
}

const machine = ['--device', 'cpu', '--workers', '0'];

describe('carryover analyze', () => {
  beforeAll(async () => {
    await writeClasses(place.path('pictures'), ['one', 'two'], 12);
    const data = { kind: 'folder', path: place.path('pictures') };
    const training = { maxEpochs: 1, warmupIterations: 1, augment: false };
    await trainRun(shortRun(data, { training, model: 'deit_micro' }), first);
    await trainRun(shortRun(data, { training, model: 'deit_micro', seed: 1 }), second);
  });
  afterAll(() => place.remove());
  beforeEach(() => {
    process.exitCode = undefined;
  });
  afterEach(() => {
    process.exitCode = undefined;
  });

  it('prints a table and writes the document and its arrays', async () => {
    expect(await carryover('analyze', 'knn', '--run', first, '--k', '3', ...machine)).toBe(0);
    expect(stdout).toContain('blocks.5.mlp');
    expect(stdout).toContain('3 neighbours of');
    const path = join(first, 'analysis', 'knn.json');
    expect(stdout).toContain(path);
    const document = analysisSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
    expect(document.measure).toBe('knn');
    const figure = JSON.parse(readFileSync(join(first, 'analysis', 'knn.vl.json'), 'utf8'));
    const [, panel] = figure.vconcat;
    expect(panel.layer[0].data.values.length).toBeGreaterThan(10);
    const arrays = await readWeights(join(first, 'analysis', 'knn.safetensors'));
    expect(arrays.tensors.get('scores/patch_embed/spatial')?.shape).toEqual([
      document.measure === 'knn' ? document.queries : 0,
      2,
    ]);
  });

  it('sets runs against each other, and keeps both documents', async () => {
    const argv = ['analyze', 'l2', '--run', first, '--against', second, '--json', ...machine];
    expect(await carryover(...argv)).toBe(0);
    const document = JSON.parse(stdout);
    expect(document.taps[0].norm).toBeGreaterThan(0);
    const name = `l2-${document.against.runId}.json`;
    expect(existsSync(join(first, 'analysis', name))).toBe(true);
  });

  it('takes everything at once, of both runs where a measure is of one', async () => {
    const only = ['--only', 'attention,calibration,convergence', '--json'];
    const argv = ['analyze', 'all', '--run', first, '--against', second, ...only, ...machine];
    expect(await carryover(...argv)).toBe(0);
    const { documents } = JSON.parse(stdout);
    expect(documents.map(({ measure }: { measure: string }) => measure)).toEqual([
      'convergence',
      'attention',
      'calibration',
      'attention',
      'calibration',
    ]);
    expect(existsSync(join(second, 'analysis', 'attention.json'))).toBe(true);
    expect(stderr).toContain('expected calibration error');
  });

  it('says what is wrong with a request', async () => {
    expect(await carryover('analyze', 'knn', '--run', place.path('nowhere'))).toBe(2);
    expect(stderr).toContain('expected the folder of a run');
    expect(await carryover('analyze', 'knn', '--run', first, '--k', '0')).toBe(2);
    expect(await carryover('analyze', 'cka', '--run', first, '--estimator', 'means')).toBe(2);
    expect(stderr).toContain('ratio-of-means');
    expect(await carryover('analyze', 'reinit', '--run', first, '--checkpoint', 'initial')).toBe(2);
    expect(await carryover('analyze', 'all', '--run', first, '--only', 'knn,kca')).toBe(2);
    expect(stderr).toContain('did you mean cka');
    expect(await carryover('analyze', 'knnn', '--run', first)).toBe(2);
    expect(await carryover('analyze', 'knn')).toBe(2);
    expect(await carryover('analyze', 'fid', '--source', first, '--extractor', 'inception')).toBe(
      2,
    );
    expect(stderr).toContain('fid-inception or torchvision');
    const fid = ['analyze', 'fid', '--source', place.path('pictures')];
    expect(await carryover(...fid, '--extractor', 'torchvision')).toBe(2);
    expect(stderr).toContain('--save-stats');
    const target = ['--target', place.path('absent.npz')];
    expect(await carryover(...fid, ...target, '--extractor', 'torchvision')).toBe(2);
  });
});
