/** The measures on runs of small networks on small pictures: what they write, identities, bad input. */
import { cpSync, existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  analyse,
  defaultMeasureOptions,
  type MeasureOptions,
  measureOf,
  ResetSweep,
  Subject,
} from '../../src/analysis/index.ts';
import { openRun } from '../../src/eval/index.ts';
import {
  type AnalysisDocument,
  type CkaDocument,
  type MeasureName,
  readAnalysis,
  readRunRecord,
  runPaths,
  writeAnalysis,
  writeRunRecord,
} from '../../src/results/index.ts';
import { liveTensors, ops, scope, type Tensor } from '../../src/tensor/index.ts';
import { trainRun } from '../../src/train/index.ts';
import { readWeights, writeSafetensors } from '../../src/weights/index.ts';
import { shortRun, Workplace, writeClasses } from '../train/fixture.ts';

type Document<M extends MeasureName> = Extract<AnalysisDocument, { measure: M }>;

const place = new Workplace();
const resnet = place.path('resnet');
const deit = place.path('deit');
const data = { kind: 'folder', path: place.path('pictures') };
const training = { maxEpochs: 2, warmupIterations: 2, augment: false };

beforeAll(async () => {
  await writeClasses(place.path('pictures'), ['one', 'three', 'two'], 14);
  await trainRun(shortRun(data, { training }), resnet);
  await trainRun(shortRun(data, { training, model: 'deit_micro' }), deit);
});
afterAll(() => place.remove());

/** What a measure finds, after the round through its schema. */
async function found<M extends MeasureName>(
  name: M,
  folder: string,
  { against, ...options }: Partial<MeasureOptions> & { against?: string } = {},
): Promise<Document<M>> {
  const subject = await Subject.open(folder, against, { device: 'cpu', workers: 0 });
  try {
    const settings = { ...defaultMeasureOptions, ...options };
    const [outcome] = await analyse(subject, [measureOf(name)], settings);
    if (!outcome) throw new Error('no outcome');
    measureOf(name).table(outcome.document);
    await writeAnalysis(folder, outcome.document);
    const read = await readAnalysis(folder, name, outcome.document.against?.runId);
    expect(read).toEqual(JSON.parse(JSON.stringify(outcome.document)));
    return read as Document<M>;
  } finally {
    subject.dispose();
  }
}

/** Images that no network has seen. */
function noise(shape: readonly number[]): Tensor {
  return ops.normal_(ops.zeros(shape)).contiguous('channelsLast');
}

/** A copy of a run with some tensors of its best network changed. */
async function withChanges(
  folder: string,
  name: string,
  change: (tensor: string, values: Float32Array) => void,
): Promise<string> {
  const copy = place.path(name);
  cpSync(folder, copy, { recursive: true });
  const file = await readWeights(runPaths(copy).best);
  for (const [tensorName, stored] of file.tensors) {
    if (stored.dtype !== 'float32') continue;
    const values = Float32Array.from(
      new Float32Array(stored.bytes.slice().buffer, 0, stored.bytes.byteLength / 4),
    );
    change(tensorName, values);
    stored.bytes = new Uint8Array(values.buffer);
  }
  await writeSafetensors(runPaths(copy).best, file.tensors, file.metadata);
  return copy;
}

describe('k-NN', () => {
  it('judges every tap by the metric of the data set, with no more neighbours than the bank has', async () => {
    const { taps, settings, bank, queries } = await found('knn', resnet);
    expect(taps.map(({ tap }) => tap)).toEqual([
      'conv1',
      ...[1, 2, 3, 4].flatMap((stage) => [`layer${stage}.0`, `layer${stage}.1`]),
    ]);
    expect(settings).toMatchObject({ neighbours: 200, used: bank });
    const record = await readRunRecord(resnet);
    expect({ bank, queries }).toEqual({
      bank: record?.data?.counts.train,
      queries: record?.data?.counts.test,
    });
    for (const { knn } of taps) {
      expect(knn?.metric).toBe('recall');
      expect(knn?.primary.value).toBeGreaterThanOrEqual(0);
    }
  });

  it('has three embeddings behind a class token, and a probe beside each', async () => {
    const { taps } = await found('knn', deit, { probe: true, neighbours: 5 });
    expect(taps).toHaveLength(1 + 12 * 3);
    expect(taps[0]).toMatchObject({ tap: 'patch_embed', embedding: 'spatial', features: 96 });
    const kinds = taps.filter(({ tap }) => tap === 'blocks.5.mlp');
    expect(kinds.map(({ embedding, features }) => [embedding, features])).toEqual([
      ['both', 192],
      ['cls', 96],
      ['spatial', 96],
    ]);
    for (const { probe } of taps) {
      expect(probe?.tried.length).toBeGreaterThan(1);
      expect(probe?.test.confusion).toHaveLength(3);
    }
  });
});

describe('CKA', () => {
  const matrix = ({ matrices }: CkaDocument, at: number): number[] =>
    (matrices[at]?.values ?? []).flat().map((value) => value ?? Number.NaN);

  it('sets initial against fine-tuned, and each against itself', async () => {
    const document = await found('cka', resnet);
    expect(document.matrices.map(({ left, right }) => [left.checkpoint, right.checkpoint])).toEqual(
      [
        ['initial', 'best'],
        ['initial', 'initial'],
        ['best', 'best'],
      ],
    );
    const taps = document.taps.length;
    for (const at of [1, 2]) {
      const values = matrix(document, at);
      for (let tap = 0; tap < taps; tap++) {
        expect(values[tap * taps + tap]).toBeAllclose(1, { absolute: 1e-6 });
      }
    }
    expect(matrix(document, 0).every((value) => value <= 1 + 1e-9)).toBe(true);
  });

  it('finds a run to be what it is', async () => {
    const document = await found('cka', deit, { against: deit });
    expect(document.matrices.map(({ tokens }) => tokens)).toEqual(
      ['all', 'cls', 'spatial'].flatMap((tokens) => [tokens, tokens, tokens]),
    );
    for (const at of [0, 3, 6]) {
      expect(matrix(document, at)).toBeAllclose(matrix(document, at + 1), { absolute: 1e-9 });
    }
    // The patchifier has no class token.
    expect(document.matrices[3]?.taps).toHaveLength(12);
  });

  it('leaves no value, but a reason, where the test split is smaller than a batch can be', async () => {
    const { batches, batchesLeftOut, matrices } = await found('cka', resnet, { batch: 4 });
    expect(batches).toBeGreaterThan(0);
    expect(batches * 4 + batchesLeftOut).toBeGreaterThan(0);
    expect(matrices[0]?.undefinedTaps).toEqual([]);
  });
});

describe('ℓ2', () => {
  it('is the distance of convolutions and linear layers over their number', async () => {
    const { taps } = await found('l2', resnet);
    const [before, after] = await Promise.all(
      [runPaths(resnet).initial, runPaths(resnet).best].map(readWeights),
    );
    const values = (file: typeof before, name: string): Float32Array => {
      const bytes = file?.tensors.get(name)?.bytes.slice() ?? new Uint8Array();
      return new Float32Array(bytes.buffer);
    };
    const names = ['conv1', 'conv2', 'downsample.0'].map((name) => `layer2.0.${name}.weight`);
    let squares = 0;
    let count = 0;
    for (const name of names) {
      const [first, second] = [values(before, name), values(after, name)];
      first.forEach((value, at) => {
        squares += (value - (second[at] ?? 0)) ** 2;
      });
      count += first.length;
    }
    const drift = taps.find(({ tap }) => tap === 'layer2.0');
    expect(drift?.weights).toBe(count);
    expect(drift?.distance).toBeAllclose(Math.sqrt(squares) / count, { relative: 1e-6 });
  });

  it('is 0 of a run against itself', async () => {
    const { taps } = await found('l2', deit, { against: deit });
    expect(taps.map(({ norm }) => norm)).toEqual(taps.map(() => 0));
  });
});

describe('re-initialisation robustness', () => {
  it.each([
    ['a residual network', () => resnet],
    ['a vision transformer', () => deit],
  ])('of %s is that of whole passes, to the bit', async (_, folder) => {
    const [best, initial] = [await openRun(folder(), 'best'), await openRun(folder(), 'initial')];
    const sweep = new ResetSweep(best.model, initial.model, { device: 'cpu', precision: 'fp32' });
    const images = noise([5, 3, 32, 32]);
    const shared = sweep.logits(images);
    const plain = sweep.plainLogits(images);
    expect(shared.trained).toEqual(plain.trained);
    expect(shared.reset).toEqual(plain.reset);
    const changed = [...shared.reset.values()].filter((values) =>
      values.some((value, at) => value !== shared.trained[at]),
    );
    expect(changed.length).toBe(best.model.taps.length);
    // The network is as it was.
    expect(sweep.logits(images).trained).toEqual(shared.trained);
    const before = liveTensors().count;
    sweep.logits(images);
    expect(liveTensors().count).toBe(before);
    sweep.dispose();
  });

  it('changes nothing at a tap that never trained', async () => {
    const [best, initial] = [await openRun(resnet, 'best'), await openRun(resnet, 'best')];
    scope(() => {
      for (const [name, value] of initial.model.state()) {
        if (name === 'layer3.1.conv2.weight') ops.fill_(value.detach(), 0.01);
      }
    });
    const sweep = new ResetSweep(best.model, initial.model, { device: 'cpu', precision: 'fp32' });
    const { trained, reset } = sweep.logits(noise([3, 3, 32, 32]));
    for (const [tap, values] of reset) {
      if (tap === 'layer3.1') expect(values).not.toEqual(trained);
      else expect(values).toEqual(trained);
    }
    sweep.dispose();
  });

  it('begins at the metric that the run found', async () => {
    const record = await readRunRecord(resnet);
    const { trained, taps } = await found('reinit', resnet);
    expect(trained.primary).toEqual(record?.result?.test.primary);
    expect(trained.confusion).toEqual(record?.result?.test.confusion);
    for (const { evaluation, drop } of taps) {
      const value = evaluation?.primary.value ?? Number.NaN;
      expect(drop).toBeAllclose((trained.primary.value ?? Number.NaN) - value, { absolute: 1e-12 });
    }
    // Weights, and batch norm's buffers, which are put back too.
    expect(taps.find(({ tap }) => tap === 'conv1')?.tensors).toBe(1);
    expect(taps.find(({ tap }) => tap === 'layer1.0')?.tensors).toBe(12);
  });
});

describe('attention', () => {
  it('lies between 0 and the diagonal, by block and head', async () => {
    const { layers, grid, patchSize, uniform } = await found('attention', deit);
    expect([grid, patchSize, layers.length]).toEqual([4, 8, 6]);
    for (const { heads } of layers) {
      expect(heads).toHaveLength(3);
      for (const value of heads) {
        expect(value).toBeGreaterThan(0);
        expect(value).toBeLessThan(4 * 8 * Math.SQRT2);
        // Hardly trained: nearly uniform.
        expect(value).toBeAllclose(uniform, { relative: 0.3 });
      }
    }
  });

  it('is refused of a network without it', async () => {
    await expect(found('attention', resnet)).rejects.toThrow('a convolutional network');
  });
});

describe('convergence', () => {
  it('says what the log says, and how much faster a run was', async () => {
    const result = (await readRunRecord(resnet))?.result;
    const { subject, speedUp, iterationsToOthersBest } = await found('convergence', resnet, {
      against: resnet,
    });
    expect(subject.iterationsToBest).toBe(result?.iterationsToBest);
    expect(subject.best).toBe(result?.validation.primary.value);
    expect(subject.curve.length).toBeGreaterThan(2);
    expect(speedUp).toBe(1);
    expect(iterationsToOthersBest).toBe(subject.iterationsToBest);
  });
});

describe('calibration', () => {
  it('has every metric of the run, the classes, the confusion matrix and the bins', async () => {
    const test = (await readRunRecord(resnet))?.result?.test;
    const { evaluation, overall, images } = await found('calibration', resnet, { bins: 5 });
    expect(evaluation.metrics).toEqual(test?.metrics);
    expect(evaluation.perClass).toEqual(test?.perClass);
    expect(overall.bins).toHaveLength(5);
    expect(overall.bins.reduce((sum, { count }) => sum + count, 0)).toBe(images);
  });
});

describe('all measures at once', () => {
  it('find what each finds alone, from one pass', async () => {
    const subject = await Subject.open(deit, undefined, { device: 'cpu', workers: 0 });
    const names = ['knn', 'cka', 'reinit', 'attention'] as const;
    const outcomes = await analyse(subject, names.map(measureOf), defaultMeasureOptions);
    subject.dispose();
    for (const [at, name] of names.entries()) {
      const together = outcomes[at]?.document;
      expect(JSON.parse(JSON.stringify(together))).toEqual(await found(name, deit));
    }
  });
});

describe('bad input', () => {
  it('names the tap that is constant, and gives it no value', async () => {
    const folder = await withChanges(deit, 'constant', (name, values) => {
      if (name.startsWith('blocks.2.mlp.fc2.')) values.fill(0);
    });
    const { taps } = await found('knn', folder);
    const constant = taps.filter(({ knn }) => knn === undefined);
    expect(new Set(constant.map(({ tap }) => tap))).toEqual(new Set(['blocks.2.mlp']));
    expect(constant[0]?.reason).toContain('constant');
    const { matrices } = await found('cka', folder);
    const { undefinedTaps, values, taps: names } = matrices[2] as CkaDocument['matrices'][number];
    expect(undefinedTaps.map(({ tap }) => tap)).toEqual(['blocks.2.mlp', 'blocks.2.mlp']);
    expect(values[names.indexOf('blocks.2.mlp')]?.every((value) => value === null)).toBe(true);
    expect(values[0]?.[0]).toBeAllclose(1, { absolute: 1e-6 });
  });

  it('names tap and image where features are no numbers', async () => {
    const folder = await withChanges(resnet, 'diverged', (name, values) => {
      if (name === 'layer2.0.bn2.weight') values.fill(3e38);
    });
    const expected = /features of (one|two|three)\/\d+\.png at layer2\.0/;
    await expect(found('knn', folder)).rejects.toThrow(expected);
    await expect(found('cka', folder)).rejects.toThrow(expected);
    await expect(found('calibration', folder)).rejects.toThrow('at the logits');
    expect(existsSync(`${folder}/analysis/calibration.json`)).toBe(
      existsSync(`${resnet}/analysis/calibration.json`),
    );
  });

  it('refuses a run that is not finished, and a folder without one', async () => {
    const folder = place.path('unfinished');
    cpSync(resnet, folder, { recursive: true });
    const record = await readRunRecord(folder);
    if (record) await writeRunRecord(folder, { ...record, status: 'stopped', result: undefined });
    await expect(found('l2', folder)).rejects.toThrow(
      'expected a finished run, got one that is stopped',
    );
    await expect(found('knn', place.path('nowhere'))).rejects.toThrow('no run.json');
  });

  it('refuses a damaged checkpoint, and one of another run', async () => {
    const folder = place.path('damaged');
    cpSync(resnet, folder, { recursive: true });
    truncateSync(runPaths(folder).best, 4000);
    await expect(found('l2', folder)).rejects.toThrow('best.safetensors');
    cpSync(runPaths(deit).best, runPaths(folder).best);
    await expect(found('reinit', folder)).rejects.toThrow('was it copied from elsewhere?');
  });

  it('refuses to compare runs that differ, and names the keys', async () => {
    await expect(found('cka', resnet, { against: deit })).rejects.toThrow(
      'differ in model (resnet18_micro and deit_micro)',
    );
    const folder = place.path('other splits');
    await trainRun(
      shortRun(data, { training: { ...training, maxEpochs: 1 }, splitSeed: 1 }),
      folder,
    );
    await expect(found('l2', resnet, { against: folder })).rejects.toThrow(/differ in splits/);
  });

  it('refuses data that have changed since', async () => {
    const path = place.path('pictures', 'one', '0.png');
    const before = readFileSync(path);
    cpSync(place.path('pictures', 'two', '1.png'), path);
    try {
      await expect(found('knn', resnet)).rejects.toThrow('has changed since');
    } finally {
      writeFileSync(path, before);
    }
  });

  it('refuses a file that is no analysis', async () => {
    writeFileSync(`${resnet}/analysis/l2.json`, '{"measure": "l2"}');
    await expect(readAnalysis(resnet, 'l2')).rejects.toThrow('an analysis "l2"');
    expect(() => measureOf('kn')).toThrow('did you mean knn');
  });
});
