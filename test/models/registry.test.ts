/** What holds for every registered model, and how the registry answers. */
import { describe, expect, it } from 'vitest';
import {
  createModel,
  describeModel,
  type ImageModel,
  initialiseRandom,
  modelIds,
  owns,
  tensorRoles,
} from '../../src/models/index.ts';
import { Generator, inferenceMode, ops, scope, tensor } from '../../src/tensor/index.ts';
import { RequestError } from '../../src/util/index.ts';
import { formula } from './formula.ts';

const truncated = ['deit_small:5', 'deit_micro:2'];

function using(
  id: string,
  options: Parameters<typeof createModel>[1],
  body: (model: ImageModel) => void,
) {
  const model = createModel(id, options);
  try {
    scope(() => body(model));
  } finally {
    model.dispose();
  }
}

function countParameters(model: ImageModel): number {
  return [...model.namedParameters().values()].reduce(
    (sum, { elementCount }) => sum + elementCount,
    0,
  );
}

describe.each([...modelIds(), ...truncated])('%s', (id) => {
  it('puts every backbone tensor into exactly one module group, and no head tensor', () => {
    using(id, { classes: 4 }, (model) => {
      for (const name of model.state().keys()) {
        const homes = model.groups.filter(({ prefixes }) => owns(prefixes, name));
        expect(homes.length, name).toBe(model.isHead(name) ? 0 : 1);
        expect(model.groupOf(name)?.name, name).toBe(homes[0]?.name);
      }
      for (const { name, prefixes } of model.groups) {
        for (const prefix of prefixes) {
          const owned = [...model.state().keys()].filter((key) => owns([prefix], key));
          expect(owned, `${name}: ${prefix}`).not.toEqual([]);
        }
      }
    });
  });

  it('has taps that own weights, share none, and are segments in order', () => {
    using(id, { classes: 4 }, (model) => {
      const names = [...model.state().keys()];
      for (const { name, prefixes } of model.taps) {
        expect(
          names.filter((key) => owns(prefixes, key)),
          name,
        ).not.toEqual([]);
      }
      for (const key of names) {
        const owners = model.taps.filter(({ prefixes }) => owns(prefixes, key));
        expect(owners.length, key).toBeLessThanOrEqual(1);
      }
      const segments = model.segments.map(({ name }) => name);
      expect(new Set(segments).size).toBe(segments.length);
      const positions = model.taps.map(({ name }) => segments.indexOf(name));
      expect(positions).not.toContain(-1);
      expect(positions).toEqual([...positions].sort((a, b) => a - b));
    });
  });

  it('gives every tensor a role', () => {
    using(id, { classes: 4 }, (model) => {
      const roles = tensorRoles(model);
      expect([...roles.keys()]).toEqual([...model.state().keys()]);
      for (const [name, { layer, part }] of roles) {
        if (layer !== 'token') expect(name.endsWith(`.${part}`), name).toBe(true);
        const isNorm = /(^|\.)(bn|norm)\d?\.|downsample\.1\./.test(name);
        expect(layer === 'norm', name).toBe(isNorm);
      }
    });
  });

  it('turns images into finite logits that differ, each tap of its declared kind', () => {
    // A size that all take: Inception at least 75, Swin multiples of 32.
    using(id, { classes: 4, imageSize: id.includes('micro') ? undefined : 96 }, (model) => {
      withGenerator(7, (generator) => initialiseRandom(model, { generator }));
      model.eval();
      const images = formula('input', [2, 3, model.inputSize, model.inputSize]);
      const seen: string[] = [];
      const logits = inferenceMode(() =>
        model.forward(images, (name, value) => {
          seen.push(name);
          const { kind } = model.tap(name);
          expect(value.shape.length, name).toBe(kind === 'spatial' ? 4 : 3);
          expect(value.shape[0]).toBe(2);
        }),
      );
      expect(seen).toEqual(model.taps.map(({ name }) => name));
      expect(logits.shape).toEqual([2, 4]);
      const values = logits.toArray();
      expect(values.every(Number.isFinite)).toBe(true);
      expect(new Set(values).size).toBe(8);
    });
  });

  it('takes one channel', () => {
    using(id, { classes: 2, inputChannels: 1 }, (model) => {
      expect(model.state().get(model.firstConvolution)?.shape[1]).toBe(1);
    });
  });
});

function withGenerator(seed: number, body: (generator: Generator) => void): void {
  const generator = new Generator(seed);
  body(generator);
  generator.dispose();
}

it.each(modelIds())('%s has exactly the parameters that the registry says', (id) => {
  using(id, { classes: 1000 }, (model) => {
    expect(countParameters(model)).toBe(describeModel(id).parameters);
  });
});

describe('the paper’s architectures', () => {
  it.each([
    ['resnet18', 11_689_512, 6, 9],
    ['resnet50', 25_557_032, 6, 17],
    ['resnet152', 60_192_808, 6, 51],
    ['inception_v3', 23_834_568, 7, 16],
    ['deit_tiny', 5_717_416, 14, 25],
    ['deit_small', 22_050_664, 14, 25],
    ['deit_base', 86_567_656, 14, 25],
    ['swin_tiny', 28_288_354, 14, 25],
  ])('%s: %i parameters, %i modules, %i taps', (id, parameters, groups, taps) => {
    using(id, { classes: 1000 }, (model) => {
      expect(countParameters(model)).toBe(parameters);
      expect(model.groups).toHaveLength(groups);
      expect(model.taps).toHaveLength(taps);
      expect(model.inputSize).toBe(224);
    });
  });

  it('name their modules and taps as the modules upstream', () => {
    using('resnet18', { classes: 2 }, (model) => {
      expect(model.groups.map(({ name }) => name)).toEqual([
        'conv1',
        'bn1',
        'layer1',
        'layer2',
        'layer3',
        'layer4',
      ]);
      expect(model.taps.map(({ name }) => name).slice(0, 4)).toEqual([
        'conv1',
        'layer1.0',
        'layer1.1',
        'layer2.0',
      ]);
    });
    using('deit_tiny:2', { classes: 2 }, (model) => {
      expect(model.groups.map(({ name }) => name)).toEqual([
        'patch_embed',
        'blocks.0',
        'blocks.1',
        'norm',
      ]);
      expect(model.taps.map(({ name }) => name)).toEqual([
        'patch_embed',
        'blocks.0.attn',
        'blocks.0.mlp',
        'blocks.1.attn',
        'blocks.1.mlp',
      ]);
    });
  });
});

it('Swin’s patch mergings belong to the first block of the stage that they feed', () => {
  using('swin_tiny', { classes: 2 }, (model) => {
    expect(model.groups.map(({ name }) => name).slice(0, 5)).toEqual([
      'patch_embed',
      'layers.0.blocks.0',
      'layers.0.blocks.1',
      'layers.1.blocks.0',
      'layers.1.blocks.1',
    ]);
    expect(model.groupOf('layers.0.downsample.reduction.weight')?.name).toBe('layers.1.blocks.0');
    expect(model.groupOf('layers.2.downsample.norm.bias')?.name).toBe('layers.3.blocks.0');
  });
});

it('Inception takes any size from 75 pixels on', () => {
  using('inception_v3', { classes: 2 }, (model) => {
    model.eval();
    for (const size of [75, 112]) {
      expect(inferenceMode(() => model.forward(ops.zeros([1, 3, size, size]))).shape).toEqual([
        1, 2,
      ]);
    }
    expect(() => model.forward(ops.zeros([1, 3, 74, 74]))).toThrow(RequestError);
  });
});

describe('truncated transformers', () => {
  it('are the first blocks, the norm and the head, at any depth', () => {
    for (const depth of [1, 5, 13]) {
      using(`deit_tiny:${depth}`, { classes: 2, imageSize: 32 }, (model) => {
        expect(model.groups).toHaveLength(depth + 2);
        expect(model.taps).toHaveLength(2 * depth + 1);
      });
    }
    expect(describeModel('deit_small:5')).toMatchObject({ depth: 5, parameters: undefined });
    expect(describeModel('deit_small:12').parameters).toBe(22_050_664);
  });
});

describe('bad requests', () => {
  const message = (body: () => unknown): string => {
    try {
      body();
    } catch (error) {
      expect(error).toBeInstanceOf(RequestError);
      return error instanceof Error ? error.message : '';
    }
    return 'nothing thrown';
  };

  it('are answered with the nearest names', () => {
    expect(message(() => createModel('resnet-18', { classes: 2 }))).toBe(
      `model: expected one of ${modelIds().join(', ')}, got resnet-18 (did you mean resnet18 or resnet152?)`,
    );
    expect(message(() => describeModel('vgg'))).toContain('got vgg');
    expect(message(() => createModel('resnet18:5', { classes: 2 }))).toContain(
      'no number of blocks',
    );
    for (const id of [
      'deit_small:0',
      'deit_small:',
      'deit_small:5:5',
      'deit_small:1.5',
      'deit_small:-1',
    ]) {
      expect(
        message(() => createModel(id, { classes: 2 })),
        id,
      ).toContain('as in deit_small:5');
    }
  });

  it('say which option is wrong', () => {
    expect(message(() => createModel('resnet18', { classes: 0 }))).toContain('classes of resnet18');
    expect(message(() => createModel('resnet18', { classes: 2.5 }))).toContain(
      'positive whole number',
    );
    expect(message(() => createModel('resnet50', { classes: 2, imageSize: 16 }))).toBe(
      'image size of resnet50: expected at least 17, so that there are pixels at every stage, got 16',
    );
    expect(message(() => createModel('deit_tiny', { classes: 2, imageSize: 100 }))).toBe(
      'image size of deit_tiny: expected a multiple of its patch size, 16, got 100 (for example 96)',
    );
    expect(message(() => createModel('swin_tiny', { classes: 2, imageSize: 100 }))).toBe(
      'image size of swin_tiny: expected a multiple of 32, so that windows tile it at every resolution, got 100 (for example 96)',
    );
    expect(message(() => createModel('inception_v3', { classes: 2, imageSize: 64 }))).toContain(
      'at least 75',
    );
  });

  it('name the shape that a model takes', () => {
    using('deit_micro', { classes: 2 }, (model) => {
      expect(message(() => model.forward(ops.zeros([2, 3, 32, 32])))).toBe(
        'input of deit_micro: expected images [B, 3, 64, 64], got [2, 3, 32, 32] (build the model for the size and channels of the data)',
      );
      expect(message(() => model.forward(tensor([1, 2])))).toContain('got [2]');
      expect(message(() => model.tap('blocks.9.attn'))).toContain('blocks.5.mlp');
      expect(message(() => model.run(ops.zeros([1]), { from: 'nowhere' }))).toContain('segment');
    });
    using('resnet18_micro', { classes: 2, inputChannels: 1 }, (model) => {
      expect(message(() => model.forward(ops.zeros([2, 3, 64, 64])))).toContain('[B, 1, 64, 64]');
      expect(message(() => model.embedding('conv1', ops.zeros([1, 2, 3, 3]), 'cls'))).toBe(
        'embedding of resnet18_micro at conv1: expected spatial, got cls (only taps behind a class token have more kinds than "spatial")',
      );
    });
  });
});
