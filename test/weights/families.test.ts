/** Every family of published checkpoints: recognised, and loaded to the same network. */
import { describe, expect, it } from 'vitest';
import {
  createModel,
  mapCheckpointNames,
  modelIds,
  recogniseCheckpoint,
} from '../../src/models/index.ts';
import { loadWeights, type WeightFile } from '../../src/weights/index.ts';
import { fill } from '../models/formula.ts';
import {
  inceptionAsChildren,
  resnetAsChildren,
  swinAsTimm,
  swinAsTorchvision,
} from './families.ts';
import { build, statesOf, store, weightsOf } from './networks.ts';

type Rename = (name: string) => string;

/** Names and shapes of a model's tensors, renamed; the model lives no longer. */
function shapesOf(
  id: string,
  { rename = (name) => name, ...options }: { rename?: Rename; imageSize?: number } = {},
): Map<string, readonly number[]> {
  const model = createModel(id, { classes: 11, ...options });
  const shapes = new Map([...model.state()].map(([name, { shape }]) => [rename(name), shape]));
  model.dispose();
  return shapes;
}

const recognise = (file: WeightFile) =>
  recogniseCheckpoint(new Map([...file.tensors].map(([name, { shape }]) => [name, shape])));

const keep: Rename = (name) => name;
const families: [id: string, family: string, rename: Rename][] = [
  ['resnet18_micro', 'torchvision and timm', keep],
  ['resnet18_micro', 'RadImageNet', (name) => `backbone.${resnetAsChildren(name)}`],
  ['resnet18_micro', 'RadImageNet', (name) => `module.backbone.${resnetAsChildren(name)}`],
  ['resnet18_micro', 'RadImageNet', resnetAsChildren],
  ['deit_micro', 'facebookresearch/deit and timm', keep],
  ['swin_micro', 'microsoft/Swin-Transformer and timm before 0.9', keep],
  ['swin_micro', 'timm from 0.9 on', swinAsTimm],
  ['swin_micro', 'torchvision', swinAsTorchvision],
];

describe.each(families)('%s with the names of %s', (id, family, rename) => {
  it.each(['', 'module.model.encoder.'])('is recognised and loads under "%s"', (prefix) => {
    const source = fill(build(id));
    const file = weightsOf(source, { rename: (name) => prefix + rename(name) });
    expect(recognise(file)).toMatchObject({ model: id, classes: 5, inputChannels: 3 });
    expect(recognise(file)?.family).toContain(family);
    const target = build(id);
    const report = loadWeights(target, file);
    expect(report).toMatchObject({ missing: [], unexpected: [], wrongShape: [], adapted: [] });
    expect(statesOf(target)).toEqual(statesOf(source));
  });

  it('loads without its head, and not without any other tensor', () => {
    const source = fill(build(id));
    const target = build(id);
    const file = weightsOf(source, { rename });
    const loadWithout = (isAbsent: (name: string) => boolean) => {
      const absent = new Set([...source.state().keys()].filter(isAbsent).map(rename));
      const tensors = new Map([...file.tensors].filter(([name]) => !absent.has(name)));
      return loadWeights(target, { ...file, tensors }, { allowHeadMismatch: true });
    };
    expect(loadWithout((name) => source.isHead(name)).headReplaced).toBe(true);
    for (const absent of source.state().keys()) {
      if (source.isHead(absent) || absent.endsWith('num_batches_tracked')) continue;
      expect(() => loadWithout((name) => name === absent), absent).toThrow(
        /missing|of another shape/,
      );
    }
  });
});

describe('names in front that may mean something else', () => {
  const source = () => fill(build('resnet18_micro'));

  it.each(['module.', 'model.', 'net.', 'network.', 'encoder.', 'backbone.', '_orig_mod.model.'])(
    '%s is taken off',
    (prefix) => {
      const shapes = shapesOf('resnet18_micro', { rename: (name) => prefix + name });
      expect(recogniseCheckpoint(shapes)).toMatchObject({ model: 'resnet18_micro', prefix });
    },
  );

  it('of other tensors stay, and are reported', () => {
    const file = weightsOf(source(), { rename: (name) => `encoder.${name}` });
    file.tensors.set('decoder.weight', store([1], [1], 'float32'));
    const report = loadWeights(build('resnet18_micro'), file);
    expect(report.unexpected).toEqual(['decoder.weight']);
  });

  it('of two networks are an error', () => {
    const file = weightsOf(source(), { rename: (name) => `encoder.${name}` });
    for (const [name, stored] of [...file.tensors]) {
      file.tensors.set(name.replace('encoder.', 'net.'), stored);
    }
    expect(() => loadWeights(build('resnet18_micro'), file)).toThrow(
      'expected one network, got one under each of "net." and "encoder."',
    );
  });

  it('are left alone where the network lies beside them', () => {
    const file = weightsOf(source());
    for (const [name, stored] of [...file.tensors]) file.tensors.set(`model.${name}`, stored);
    const report = loadWeights(build('resnet18_micro'), file);
    expect(report.unexpected).toHaveLength(report.matched.length);
    expect(report.unexpected.every((name) => name.startsWith('model.'))).toBe(true);
  });
});

describe('checkpoints by their shapes', () => {
  it.each(modelIds())('%s: recognised, and refused without any one tensor', (id) => {
    const imageSize = id.endsWith('_micro') ? 64 : 224;
    const model = createModel(id, { classes: 11 });
    try {
      const shapes = new Map([...model.state()].map(([name, { shape }]) => [name, shape]));
      const found = recogniseCheckpoint(shapes);
      expect(found).toMatchObject({ model: id, classes: 11, inputChannels: 3, prefix: '' });
      // A convolutional network's tensors do not depend on it.
      if (model.family === 'vit') expect(found?.imageSize).toBe(imageSize);
      // Without values, which are looked at where names and shapes are right.
      const bytes = new Uint8Array(0);
      const tensors = new Map(
        [...shapes].map(([name, shape]) => [name, { dtype: 'float32' as const, shape, bytes }]),
      );
      const file: WeightFile = { path: 'model.pth', format: 'pth', tensors, metadata: {} };
      for (const [name, stored] of [...tensors]) {
        if (model.isHead(name) || name.endsWith('num_batches_tracked')) continue;
        tensors.delete(name);
        expect(() => loadWeights(model, file, { allowHeadMismatch: true }), name).toThrow(
          `1 missing (${name})`,
        );
        tensors.set(name, stored);
      }
    } finally {
      model.dispose();
    }
  });

  it('tell the blocks of a truncated network, and the size of the images', () => {
    expect(recogniseCheckpoint(shapesOf('deit_small:5'))?.model).toBe('deit_small:5');
    expect(recogniseCheckpoint(shapesOf('deit_micro', { imageSize: 96 }))?.imageSize).toBe(96);
    const wide = recogniseCheckpoint(shapesOf('swin_tiny', { imageSize: 256, rename: swinAsTimm }));
    expect(wide).toMatchObject({ model: 'swin_tiny', imageSize: 256 });
    expect(wide?.description).toContain('windows of 8');
  });

  it('describe what is not registered', () => {
    const shapes = shapesOf('deit_micro');
    shapes.set('patch_embed.proj.weight', [96, 3, 32, 32]);
    expect(recogniseCheckpoint(shapes)).toMatchObject({ model: undefined });
    shapes.set('dist_token', [1, 1, 96]);
    const distilled = recogniseCheckpoint(shapes);
    expect(distilled?.description).toContain('6 blocks, 96 wide, patches of 32 px with a distill');
    expect(recogniseCheckpoint(new Map([['weight', [2, 2]]]))).toBeUndefined();
  });
});

describe('Inception v3 as a Sequential of its children', () => {
  it.each([
    ['with all', []],
    ['without an auxiliary head, as RadImageNet', ['AuxLogits']],
    ['without poolings', ['maxpool1', 'maxpool2']],
    ['without either', ['maxpool1', 'maxpool2', 'AuxLogits']],
  ])('%s', (_, without) => {
    const rename = inceptionAsChildren(without);
    const model = createModel('inception_v3', { classes: 2 });
    try {
      const names = [...model.state().keys()];
      const auxiliary = without.includes('AuxLogits') ? [] : ['AuxLogits.conv0.conv.weight'];
      const file = [...names, ...auxiliary].map((name) => `backbone.${rename(name)}`);
      const { toFile, ignored } = mapCheckpointNames(model, file);
      expect([...toFile.keys()]).toEqual(names);
      expect(ignored).toHaveLength(auxiliary.length);
      const shapes = new Map(file.map((name): [string, number[]] => [name, [1]]));
      expect(recogniseCheckpoint(shapes)).toMatchObject({ model: 'inception_v3' });
    } finally {
      model.dispose();
    }
  });
});
