import { existsSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { thisProcess } from '../../src/results/index.ts';
import { deleteGarbage, findGarbage, type Plan } from '../../src/study/index.ts';
import { runCaught } from '../cli/caught.ts';
import { writeSyntheticStudy } from './syntheticStudy.ts';

const old = new Date(Date.now() - 3600_000);

/** A file of so many bytes that was written an hour ago. */
function put(path: string, bytes: number, at = old): void {
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, Buffer.alloc(bytes));
  utimesSync(path, at, at);
}

/** Four runs, of which the plan has the first two; nothing is garbage yet but what left the plan. */
async function study(): Promise<{ plan: Plan; all: Plan; at: (index: number) => string }> {
  const parent = await mkdtemp(join(tmpdir(), 'carryover-gc-'));
  const folder = join(parent, 'one');
  const all = writeSyntheticStudy(folder, {
    data: ['isic2019'],
    models: ['resnet18'],
    inits: ['ri', 'wt'],
    seeds: 2,
    statusOf: (index) => (index === 1 ? 'interrupted' : 'done'),
    evaluations: 1,
  });
  const plan = { ...all, runs: all.runs.slice(0, 2) };
  writeFileSync(join(folder, 'plan.json'), JSON.stringify(plan));
  return { plan, all, at: (index) => join(folder, all.runs[index]?.id ?? '') };
}

const listOf = async (plan: Plan) =>
  (await findGarbage(plan)).garbage.map(({ kind, path }) => [kind, relative(plan.folder, path)]);

function own(folder: string, owner: object): void {
  const path = join(folder, 'run.json');
  const record = JSON.parse(readFileSync(path, 'utf8'));
  Object.assign(record, { status: 'running', owner, heartbeat: new Date().toISOString() });
  delete record.result;
  writeFileSync(path, JSON.stringify(record));
}

describe('what no study needs', () => {
  it('is: runs that left the plan, states of finished runs, damaged runs, temporary files, dead locks', async () => {
    const { plan, at } = await study();
    put(join(at(0), 'resume', 'state.safetensors'), 5000);
    put(join(at(1), 'resume', 'state.safetensors'), 5000);
    put(join(at(1), '.best.safetensors.0123456789ab.tmp'), 70);
    put(join(at(1), 'run.json.123456'), 7);
    put(join(plan.folder, 'results.csv.99'), 3);
    put(join(plan.folder, 'damaged', 'x-1', 'run.json'), 11);
    mkdirSync(join(at(1), 'claim.lock'));
    utimesSync(join(at(1), 'claim.lock'), old, old);
    const { garbage, kept } = await findGarbage(plan);
    expect(kept).toEqual([]);
    expect(
      garbage.map(({ kind, path, bytes }) => [
        kind,
        relative(plan.folder, path),
        kind === 'run' || bytes,
      ]),
    ).toEqual([
      ['resume', join(basename(at(0)), 'resume'), 5000],
      ['temporary', join(basename(at(1)), '.best.safetensors.0123456789ab.tmp'), 70],
      ['temporary', join(basename(at(1)), 'run.json.123456'), 7],
      ['lock', join(basename(at(1)), 'claim.lock'), 0],
      ['run', basename(at(2)), true],
      ['run', basename(at(3)), true],
      ['damaged', join('damaged', 'x-1'), 11],
      ['temporary', 'results.csv.99', 3],
    ]);
  });

  it('is nothing of a run that a process has in hand, nor a fresh temporary file', async () => {
    const { plan, at } = await study();
    own(at(2), thisProcess());
    own(at(3), { pid: 1, host: 'elsewhere' });
    own(at(1), { pid: 1, host: 'elsewhere' });
    put(join(at(1), 'run.json.123456'), 7);
    put(join(at(0), 'run.json.123456'), 7, new Date());
    const { garbage, kept } = await findGarbage(plan);
    expect(garbage).toEqual([]);
    expect(kept.map(({ path, why }) => [path, /^not in the plan, but process/.test(why)])).toEqual([
      [at(2), true],
      [at(3), true],
    ]);
  });

  it('is no folder that only looks like a run, and no run that another study starts from', async () => {
    const { plan, at } = await study();
    put(join(plan.folder, 'abcdefabcdef0123', 'thesis.txt'), 100);
    put(join(plan.folder, 'notes', 'run.json'), 100);
    const other = join(plan.folder, '..', 'two');
    mkdirSync(other);
    writeFileSync(
      join(other, 'plan.json'),
      JSON.stringify({ runs: [{ config: { weights: join(at(2), 'best.safetensors') } }] }),
    );
    const { garbage, kept } = await findGarbage(plan);
    expect(garbage.map(({ path }) => path)).toEqual([at(3)]);
    expect(kept.map(({ path }) => basename(path)).sort()).toEqual(
      [basename(at(2)), 'abcdefabcdef0123'].sort(),
    );
  });

  it('is looked at again before it is deleted', async () => {
    const { plan, at } = await study();
    const { garbage } = await findGarbage(plan);
    own(at(2), thisProcess());
    const deleted = await deleteGarbage(plan, garbage);
    expect(deleted.map(({ path }) => path)).toEqual([at(3)]);
    expect(existsSync(join(at(2), 'run.json'))).toBe(true);
    expect(existsSync(at(3))).toBe(false);
  });
});

describe('carryover study gc', () => {
  it('lists, and deletes only when told to, leaving a study that is as finished as before', async () => {
    const { plan, at } = await study();
    put(join(at(0), 'resume', 'state.safetensors'), 2_000_000);
    const listed = await runCaught('study', 'gc', plan.folder);
    expect(listed.code).toBe(0);
    expect(listed.stdout).toMatch(/resume +0000000000000000.resume +2 +the run is finished/);
    expect(listed.stdout).toMatch(/3 that no study needs, 2\.0 MB; --delete/);
    expect(await listOf(plan)).toHaveLength(3);
    const { code, stdout } = await runCaught('study', 'gc', plan.folder, '--delete', '--json');
    const document = JSON.parse(stdout);
    expect(code).toBe(0);
    expect(document.deleted).toHaveLength(3);
    expect(document.freedBytes).toBe(document.bytes);
    expect(await listOf(plan)).toEqual([]);
    const status = JSON.parse((await runCaught('study', 'status', plan.folder, '--json')).stdout);
    expect(status.counts).toMatchObject({ done: 1, interrupted: 1 });
  });

  it('refuses what is no study', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'carryover-gc-'));
    expect((await runCaught('study', 'gc', folder)).code).toBe(2);
  });
});
