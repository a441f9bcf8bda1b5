/** `carryover features` and `carryover predict` as users call them, on pictures and networks of tests. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeMedmnist } from '../../scripts/format-copies/arraySets.ts';
import { openDataSet, parseDataArgument } from '../../src/data/index.ts';
import { createModel } from '../../src/models/index.ts';
import { readRunRecord, runPaths, writeRunRecord } from '../../src/results/index.ts';
import { trainRun } from '../../src/train/index.ts';
import { readWeights, writeSafetensors } from '../../src/weights/index.ts';
import { fill } from '../models/formula.ts';
import { shortRun, Workplace, writeClasses, writeLabels, writePicture } from '../train/fixture.ts';
import { runCaught } from './caught.ts';

const place = new Workplace();
const classes = ['benign', 'odd, "quoted"', 'zone'];
const weights = place.path('weights.safetensors');
const data = `folder:${place.path('pictures')}`;

const common = ['--device', 'cpu', '--threads', '1', '--workers', '0'];
const features = (out: string, ...rest: string[]) =>
  runCaught(
    'features',
    '--model',
    'resnet18_micro',
    '--weights',
    weights,
    '--out',
    out,
    ...common,
    ...rest,
  );

async function readFeatures(path: string) {
  const { tensors, metadata } = await readWeights(path);
  const values = new Map(
    [...tensors].map(([name, { shape, bytes }]) => {
      const floats = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
      return [name, { shape, floats: [...floats] }];
    }),
  );
  const files: string[] = JSON.parse(metadata.files ?? '');
  return { values, metadata, files };
}

beforeAll(async () => {
  await writeClasses(place.path('pictures'), classes, 12);
  const model = fill(createModel('resnet18_micro', { classes: 5 }));
  await writeSafetensors(weights, model.state());
  model.dispose();
});

afterAll(() => place.remove());

describe('carryover features', () => {
  it('writes taps and logits of all images in the data set’s order', async () => {
    const out = place.path('all.safetensors');
    const { code, stderr, stdout } = await features(out, '--data', data, '--logits');
    expect(code).toBe(0);
    expect(stderr).toContain('weights.safetensors: 122 tensors matched\n');
    expect(stdout).toContain('36 images by resnet18_micro');
    const { values, metadata, files } = await readFeatures(out);
    const { taps } = createModel('resnet18_micro', { classes: 1 });
    expect([...values.keys()]).toEqual([...taps.map(({ name }) => `tap/${name}`), 'logits']);
    expect(values.get('tap/layer4.1')?.shape).toEqual([36, 128]);
    expect(values.get('logits')?.shape).toEqual([36, 5]);
    const dataset = await openDataSet(parseDataArgument(data));
    expect(files).toEqual(dataset.samples.map(({ id }) => id));
    expect(files).toContain('odd, "quoted"/11.png');
    expect(metadata).toMatchObject({
      model: 'resnet18_micro',
      precision: 'fp32',
      size: '64',
      resize: '73',
      embedding: 'spatial',
      normalize: 'imagenet',
      weightsSha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  it('gives each image the same whatever the batch, the split and the other taps', async () => {
    const [all, some] = [place.path('all-1.safetensors'), place.path('some.safetensors')];
    await features(all, '--data', data, '--normalize', 'data', '--batch-size', '7');
    const { code } = await features(
      some,
      ...['--data', data, '--split', 'test', '--taps', 'layer2.1, conv1', '--normalize', 'data'],
    );
    expect(code).toBe(0);
    const [whole, part] = [await readFeatures(all), await readFeatures(some)];
    expect([...part.values.keys()]).toEqual(['tap/conv1', 'tap/layer2.1']);
    expect(part.files.length).toBeGreaterThan(0);
    expect(part.files.length).toBeLessThan(10);
    for (const [name, { shape, floats }] of part.values) {
      const width = shape[1] ?? 0;
      part.files.forEach((file, row) => {
        const at = whole.files.indexOf(file);
        const expected = whole.values.get(name)?.floats.slice(at * width, (at + 1) * width);
        expect(floats.slice(row * width, (row + 1) * width)).toBeAllclose(expected ?? [], {
          absolute: 1e-5,
        });
      });
    }
  });

  it('reads images without labels, and leaves bad ones out if told', async () => {
    const folder = place.path('loose', 'deep');
    mkdirSync(folder, { recursive: true });
    await writePicture(place.path('loose', 'b.png'), 90, 'b');
    await writePicture(place.path('loose', 'deep', 'a.png'), 150, 'a');
    const out = place.path('loose.safetensors');
    const good = await features(out, '--data', `images:${place.path('loose')}`, '--taps', 'conv1');
    expect(good.code).toBe(0);
    expect((await readFeatures(out)).files).toEqual(['b.png', 'deep/a.png']);
    writeFileSync(place.path('loose', 'c.png'), 'no picture');
    const bad = await features(out, '--data', `images:${place.path('loose')}`);
    expect(bad.code).toBe(1);
    expect(bad.stderr).toContain('c.png');
    const skip = ['--on-bad-image', 'skip'];
    const left = await features(out, '--data', `images:${place.path('loose')}`, ...skip);
    expect(left.code).toBe(0);
    expect(left.stderr).toMatch(/warning: .*c\.png: .*left out/);
    expect((await readFeatures(out)).files).toEqual(['b.png', 'deep/a.png']);
    const split = await features(
      out,
      ...['--data', `images:${place.path('loose')}`, '--split', 'test', ...skip],
    );
    expect(split).toMatchObject({ code: 2 });
    expect(split.stderr).toContain('a data set with labels');
  });

  it('takes the pixels as asked', async () => {
    const values = async (...rest: string[]): Promise<number[]> => {
      const out = place.path('pixels.safetensors');
      const { code } = await features(out, '--data', data, '--taps', 'conv1', ...rest);
      expect(code).toBe(0);
      return (await readFeatures(out)).values.get('tap/conv1')?.floats ?? [];
    };
    const [plain, imagenet] = [await values('--normalize', 'none'), await values()];
    expect(imagenet).not.toEqual(plain);
    expect(await values('--size', '32', '--resize', '36')).not.toEqual(imagenet);
    const grey = await values('--input-channels', '1');
    expect(grey).toHaveLength(imagenet.length);
    expect(grey).not.toEqual(await values('--input-channels', '1', '--first-conv', 'slice'));
  });

  it('says what is missing or wrong', async () => {
    const out = place.path('none.safetensors');
    const error = async (...argv: string[]): Promise<string> => {
      const { code, stderr } = await runCaught('features', ...common, ...argv);
      expect(code === 1 || code === 2).toBe(true);
      expect(existsSync(out)).toBe(false);
      return stderr;
    };
    const given = ['--model', 'resnet18_micro', '--weights', weights, '--out', out];
    expect(await error('--data', data, '--out', out)).toContain('expected --weights');
    expect(await error('--data', data, '--weights', weights, '--out', out)).toContain('--model');
    expect(await error(...given)).toContain('expected --data');
    expect(await error(...given.slice(0, 4), '--data', data)).toContain('expected --out');
    expect(await error(...given, '--data', data, '--taps', 'layer5.0')).toMatch(
      /got "layer5\.0" \(did you mean layer1\.0/,
    );
    expect(await error(...given, '--data', data, '--taps', 'none')).toContain('neither taps nor');
    expect(await error(...given, '--data', data, '--embedding', 'clss')).toContain(
      'did you mean cls',
    );
    expect(await error(...given, '--data', data, '--size', '64', '--resize', '32')).toContain(
      'at most resize',
    );
    expect(await error(...given, '--data', data, '--device', 'gpu')).toContain('--device');
    expect(await error(...given, '--data', data, '--input-channels', '2')).toContain('1 or 3');
    expect(await error(...given, '--data', 'pictures')).toContain('kind:path');
    expect(await error(...given.slice(0, 5), place.path('pictures'), '--data', data)).toContain(
      'got a folder',
    );
  });
});

describe('of a run', () => {
  const folder = place.path('run');
  const out = place.path('predictions.csv');
  const predict = (...rest: string[]) =>
    runCaught('predict', '--run', folder, '--out', out, ...common, ...rest);

  beforeAll(async () => {
    const config = shortRun({ kind: 'folder', path: place.path('pictures') });
    await trainRun(config, folder);
  });

  /** Cells of a CSV line whose quotes are those of this file. */
  const lines = (): string[] => readFileSync(out, 'utf8').trimEnd().split('\n');

  it('predict gives a class and one probability a class, and compares labels', async () => {
    const record = await readRunRecord(folder);
    const { code, stdout } = await predict('--data', data, '--split', 'test', '--json');
    expect(code).toBe(0);
    const [header, ...rows] = lines();
    expect(header).toBe('file,class,benign,"odd, ""quoted""",zone');
    expect(rows).toHaveLength(record?.data?.counts.test ?? 0);
    for (const row of rows) {
      const probabilities = row.split(',').slice(-3).map(Number);
      expect(probabilities.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 10);
      const best = classes[probabilities.indexOf(Math.max(...probabilities))];
      expect(row).toContain(best?.includes('"') ? ',"odd, ""quoted""",' : `,${best},`);
    }
    const document: unknown = JSON.parse(stdout);
    expect(document).toMatchObject({
      evaluation: { metrics: record?.result?.test.metrics, loss: record?.result?.test.loss },
    });
  });

  it('predict takes images without labels, and the network that the run began with', async () => {
    mkdirSync(place.path('new'));
    await writePicture(place.path('new', 'x, y.png'), 100, 'new');
    expect((await predict('--data', `images:${place.path('new')}`)).code).toBe(0);
    const best = lines();
    expect(best[1]).toMatch(/^"x, y\.png",/);
    const { stdout } = await predict(
      ...['--data', `images:${place.path('new')}`, '--checkpoint', 'initial'],
    );
    expect(stdout).not.toContain('metric');
    expect(lines()).toHaveLength(2);
    expect(lines()).not.toEqual(best);
  });

  it('features takes the run’s sizes and numbers', async () => {
    const path = place.path('run.safetensors');
    const args = ['--run', folder, '--data', data, '--out', path, ...common];
    expect((await runCaught('features', ...args, '--logits', '--taps', 'none')).code).toBe(0);
    const { values, metadata } = await readFeatures(path);
    expect(values.get('logits')?.shape).toEqual([36, 3]);
    expect(metadata).toMatchObject({ size: '32', normalize: 'run', model: 'resnet18_micro' });
    const { code, stderr } = await runCaught('features', ...args, '--size', '64');
    expect(code).toBe(2);
    expect(stderr).toContain('leave --size out');
  });

  it('predict warns of an unfinished run, and refuses what is no run or another’s network', async () => {
    const record = await readRunRecord(folder);
    if (!record) throw new Error(folder);
    const images = ['--data', `images:${place.path('new')}`];
    await writeRunRecord(folder, { ...record, status: 'stopped' });
    expect((await predict(...images)).stderr).toMatch(/warning: .*stopped at iteration/);
    await writeRunRecord(folder, { ...record, runId: '0123456789abcdef' });
    expect(await predict(...images)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('expected the network of run 0123456789abcdef'),
    });
    await writeRunRecord(folder, record);
    const damaged = readFileSync(runPaths(folder).best);
    writeFileSync(runPaths(folder).best, damaged.subarray(0, damaged.length - 100));
    expect(await predict(...images)).toMatchObject({ code: 1 });
    writeFileSync(runPaths(folder).best, damaged);
    const nothing = await runCaught(
      'predict',
      '--run',
      place.path('nowhere'),
      ...images,
      '--out',
      out,
    );
    expect(nothing).toMatchObject({ code: 2, stderr: expect.stringContaining('no such folder') });
    const file = ['--run', runPaths(folder).record];
    expect(await runCaught('predict', ...file, ...images, '--out', out)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(
        'expected the folder of a run, with its run.json, got a file',
      ),
    });
  });

  it('predict joins the labels of a multi-label task', async () => {
    const csv = await writeLabels(place.path('labelled'), 20);
    const config = shortRun(
      { kind: 'csv', path: csv, labelColumns: ['oedema', 'fracture'] },
      {
        training: { maxEpochs: 1 },
      },
    );
    const other = place.path('labels-run');
    await trainRun(config, other);
    const args = ['--run', other, '--data', `images:${place.path('labelled')}`, '--out', out];
    expect((await runCaught('predict', ...args, ...common)).code).toBe(0);
    const [header, ...rows] = lines();
    expect(header).toBe('file,class,oedema,fracture');
    for (const row of rows) {
      const [, named, ...probabilities] = row.split(',');
      const expected = ['oedema', 'fracture'].filter((_, at) => Number(probabilities[at]) >= 0.5);
      expect(named).toBe(expected.join('|'));
    }
  });

  describe('on the data of the run', () => {
    const own = place.path('grades-run');
    const named = `folder:${place.path('pictures')}`;
    const of = (...rest: string[]) =>
      runCaught('predict', '--run', own, '--out', out, ...common, ...rest);
    beforeAll(async () => {
      const data = { kind: 'folder', path: place.path('pictures'), task: 'ordinal' };
      await trainRun(shortRun(data, { training: { maxEpochs: 1 } }), own);
    });

    it('predict takes the run’s own task and splits, without saying so', async () => {
      const record = await readRunRecord(own);
      const { stdout, stderr } = await of('--data', named, '--split', 'test', '--json');
      const document: unknown = JSON.parse(stdout);
      expect(stderr).not.toContain('warning');
      expect(document).toMatchObject({
        evaluation: { metric: 'kappa', metrics: record?.result?.test.metrics },
      });
    });

    it('predict warns where a split is not the run’s, and judges by the run’s task', async () => {
      const other = ['--data', named, '--set', 'task=multiclass'];
      const { stdout, stderr } = await of(...other, '--split', 'test', '--json');
      expect(stderr).toMatch(/warning: pictures is not the data set that the run was trained on/);
      expect(stderr).toContain('its test split is not the run');
      expect(JSON.parse(stdout)).toMatchObject({ evaluation: { metric: 'kappa' } });
    });

    it('predict says why there are no metrics', async () => {
      const part = place.path('part');
      await writeClasses(part, [...classes.slice(0, 2)], 3);
      const short = await of('--data', `folder:${part}`);
      expect(short.code).toBe(0);
      expect(short.stderr).toMatch(/warning: no metrics: the run is ordinal .*; --set 'classes=\[/);
      const whole = await of(
        '--data',
        `folder:${part}`,
        '--set',
        `classes=${JSON.stringify(classes)}`,
      );
      expect(whole.stderr).not.toContain('no metrics');
      expect(whole.stdout).toContain('kappa');
    });

    it('names a file of splits that is not there, whatever is asked for', async () => {
      const none = await of('--data', named, '--splits', place.path('none.csv'));
      expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('no such file')]);
      const args = ['--data', named, '--normalize', 'data', '--splits', place.path('none.csv')];
      const { code } = await features(place.path('none.safetensors'), ...args);
      expect(code).toBe(2);
    });

    it('rows of arrays have names of the data set, not places in the cache', async () => {
      const path = place.path('set.npz');
      await writeMedmnist(path, { size: 12 });
      const { code } = await of('--data', `npz:${path}`);
      expect(code).toBe(0);
      expect(lines()[1]).toMatch(/^train\/0,/);
    });
  });

  it('leave no temporary files', () => {
    const left = readdirSync(place.root).filter((name) => name.endsWith('.tmp'));
    expect(left).toEqual([]);
  });
});
