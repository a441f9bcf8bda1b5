/** Wrong requests and failing work: one clear error each, the record says so, and what was done stays. */
import { existsSync, mkdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readRunRecord, runPaths } from '../../src/results/index.ts';
import { ops } from '../../src/tensor/index.ts';
import { type TrainEvent, trainRun } from '../../src/train/index.ts';
import { CarryoverError } from '../../src/util/index.ts';
import { writeSafetensors } from '../../src/weights/index.ts';
import { bitsOf, shortRun, Workplace, writeClasses } from './fixture.ts';

const place = new Workplace();
const data = { kind: 'folder', path: place.path('pictures') };
beforeAll(() => writeClasses(place.path('pictures'), ['one', 'two', 'three'], 14));
afterAll(() => place.remove());

/** The error of a run, which must be one of ours. */
async function errorOf(promise: Promise<unknown>): Promise<CarryoverError> {
  try {
    await promise;
  } catch (error) {
    expect(error).toBeInstanceOf(CarryoverError);
    return error as CarryoverError;
  }
  throw new Error('did not fail');
}

describe('training that fails', () => {
  it('names the iteration whose loss is no number, and keeps the record', async () => {
    const folder = place.path('diverged');
    const config = shortRun(data, {
      training: { learningRate: 1e30, warmupIterations: 0, clipNorm: null, logEvery: 4 },
    });
    const error = await errorOf(trainRun(config, folder));
    expect(error.message).toMatch(
      /^training, iteration \d+: expected a finite loss, got (NaN|Infinity) \(lower training\.learningRate/,
    );
    const iteration = Number(/iteration (\d+)/.exec(error.message)?.[1]);
    expect(iteration).toBeGreaterThan(1);
    expect(iteration).toBeLessThanOrEqual(4);
    expect(error.exitCode).toBe(1);
    const record = await readRunRecord(folder);
    expect(record).toMatchObject({
      status: 'failed',
      error: { message: error.message, exitCode: 1 },
    });
    expect(record?.owner).toBeUndefined();
    expect(existsSync(runPaths(folder).initial)).toBe(true);
  });

  // A device that answers every write as a full disk does; Linux has it.
  it.skipIf(!existsSync('/dev/full'))(
    'says so when the disk is full, and goes on when it no longer is',
    async () => {
      const folder = place.path('full');
      mkdirSync(folder);
      symlinkSync('/dev/full', runPaths(folder).log);
      const config = shortRun(data, { training: { maxIterations: 4 } });
      const error = await errorOf(trainRun(config, folder));
      expect(error.message).toMatch(
        /log\.jsonl: expected room on the disk to write, got a full disk \(free some space/,
      );
      expect(await readRunRecord(folder)).toMatchObject({ status: 'failed' });
      rmSync(runPaths(folder).log);
      const { status } = await trainRun(config, folder);
      expect(status).toBe('finished');
      await trainRun(config, place.path('not-full'));
      expect(bitsOf(folder)).toEqual(bitsOf(place.path('not-full')));
    },
  );

  it('begins anew where the state is damaged, and says so', async () => {
    const folder = place.path('damaged');
    const controller = new AbortController();
    await trainRun(shortRun(data), folder, {
      signal: controller.signal,
      onEvent: ({ kind }) => kind === 'step' && controller.abort(),
    });
    truncateSync(runPaths(folder).resume, 5000);
    const { status, record } = await trainRun(shortRun(data), folder);
    expect(status).toBe('finished');
    expect(record?.warnings.find((text) => text.startsWith('begins anew'))).toContain(
      'state.safetensors',
    );
  });
});

describe('a folder for a run', () => {
  it('is none that holds other things, such as the images', async () => {
    const images = place.path('pictures');
    const error = await errorOf(trainRun(shortRun(data), images));
    expect(error.message).toMatch(/pictures: expected a folder for the run.* that holds one\//);
    expect(error.exitCode).toBe(2);
    expect(existsSync(runPaths(images).record)).toBe(false);
  });

  it('is no file, and no place inside one', async () => {
    writeFileSync(place.path('occupied'), 'text');
    for (const folder of [place.path('occupied'), place.path('occupied', 'run')]) {
      const error = await errorOf(trainRun(shortRun(data), folder));
      expect(error.message).toMatch(/expected a folder for the run.* got a file/);
      expect(error.exitCode).toBe(2);
    }
  });

  it('may have been there, with notes and what a study keeps in it', async () => {
    const folder = place.path('prepared');
    mkdirSync(place.path('prepared', 'runner.lock'), { recursive: true });
    writeFileSync(place.path('prepared', 'console.log'), 'text');
    const config = shortRun(data, { training: { maxIterations: 1 } });
    expect((await trainRun(config, folder)).status).toBe('finished');
  });
});

describe('settings that no network can be trained with', () => {
  const refused = (extra: Parameters<typeof shortRun>[1], folder: string) =>
    errorOf(
      (async () => {
        await trainRun(shortRun(data, extra), place.path(folder));
      })(),
    );

  it('names an unknown model before the data set is read', async () => {
    const absent = { kind: 'folder', path: place.path('nowhere') };
    const run = async () => trainRun(shortRun(absent, { model: 'resnet19' }), place.path('s1'));
    const { message } = await errorOf(run());
    expect(message).toMatch(/expected one of resnet18, .* got resnet19/);
  });

  it('names a batch whose channels have a single value each', async () => {
    const error = await refused({ training: { batchSize: 1, size: 32 } }, 's2');
    expect(error.message).toMatch(
      /batch normalisation in training: expected more than one value .*raise batchSize or size/,
    );
    expect(error.exitCode).toBe(2);
  });

  it('names sizes and threads that no machine has room for', async () => {
    const huge = await refused({ training: { size: 100_000 } }, 's3');
    expect(huge.message).toContain('training.size: expected at most 8192');
    const threads = await refused({ training: { threads: 100_000 } }, 's4');
    expect(threads.message).toMatch(/training\.threads: expected at most 1024, got 100000/);
  });

  it('names a checkpoint of another network before the images are decoded', async () => {
    const path = place.path('stranger.safetensors');
    await writeSafetensors(path, new Map([['head.weight', ops.zeros([3, 96])]]));
    const events: TrainEvent[] = [];
    const config = shortRun(data, { init: 'wt', weights: path });
    const run = trainRun(config, place.path('s5'), { onEvent: (event) => events.push(event) });
    expect((await errorOf(run)).message).toContain('stranger.safetensors');
    expect(events.some(({ kind }) => kind === 'images')).toBe(false);
  });
});

describe('small and one-sided data', () => {
  it('trains on all images at once where they are fewer than a batch, and says so', async () => {
    const events: TrainEvent[] = [];
    const config = shortRun(data, { training: { batchSize: 64, maxEpochs: 2 } });
    const { record } = await trainRun(config, place.path('few'), {
      onEvent: (event) => events.push(event),
    });
    expect(record?.resolved).toMatchObject({ batchSize: 34, iterationsPerEpoch: 1 });
    const text =
      'the training split has 34 images, fewer than a batch of 64: every batch holds all of them';
    expect(record?.warnings).toContain(text);
    expect(events).toContainEqual({ kind: 'warning', text });
    expect(record?.result?.iterations).toBe(2);
  });

  it('refuses a validation split on which the metric has no value', async () => {
    const splits = place.path('splits.csv');
    const rows = ['sample,group,class,split'];
    for (const name of ['one', 'two', 'three']) {
      for (let picture = 0; picture < 14; picture++) {
        const split = picture > 1 ? 'train' : name === 'one' ? 'val' : 'test';
        rows.push(`${name}/${picture}.png,,${name},${split}`);
      }
    }
    writeFileSync(splits, `${rows.join('\n')}\n`);
    const ordinal = { ...data, task: 'ordinal' };
    const config = shortRun(ordinal, { splitsFile: splits });
    const error = await errorOf(trainRun(config, place.path('one-sided')));
    expect(error.message).toMatch(
      /val split: expected samples on which kappa has a value, .* got all samples are of one class/,
    );
    expect(existsSync(place.path('one-sided'))).toBe(false);
    // A mean recall over the classes present has a value there.
    const { record } = await trainRun(
      shortRun(data, { splitsFile: splits, training: { maxIterations: 1 } }),
      place.path('recall'),
    );
    expect(record?.result?.validation.primary).toMatchObject({ over: 1, of: 3 });
    expect(record?.result?.validation.primary.reason).toContain('two: no samples');
  });
});

describe('bad images', () => {
  const bad = { kind: 'folder', path: place.path('bad') };
  beforeAll(async () => {
    await writeClasses(place.path('bad'), ['one', 'two', 'three'], 14);
    writeFileSync(place.path('bad', 'one', 'broken.png'), 'no picture');
    writeFileSync(place.path('bad', 'two', 'broken.png'), 'no picture either');
  });

  it('are all named', async () => {
    const error = await errorOf(trainRun(shortRun(bad), place.path('bad-run')));
    expect(error.exitCode).toBe(1);
    expect(error.message).toContain('one/broken.png');
    expect(error.message).toContain('two/broken.png');
    expect(await readRunRecord(place.path('bad-run'))).toMatchObject({ status: 'failed' });
  });

  it('are left out and counted where that is asked for', async () => {
    const config = shortRun(bad, { training: { onBadImage: 'skip', maxIterations: 1 } });
    const { record } = await trainRun(config, place.path('skip-run'));
    const skipped = record?.data?.skipped.map(({ file }) => file).sort();
    expect(skipped).toEqual([
      place.path('bad', 'one', 'broken.png'),
      place.path('bad', 'two', 'broken.png'),
    ]);
    const { train = 0, val = 0, test = 0 } = record?.data?.counts ?? {};
    expect(train + val + test).toBe(42);
    expect(record?.warnings.join()).toContain('2 bad images are left out');
  });
});

describe('bad images beside few good ones', () => {
  const training = { onBadImage: 'skip', maxIterations: 1, batchSize: 64 };

  it('are no part of a batch that holds all images', async () => {
    const few = { kind: 'folder', path: place.path('bad') };
    const { record } = await trainRun(shortRun(few, { training }), place.path('few-good'));
    const { counts } = record?.data ?? {};
    expect(record?.resolved?.batchSize).toBe(counts?.train);
    expect(record?.warnings.join()).toContain(`the training split has ${counts?.train} images`);
  });

  it('are listed where there are no others', async () => {
    for (const name of ['one', 'two']) {
      mkdirSync(place.path('worse', name), { recursive: true });
      for (let k = 0; k < 12; k++)
        writeFileSync(place.path('worse', name, `${k}.png`), `${name} ${k}`);
    }
    const none = { kind: 'folder', path: place.path('worse') };
    const error = await errorOf(trainRun(shortRun(none, { training }), place.path('none-good')));
    expect(error.message).toMatch(/expected an image that can be decoded in each split, got/);
    expect(error.message).toContain('no image of a known type');
  });
});

describe('checkpoints', () => {
  const transfer = (weights: string) => shortRun(data, { init: 'wt', weights });

  it('that are not there, no checkpoints or truncated are refused', async () => {
    const absent = await errorOf(trainRun(transfer(place.path('none.pth')), place.path('c1')));
    expect(absent.message).toMatch(
      /none\.pth: expected a checkpoint file that can be read, got no such file/,
    );
    expect(absent.exitCode).toBe(2);
    writeFileSync(place.path('page.pth'), '<!DOCTYPE html><html></html>');
    const page = await errorOf(trainRun(transfer(place.path('page.pth')), place.path('c2')));
    expect(page.message).toContain('page.pth');
    expect(page.message).toMatch(/HTML/i);
    const path = place.path('cut.safetensors');
    await writeSafetensors(path, new Map([['fc.weight', ops.zeros([100, 100])]]));
    truncateSync(path, 1000);
    const cut = await errorOf(trainRun(transfer(path), place.path('c3')));
    expect(cut.message).toContain('cut.safetensors');
    expect(cut.exitCode).toBe(1);
  });

  it('that were wrong can be put right in the same folder', async () => {
    writeFileSync(place.path('wrong.pth'), 'no checkpoint');
    await errorOf(trainRun(transfer(place.path('wrong.pth')), place.path('c5')));
    const config = shortRun(data, { training: { maxIterations: 1 } });
    const { status, record } = await trainRun(config, place.path('c5'));
    expect(status).toBe('finished');
    expect(record).toMatchObject({ sessions: 1, config: { init: 'ri' } });
    expect(record?.error).toBeUndefined();
  });

  it('of another network are refused, and the record says so', async () => {
    const path = place.path('other.safetensors');
    await writeSafetensors(path, new Map([['head.weight', ops.zeros([3, 96])]]));
    const error = await errorOf(trainRun(transfer(path), place.path('c4')));
    expect(error.message).toContain('other.safetensors');
    expect(error.exitCode).toBe(1);
    expect(await readRunRecord(place.path('c4'))).toMatchObject({
      status: 'failed',
      error: { message: error.message },
    });
  });
});
