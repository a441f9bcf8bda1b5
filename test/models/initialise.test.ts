/** Random initialisation: METHODS' distributions, reproducible and independent of layout. */
import { describe, expect, it } from 'vitest';
import {
  createModel,
  type ImageModel,
  initialiseHead,
  initialiseRandom,
  type RandomScheme,
  tensorRoles,
} from '../../src/models/index.ts';
import { Generator, ops, scope } from '../../src/tensor/index.ts';
import { fill } from './formula.ts';

function using(id: string, body: (model: ImageModel) => void) {
  const model = createModel(id, { classes: 5 });
  try {
    scope(() => body(model));
  } finally {
    model.dispose();
  }
}

function initialised(model: ImageModel, seed: number, scheme?: RandomScheme): ImageModel {
  const generator = new Generator(seed);
  initialiseRandom(model, { generator, scheme });
  generator.dispose();
  return model;
}

function values(model: ImageModel, name: string): number[] {
  const found = model.state().get(name)?.toArray();
  if (!found) throw new Error(`no ${name}`);
  return found;
}

function deviation(numbers: number[]): number {
  return Math.sqrt(numbers.reduce((sum, value) => sum + value ** 2, 0) / numbers.length);
}

const everything = (model: ImageModel) =>
  new Map([...model.state()].map(([name, value]) => [name, value.toArray()]));

describe('initialiseRandom', () => {
  it('draws a CNN’s convolutions from N(0, 2 / fan out)', () => {
    using('resnet18_micro', (model) => {
      // Filled before, so that what is left alone would show.
      initialised(fill(model), 3);
      expect(deviation(values(model, 'layer4.1.conv2.weight'))).toBeAllclose(
        Math.sqrt(2 / (128 * 9)),
        { relative: 0.01 },
      );
      expect(deviation(values(model, 'layer3.0.downsample.0.weight'))).toBeAllclose(
        Math.sqrt(2 / 64),
        { relative: 0.05 },
      );
    });
  });

  it('draws a transformer’s layers and tokens from N(0, 0.02²), its patch projection as PyTorch', () => {
    using('deit_micro', (model) => {
      initialised(fill(model), 3);
      for (const name of ['blocks.3.attn.qkv.weight', 'blocks.5.mlp.fc1.weight', 'pos_embed']) {
        expect(deviation(values(model, name)), name).toBeAllclose(0.02, { relative: 0.02 });
      }
      expect(deviation(values(model, 'cls_token'))).toBeAllclose(0.02, { relative: 0.2 });
      const projection = values(model, 'patch_embed.proj.weight');
      const bound = 1 / Math.sqrt(3 * 8 * 8);
      expect(deviation(projection)).toBeAllclose(bound / Math.sqrt(3), { relative: 0.01 });
      expect(Math.max(...projection)).toBeLessThanOrEqual(bound);
    });
  });

  it('draws every layer by Kaiming where asked, and still the tokens as before', () => {
    using('deit_micro', (model) => {
      initialised(fill(model), 3, 'kaiming');
      const expected = {
        'blocks.3.attn.qkv.weight': Math.sqrt(2 / 288),
        'blocks.5.mlp.fc2.weight': Math.sqrt(2 / 96),
        'patch_embed.proj.weight': Math.sqrt(2 / (96 * 64)),
        pos_embed: 0.02,
      };
      for (const [name, std] of Object.entries(expected)) {
        expect(deviation(values(model, name)), name).toBeAllclose(std, { relative: 0.02 });
      }
    });
  });

  it.each(['resnet18_micro', 'deit_micro'])('resets norms and biases of %s', (id) => {
    using(id, (model) => {
      initialised(fill(model), 3);
      for (const [name, { layer, part }] of tensorRoles(model)) {
        if (model.isHead(name) || (layer !== 'norm' && part === 'weight')) continue;
        const isOne = part === 'weight' || part === 'running_var';
        expect(new Set(values(model, name)), name).toEqual(new Set([isOne ? 1 : 0]));
      }
    });
  });

  it.each(['resnet18_micro', 'deit_micro'])('is a function of the seed in %s', (id) => {
    using(id, (model) => {
      const first = everything(initialised(model, 3));
      expect(everything(initialised(model, 4))).not.toEqual(first);
      expect(everything(initialised(fill(model), 3))).toEqual(first);
    });
  });

  it('does not depend on the memory layout', () => {
    using('resnet18_micro', (model) => {
      const channelsLast = everything(initialised(model, 3));
      model.to({ memoryFormat: 'contiguous' });
      expect(everything(initialised(model, 3))).toEqual(channelsLast);
    });
  });

  it('can draw every tensor from a stream of its own', () => {
    const draw = (model: ImageModel) => {
      const asked: string[] = [];
      initialiseRandom(model, {
        generator: (name) => {
          asked.push(name);
          return new Generator(name.length);
        },
      });
      return { asked, values: everything(model) };
    };
    using('deit_micro', (deep) => {
      using('deit_micro:2', (shallow) => {
        const { asked, values: deepValues } = draw(deep);
        for (const [name, numbers] of draw(shallow).values) {
          expect(deepValues.get(name), name).toEqual(numbers);
        }
        expect(asked).not.toContain('norm.weight');
        expect(asked).toContain('pos_embed');
        expect(asked.filter((name) => name.startsWith('head.'))).toHaveLength(2);
      });
    });
  });
});

describe('initialiseHead', () => {
  it('draws weight and bias within 1 / √features and leaves the backbone alone', () => {
    using('deit_micro', (model) => {
      const before = everything(fill(model));
      const generator = new Generator(1);
      initialiseHead(model, generator);
      generator.dispose();
      const after = everything(model);
      const changed = [...after.keys()].filter(
        (name) => JSON.stringify(after.get(name)) !== JSON.stringify(before.get(name)),
      );
      expect(changed).toEqual(['head.weight', 'head.bias']);
      const bound = 1 / Math.sqrt(96);
      expect(Math.max(...values(model, 'head.weight').map(Math.abs))).toBeLessThanOrEqual(bound);
      expect(deviation(values(model, 'head.weight'))).toBeAllclose(bound / Math.sqrt(3), {
        relative: 0.1,
      });
      expect(deviation(values(model, 'head.bias'))).toBeGreaterThan(0);
      expect(model.namedParameters().get('head.weight')?.requiresGrad).toBe(true);
      expect(
        ops.isnan(model.namedParameters().get('head.bias') ?? ops.zeros([1])).toArray(),
      ).not.toContain(1);
    });
  });
});
