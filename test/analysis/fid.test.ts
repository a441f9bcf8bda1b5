/** The extractors of FID against PyTorch, and FID between sets of images and statistics. */
import { mkdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { measureFid, openExtractor, parseExtractor } from '../../src/analysis/index.ts';
import { parseDataArgument } from '../../src/data/index.ts';
import { createModel, InceptionV3 } from '../../src/models/index.ts';
import { fidSchema } from '../../src/results/index.ts';
import { inferenceMode, ops, scope } from '../../src/tensor/index.ts';
import { writeSafetensors } from '../../src/weights/index.ts';
import { fill, images, type Summary, summarise } from '../models/formula.ts';
import { Workplace, writePicture } from '../train/fixture.ts';
import { golden } from './golden.ts';

const identity = { id: 'inception_v3', family: 'cnn', inputChannels: 3 } as const;

describe('features', () => {
  const reference = golden<Record<string, { size: number; features: Summary }>>('inception');

  it.each([
    ['fid-inception', 'fid', 1008],
    ['torchvision', 'torchvision', 1000],
  ] as const)('of %s are those of PyTorch', (name, pools, classes) => {
    const expected = reference[name];
    if (!expected) throw new Error(`nothing to compare for ${name}`);
    const inputSize = expected.size;
    const model = fill(new InceptionV3({ ...identity, classes, inputSize }, pools)).eval();
    scope(() => {
      const features = inferenceMode(() => model.features(images(2, inputSize)));
      const { shape, norm, samples } = summarise(features, 64);
      expect(shape).toEqual(expected.features.shape);
      expect(norm).toBeAllclose(expected.features.norm, { relative: 1e-5 });
      expect(samples).toBeAllclose(expected.features.samples, { relative: 1e-4, absolute: 1e-4 });
    });
    model.dispose();
  });
});

describe('FID of images', () => {
  const place = new Workplace();
  const weights = place.path('inception.safetensors');
  const settings = {
    extractor: 'fid-inception',
    weights,
    device: 'cpu',
    workers: 0,
    onBadImage: 'error',
  } as const;
  const set = (name: string) =>
    ({ kind: 'images', spec: parseDataArgument(`images:${place.path(name)}`) }) as const;

  beforeAll(async () => {
    for (const [name, level] of [
      ['dark', 60],
      ['light', 190],
    ] as const) {
      mkdirSync(place.path(name));
      for (let picture = 0; picture < 3; picture++) {
        await writePicture(place.path(name, `${picture}.png`), level, `${name} ${picture}`);
      }
    }
    const model = fill(new InceptionV3({ ...identity, classes: 1008, inputSize: 299 }, 'fid'));
    await writeSafetensors(weights, model.state());
    model.dispose();
  });
  afterAll(() => place.remove());

  it('warns of few images, and comes out the same from saved statistics', async () => {
    const [source, target] = [place.path('dark.npz'), place.path('light.npz')];
    const first = await measureFid({
      ...settings,
      source: set('dark'),
      target: set('light'),
      saveSource: source,
      saveTarget: target,
    });
    expect(fidSchema.parse(first)).toEqual(first);
    expect(first.distance).toBeGreaterThan(0);
    expect(first.warnings).toEqual([
      expect.stringContaining('dark: 3 images, fewer than the 2048 features'),
      expect.stringContaining('light: 3 images'),
    ]);
    const { weights: _, ...withoutWeights } = settings;
    const again = await measureFid({
      ...withoutWeights,
      source: { kind: 'statistics', path: source },
      target: { kind: 'statistics', path: target },
    });
    expect(again.distance).toBeAllclose(first.distance ?? Number.NaN, { relative: 1e-12 });
    const own = await measureFid({
      ...withoutWeights,
      source: { kind: 'statistics', path: source },
      target: { kind: 'statistics', path: source },
    });
    expect(own.distance).toBe(0);
    // Eigenvalues of matrices of 2,048 rows on one busy core.
  }, 400_000);

  it('asks for weights, and refuses those of another network', async () => {
    const sides = { source: set('dark'), target: set('light') };
    await expect(measureFid({ ...settings, ...sides, weights: undefined })).rejects.toThrow(
      'expected --weights',
    );
    await expect(openExtractor('torchvision', weights, 'cpu')).rejects.toThrow(
      'these look like those of --extractor fid-inception',
    );
    const other = place.path('resnet.safetensors');
    const model = createModel('resnet18_micro', { classes: 3 });
    await writeSafetensors(other, model.state());
    model.dispose();
    await expect(openExtractor('fid-inception', other, 'cpu')).rejects.toThrow(
      'the weights of fid-inception',
    );
    const head = new Map([['fc.weight', ops.zeros([1000, 2048])]]);
    const headOnly = place.path('head.safetensors');
    await writeSafetensors(headOnly, head);
    await expect(openExtractor('fid-inception', headOnly, 'cpu')).rejects.toThrow(
      'these look like those of --extractor torchvision',
    );
    expect(() => parseExtractor('fid')).toThrow('did you mean fid-inception');
  });
});
