/** States to resume from: whole, exact, and refused where they are not this run's. */
import { mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ops, tensor } from '../../src/tensor/index.ts';
import {
  asTensors,
  loadState,
  type Position,
  type RunState,
  restoreTensors,
  saveState,
} from '../../src/train/state.ts';
import { writeSafetensors } from '../../src/weights/index.ts';

const position: Position = {
  format: 1,
  runId: 'abc',
  iteration: 12,
  epoch: 1,
  batch: 2,
  evaluationDue: false,
  logBytes: 345,
  pendingLosses: [0.1, 1 / 3],
  schedule: { learningRate: 1e-4, best: 0.5, stalled: 2 },
  trainingSeconds: 1.5,
  wallSeconds: 2.5,
  images: 768,
  threads: 2,
};

function stateOf(): RunState {
  return {
    position,
    model: new Map([
      ['conv.weight', tensor([1, 2, 3, 4], { shape: [1, 1, 2, 2] })],
      ['bn.num_batches_tracked', tensor(7, { dtype: 'int64' })],
    ]),
    optimiser: new Map([['conv.weight.exp_avg', tensor([0.5, 0.25])]]),
    best: new Map([['conv.weight', tensor([9, 8, 7, 6], { shape: [1, 1, 2, 2] })]]),
    random: Uint8Array.from([1, 2, 3]),
  };
}

describe('a state', () => {
  let path: string;
  beforeEach(() => {
    path = join(mkdtempSync(join(tmpdir(), 'carryover-state-')), 'resume', 'state.safetensors');
  });
  afterEach(() => rmSync(join(path, '../..'), { recursive: true }));

  it('comes back as it was', async () => {
    await saveState(path, stateOf());
    const loaded = await loadState(path);
    expect(loaded.position).toEqual(position);
    expect([...loaded.random]).toEqual([1, 2, 3]);
    expect([...loaded.model.keys()]).toEqual(['conv.weight', 'bn.num_batches_tracked']);
    expect(asTensors(loaded.optimiser).get('conv.weight.exp_avg')?.toArray()).toEqual([0.5, 0.25]);
    expect(asTensors(loaded.best).get('conv.weight')?.toArray()).toEqual([9, 8, 7, 6]);
    expect(readdirSync(join(path, '..'))).toEqual(['state.safetensors']);
  });

  it('goes into tensors of any memory format', async () => {
    await saveState(path, stateOf());
    const { model } = await loadState(path);
    const target = ops.zeros([1, 1, 2, 2]).contiguous('channelsLast');
    const counter = tensor(0, { dtype: 'int64' });
    const targets = new Map([
      ['conv.weight', target],
      ['bn.num_batches_tracked', counter],
    ]);
    restoreTensors(targets, model, 'state');
    expect(target.toArray()).toEqual([1, 2, 3, 4]);
    expect(target.isContiguous('channelsLast')).toBe(true);
    expect(counter.item()).toBe(7);
  });

  it('is refused where it is of another network', async () => {
    await saveState(path, stateOf());
    const { model } = await loadState(path);
    const other = new Map([['fc.weight', ops.zeros([2, 2])]]);
    expect(() => restoreTensors(other, model, 'state')).toThrow(/"fc\.weight" differs/);
    const wrong = new Map([
      ['conv.weight', ops.zeros([4])],
      ['bn.num_batches_tracked', tensor(0, { dtype: 'int64' })],
    ]);
    expect(() => restoreTensors(wrong, model, 'state')).toThrow(
      'state: conv.weight: expected float32 [4], got float32 [1, 1, 2, 2]',
    );
  });

  it('is refused where it is damaged or no state', async () => {
    await saveState(path, stateOf());
    truncateSync(path, 600);
    await expect(loadState(path)).rejects.toThrow(/state\.safetensors/);
    await writeSafetensors(path, new Map([['x', tensor([1])]]));
    await expect(loadState(path)).rejects.toThrow(/expected the state of a run/);
    writeFileSync(path, '<html>');
    await expect(loadState(path)).rejects.toThrow(/state\.safetensors/);
  });
});
