import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createModel, ImageModel, tensorRoles } from '../../src/models/index.ts';
import { Conv2d, Linear } from '../../src/nn/index.ts';
import { liveTensors, type Tensor } from '../../src/tensor/index.ts';
import { initialise, type TransferSettings } from '../../src/transfer/index.ts';
import type { StoredTensor, WeightFile } from '../../src/weights/index.ts';
import { fill } from '../models/formula.ts';

const ids = ['resnet18_micro', 'deit_micro'] as const;
type Id = (typeof ids)[number];

/** A model's tensors as a checkpoint. */
function checkpointOf(model: ImageModel): WeightFile {
  const tensors = new Map<string, StoredTensor>();
  for (const [name, tensor] of model.state()) {
    const values = tensor.toTypedArray();
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    tensors.set(name, { dtype: tensor.dtype, shape: tensor.shape, bytes });
  }
  return { path: 'source.safetensors', format: 'safetensors', tensors, metadata: {} };
}

const models: ImageModel[] = [];

function build(id: Id, classes = 5): ImageModel {
  const model = createModel(id, { classes });
  models.push(model);
  return model;
}

const sources = new Map<Id, WeightFile>();

function sourceOf(id: Id): WeightFile {
  const source = sources.get(id);
  if (!source) throw new Error(id);
  return source;
}

beforeAll(() => {
  for (const id of ids) sources.set(id, checkpointOf(fill(build(id, 10))));
});

afterAll(() => {
  for (const model of models) model.dispose();
});

type Values = Map<string, number[]>;

function valuesOf(model: ImageModel): Values {
  return new Map([...model.state()].map(([name, tensor]) => [name, tensor.toArray()]));
}

function start(
  id: Id,
  settings: Omit<TransferSettings, 'weights'>,
): {
  model: ImageModel;
  values: Values;
  report: ReturnType<typeof initialise>;
} {
  const model = build(id);
  const weights = settings.scheme === 'ri' ? undefined : sourceOf(id);
  const report = initialise(model, { ...settings, weights });
  return { model, values: valuesOf(model), report };
}

function pretrained(id: Id): Values {
  const source = build(id, 10);
  return valuesOf(fill(source));
}

const mean = (values: number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
const deviation = (values: number[]): number => {
  const centre = mean(values);
  return Math.sqrt(values.reduce((sum, v) => sum + (v - centre) ** 2, 0) / (values.length - 1));
};

/** Floating-point bits differ nowhere: exact, unlike a tolerance. */
function sameTensors(left: Values, right: Values, names: Iterable<string>): string[] {
  return [...names].filter((name) => {
    const [a = [], b = []] = [left.get(name), right.get(name)];
    return a.length === 0 || a.length !== b.length || a.some((value, i) => !Object.is(value, b[i]));
  });
}

describe.each(ids)('weight transfer of %s', (id) => {
  it('takes every tensor of the backbone exactly and leaves none of the checkpoint over', () => {
    const { model, values, report } = start(id, { scheme: 'wt', seed: 3 });
    const backbone = [...model.state().keys()].filter((name) => !model.isHead(name));
    expect(sameTensors(values, pretrained(id), backbone)).toEqual([]);
    expect(report.tensors.kept.sort()).toEqual([...backbone].sort());
    expect(report.tensors.sampled).toEqual([]);
    expect(report.checkpoint).toMatchObject({ unexpected: [], ignored: [], optional: [] });
    expect(report.checkpoint?.matched).toBe(backbone.length);
    expect(report.label).toBe('WT');
  });
});

describe.each(ids)('stats transfer of %s', (id) => {
  const original = (): Values => pretrained(id);

  it('draws weights and biases of layers, tokens included, and resets norms', () => {
    const { model, values, report } = start(id, { scheme: 'st', seed: 0 });
    const roles = tensorRoles(model);
    const wrong = [...roles].filter(([name, { layer, part }]) => {
      if (model.isHead(name)) return false;
      const list = layer === 'norm' ? report.tensors.reset : report.tensors.sampled;
      const expected = part === 'weight' || part === 'running_var' ? 1 : 0;
      const isReset = values.get(name)?.every((value) => value === expected) ?? false;
      return !list.includes(name) || isReset !== (layer === 'norm');
    });
    expect(wrong).toEqual([]);
    expect(report.tensors.kept).toEqual([]);
    expect(report.label).toBe('ST');
  });

  it('gives each tensor the mean and the unbiased deviation of its pretrained values', () => {
    const { values, report } = start(id, { scheme: 'st', seed: 1 });
    const source = original();
    for (const name of report.tensors.sampled) {
      const [drawn = [], given = []] = [values.get(name), source.get(name)];
      const [mu, sigma, count] = [mean(given), deviation(given), given.length];
      // Five standard errors: over all tensors and both models, a false alarm once in a thousand seeds.
      expect(Math.abs(mean(drawn) - mu)).toBeLessThan((5 * sigma) / Math.sqrt(count));
      expect(Math.abs(deviation(drawn) / sigma - 1)).toBeLessThan(5 / Math.sqrt(2 * count) + 1e-6);
    }
  });

  it('draws normal numbers, independent between elements, tensors and seeds', () => {
    const { values, report } = start(id, { scheme: 'st', seed: 2 });
    const other = start(id, { scheme: 'st', seed: 4 }).values;
    const source = original();
    const standard = (all: Values, name: string): number[] => {
      const given = source.get(name) ?? [];
      const [mu, sigma] = [mean(given), deviation(given)];
      return (all.get(name) ?? []).map((value) => (value - mu) / sigma);
    };
    const large = report.tensors.sampled.filter((name) => (source.get(name)?.length ?? 0) > 5000);
    expect(large.length).toBeGreaterThan(4);
    const correlation = (a: number[], b: number[]): number => {
      const count = Math.min(a.length, b.length);
      return a.slice(0, count).reduce((sum, x, i) => sum + x * (b[i] ?? 0), 0) / Math.sqrt(count);
    };
    for (const [index, name] of large.entries()) {
      const z = standard(values, name);
      const root = Math.sqrt(z.length);
      expect(Math.abs(z.reduce((sum, x) => sum + x ** 3, 0) / z.length)).toBeLessThan(
        (5 * Math.sqrt(15)) / root,
      );
      expect(Math.abs(z.reduce((sum, x) => sum + x ** 4, 0) / z.length - 3)).toBeLessThan(
        (5 * Math.sqrt(96)) / root,
      );
      expect(Math.abs(correlation(z, z.slice(1)))).toBeLessThan(5);
      expect(
        Math.abs(correlation(z, standard(values, large[index + 1] ?? large[0] ?? ''))),
      ).toBeLessThan(large.length > 1 ? 5 : Number.POSITIVE_INFINITY);
      expect(Math.abs(correlation(z, standard(other, name)))).toBeLessThan(5);
    }
  });

  it('samples norms if asked, their running statistics reset', () => {
    const { model, values, report } = start(id, { scheme: 'st', seed: 0, norm: 'sample' });
    for (const [name, { layer, part }] of tensorRoles(model)) {
      if (layer !== 'norm') continue;
      const learnt = part === 'weight' || part === 'bias';
      expect(report.tensors[learnt ? 'sampled' : 'reset']).toContain(name);
      if (part === 'running_var') expect(values.get(name)?.every((v) => v === 1)).toBe(true);
      if (part === 'running_mean') expect(values.get(name)?.every((v) => v === 0)).toBe(true);
    }
  });

  it('keeps tokens if asked, and nothing else', () => {
    const { model, values, report } = start(id, { scheme: 'st', seed: 0, tokens: 'keep' });
    const tokens = [...tensorRoles(model)].filter(([, { layer }]) => layer === 'token');
    expect(report.tensors.kept).toEqual(tokens.map(([name]) => name));
    expect(sameTensors(values, original(), report.tensors.kept)).toEqual([]);
    expect(tokens.length > 0).toBe(id === 'deit_micro');
    const sampled = start(id, { scheme: 'st', seed: 0 }).values;
    expect(sameTensors(values, sampled, report.tensors.sampled)).toEqual([]);
  });
});

describe.each(ids)('WT-ST of %s', (id) => {
  it('is a pure function of (seed, name): every n gives each tensor one of two values', () => {
    const transferred = start(id, { scheme: 'wt', seed: 7 });
    const sampled = start(id, { scheme: 'st', seed: 7 });
    const { model } = transferred;
    const { groups } = model;
    for (let keep = 0; keep <= groups.length; keep++) {
      const { values, report } = start(id, { scheme: 'wt-st', keep, seed: 7 });
      const kept = new Set(groups.slice(0, keep));
      const names = [...model.state().keys()];
      const head = names.filter((name) => model.isHead(name));
      const inKept = names.filter((name) => {
        const group = model.groupOf(name);
        return group !== undefined && kept.has(group);
      });
      const rest = names.filter((name) => !inKept.includes(name) && !head.includes(name));
      expect(sameTensors(values, transferred.values, [...inKept, ...head])).toEqual([]);
      expect(sameTensors(values, sampled.values, rest)).toEqual([]);
      expect(report.keptModules).toEqual(groups.slice(0, keep).map(({ name }) => name));
      expect(report.label).toBe(`WT-ST-${keep}/${groups.length - keep}`);
      const { kept: a, sampled: b, reset: c, random: d } = report.tensors;
      expect([...a, ...b, ...c, ...d].sort()).toEqual([...names].sort());
    }
  });

  it('does not depend on what is drawn for another number of classes', () => {
    const five = start(id, { scheme: 'st', seed: 7 });
    const model = build(id, 9);
    initialise(model, { scheme: 'st', seed: 7, weights: sourceOf(id) });
    const backbone = [...model.state().keys()].filter((name) => !model.isHead(name));
    expect(sameTensors(valuesOf(model), five.values, backbone)).toEqual([]);
  });
});

describe.each(ids)('the head of %s', (id) => {
  it('is the same in every scheme of a seed, fresh, and another for another seed', () => {
    const headOf = (settings: Omit<TransferSettings, 'weights'>): number[][] => {
      const { model, values } = start(id, settings);
      return [...values].filter(([name]) => model.isHead(name)).map(([, numbers]) => numbers);
    };
    const reference = headOf({ scheme: 'wt', seed: 11 });
    expect(headOf({ scheme: 'st', seed: 11 })).toEqual(reference);
    expect(headOf({ scheme: 'wt-st', keep: 2, seed: 11 })).toEqual(reference);
    expect(headOf({ scheme: 'ri', seed: 11 })).toEqual(reference);
    expect(headOf({ scheme: 'ri', seed: 11, kaiming: true })).toEqual(reference);
    expect(headOf({ scheme: 'wt', seed: 12 })).not.toEqual(reference);
    const { model } = start(id, { scheme: 'wt', seed: 11 });
    const features = [...model.namedParameters()].at(-2)?.[1].shape[1] ?? 0;
    const bound = 1 / Math.sqrt(features);
    const weight = reference.flat();
    expect(Math.max(...weight.map(Math.abs))).toBeLessThanOrEqual(bound);
    expect(Math.max(...weight.map(Math.abs))).toBeGreaterThan(0.95 * bound);
    expect(Math.abs(deviation(weight) / (bound / Math.sqrt(3)) - 1)).toBeLessThan(0.1);
  });

  it('is fresh even where the checkpoint has one that fits', () => {
    const model = build(id, 10);
    initialise(model, { scheme: 'wt', seed: 0, weights: sourceOf(id) });
    const head = [...model.state().keys()].filter((name) => model.isHead(name));
    expect(sameTensors(valuesOf(model), pretrained(id), head)).toEqual(head);
  });
});

describe.each(ids)('random initialisation of %s', (id) => {
  it('repeats with its seed, differs with another, and reads no checkpoint', () => {
    const first = start(id, { scheme: 'ri', seed: 5 });
    const names = [...first.values.keys()];
    expect(sameTensors(first.values, start(id, { scheme: 'ri', seed: 5 }).values, names)).toEqual(
      [],
    );
    const other = start(id, { scheme: 'ri', seed: 6 }).values;
    expect(sameTensors(first.values, other, first.report.tensors.random)).toEqual(
      first.report.tensors.random,
    );
    expect(first.report.checkpoint).toBeUndefined();
    const { random, reset } = first.report.tensors;
    expect([...random, ...reset].sort()).toEqual([...names].sort());
    expect(first.report.label).toBe('RI');
  });

  it('has Kaiming deviations where they are due', () => {
    const kaiming = start(id, { scheme: 'ri', seed: 5, kaiming: true });
    for (const [name, { layer, part }] of tensorRoles(kaiming.model)) {
      const shape = kaiming.model.state().get(name)?.shape ?? [];
      const drawn = kaiming.values.get(name) ?? [];
      if (part !== 'weight' || (layer !== 'convolution' && layer !== 'linear')) continue;
      if (kaiming.model.isHead(name) || drawn.length < 2000) continue;
      const fanOut = (shape[0] ?? 0) * shape.slice(2).reduce((product, size) => product * size, 1);
      expect(Math.abs(deviation(drawn) / Math.sqrt(2 / fanOut) - 1)).toBeLessThan(0.1);
    }
  });
});

/** A network whose only convolution has one filter of one weight and a bias of one element. */
class SingleWeight extends ImageModel {
  readonly headPrefix = 'fc.';
  readonly firstConvolution = 'conv.weight';
  readonly taps = [];
  readonly groups = [{ name: 'conv', prefixes: ['conv.'] }];
  readonly segments = [];

  constructor() {
    super({ id: 'single', family: 'cnn', classes: 2, inputChannels: 1, inputSize: 1 });
    this.child('conv', new Conv2d(1, 1, 1));
    this.child('fc', new Linear(1, 2));
  }
}

describe('edge cases', () => {
  it('keeps the value of a tensor of one element, which has no deviation', () => {
    const model = new SingleWeight();
    models.push(model);
    const number = (value: number): StoredTensor => ({
      dtype: 'float32',
      shape: [1],
      bytes: new Uint8Array(new Float32Array([value]).buffer),
    });
    const weights = {
      ...sourceOf('deit_micro'),
      tensors: new Map([
        ['conv.weight', { ...number(0.5), shape: [1, 1, 1, 1] }],
        ['conv.bias', number(-3)],
      ]),
    };
    const { tensors } = initialise(model, { scheme: 'st', seed: 0, weights });
    expect(tensors.kept).toEqual(['conv.weight', 'conv.bias']);
    expect(valuesOf(model).get('conv.weight')).toEqual([0.5]);
    expect(valuesOf(model).get('conv.bias')).toEqual([-3]);
  });

  function edit(id: Id, name: string, change: (stored: StoredTensor) => StoredTensor): WeightFile {
    const source = sourceOf(id);
    const stored = source.tensors.get(name);
    if (!stored) throw new Error(name);
    return { ...source, tensors: new Map(source.tensors).set(name, change(stored)) };
  }

  it('draws a constant tensor as that constant', () => {
    const constant = new Float32Array(96).fill(0.25);
    const weights = edit('deit_micro', 'blocks.0.attn.proj.bias', (stored) => ({
      ...stored,
      bytes: new Uint8Array(constant.buffer),
    }));
    const model = build('deit_micro');
    initialise(model, { scheme: 'st', seed: 0, weights });
    expect(
      valuesOf(model)
        .get('blocks.0.attn.proj.bias')
        ?.every((v) => v === 0.25),
    ).toBe(true);
  });

  it('refuses a checkpoint with NaN before it touches the model', () => {
    const broken = Float32Array.from({ length: 96 }, (_, i) => (i === 50 ? Number.NaN : 1));
    const weights = edit('deit_micro', 'norm.weight', (stored) => ({
      ...stored,
      bytes: new Uint8Array(broken.buffer),
    }));
    const model = build('deit_micro');
    const before = valuesOf(model);
    expect(() => initialise(model, { scheme: 'st', seed: 0, weights })).toThrow(
      'NaN or infinity in norm.weight',
    );
    expect(sameTensors(before, valuesOf(model), before.keys())).toEqual([]);
  });

  it('refuses a scheme without its checkpoint, and numbers of modules that are none', () => {
    const model = build('resnet18_micro');
    const weights = sourceOf('resnet18_micro');
    expect(() => initialise(model, { scheme: 'st', seed: 0 })).toThrow('--weights');
    for (const keep of [-1, 7, 1.5, undefined]) {
      expect(() => initialise(model, { scheme: 'wt-st', keep, seed: 0, weights })).toThrow(
        'a number of modules from 0 to 6 (conv1, bn1,',
      );
    }
    expect(() => initialise(model, { scheme: 'wt', keep: 2, seed: 0, weights })).toThrow('wt-st');
  });

  it('frees what it makes', () => {
    const model = build('deit_micro');
    const weights = sourceOf('deit_micro');
    const run = (): void => {
      initialise(model, { scheme: 'wt-st', keep: 3, seed: 0, weights });
      initialise(model, { scheme: 'ri', seed: 0 });
    };
    run();
    const { count } = liveTensors();
    run();
    expect(liveTensors().count).toBe(count);
  });

  it('leaves parameters trainable leaves of their own layout', () => {
    const model = build('resnet18_micro');
    const layouts = (tensors: Iterable<Tensor>): boolean[] =>
      [...tensors].map((tensor) => tensor.isContiguous('channelsLast'));
    const before = layouts(
      [...model.namedParameters().values()].filter((t) => t.shape.length === 4),
    );
    initialise(model, { scheme: 'st', seed: 0, weights: sourceOf('resnet18_micro') });
    const parameters = [...model.namedParameters().values()];
    expect(parameters.every((parameter) => parameter.requiresGrad)).toBe(true);
    expect(layouts(parameters.filter((t) => t.shape.length === 4))).toEqual(before);
  });
});
