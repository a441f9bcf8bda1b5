import { describe, expect, it } from 'vitest';
import { toOneChannel } from '../../src/models/index.ts';
import { type DType, ops } from '../../src/tensor/index.ts';
import {
  loadWeights,
  matchWeights,
  readWeights,
  writeSafetensors,
} from '../../src/weights/index.ts';
import { fill } from '../models/formula.ts';
import { build, statesOf, store, weightsOf } from './networks.ts';
import { temporaryPath } from './support.ts';

const ids = ['resnet18_micro', 'deit_micro'];

describe.each(ids)('loading into %s', (id) => {
  it('gives back exactly what was written', async () => {
    const source = fill(build(id));
    const path = temporaryPath(`${id}.safetensors`);
    await writeSafetensors(path, source.state(), { model: id });
    const file = await readWeights(path);
    const target = build(id);
    const report = loadWeights(target, file);
    expect(statesOf(target)).toEqual(statesOf(source));
    expect(report).toEqual({
      matched: [...source.state().keys()],
      missing: [],
      unexpected: [],
      wrongShape: [],
      headReplaced: false,
      adapted: [],
      ignored: [],
      optional: [],
    });
  });

  it.each(['module.', 'backbone.', 'module.backbone.', '_orig_mod.'])('takes %s off', (prefix) => {
    const source = fill(build(id));
    const target = build(id);
    loadWeights(target, weightsOf(source, { rename: (name) => prefix + name }));
    expect(statesOf(target)).toEqual(statesOf(source));
  });

  it.each<[DType, number]>([
    ['float64', 0],
    ['bfloat16', 2 ** -8],
    ['float16', 2 ** -11],
  ])('converts %s to float32', (dtype, relative) => {
    const source = fill(build(id));
    const target = build(id);
    loadWeights(target, weightsOf(source, { dtype }));
    for (const [name, tensor] of target.state()) {
      expect(tensor.dtype).toBe(source.state().get(name)?.dtype);
      expect(tensor).toBeAllclose(source.state().get(name)?.toArray() ?? [], {
        relative,
        absolute: relative && 2 ** -25,
      });
    }
  });

  it('leaves a head of another size alone, if allowed to', () => {
    const source = fill(build(id, { classes: 9 }));
    const target = build(id);
    expect(() => loadWeights(target, weightsOf(source))).toThrow('2 of another shape (');
    const report = loadWeights(target, weightsOf(source), { allowHeadMismatch: true });
    expect(report.headReplaced).toBe(true);
    expect(report.wrongShape.map(({ name }) => target.isHead(name))).toEqual([true, true]);
    for (const [name, tensor] of target.state()) {
      const expected = target.isHead(name)
        ? tensor.toArray().map(() => 0)
        : source.state().get(name)?.toArray();
      expect(tensor.toArray()).toEqual(expected);
    }
  });

  it('leaves a missing head, and half a head, alone as a whole', () => {
    const source = fill(build(id));
    const target = build(id);
    for (const suffix of ['', 'weight', 'bias']) {
      const without = (name: string): boolean => name.startsWith(source.headPrefix + suffix);
      expect(() => loadWeights(target, weightsOf(source, { without }))).toThrow('missing');
      const report = loadWeights(target, weightsOf(source, { without }), {
        allowHeadMismatch: true,
      });
      expect(report.headReplaced).toBe(true);
      const head = [...target.state()].filter(([name]) => target.isHead(name));
      expect(head.every(([, tensor]) => tensor.toArray().every((value) => value === 0))).toBe(true);
    }
  });

  it('names what is missing, and leaves the model as it was', () => {
    const source = fill(build(id));
    const names = [...source.state().keys()].slice(2, 8);
    const target = fill(build(id, {}));
    const before = statesOf(target);
    const file = weightsOf(source, { without: (name) => names.includes(name) });
    expect(() => loadWeights(target, file, { allowHeadMismatch: true })).toThrow(
      /model\.pth: expected the weights of .+, got \d missing \(.+weights inspect model\.pth --model/,
    );
    const broken = weightsOf(source);
    const last = [...source.state().keys()].filter((name) => name.endsWith('bias')).at(-1) ?? '';
    const shape = source.state().get(last)?.shape ?? [];
    const count = shape.reduce((product, size) => product * size, 1);
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      for (const dtype of ['float32', 'float64', 'float16', 'bfloat16'] as const) {
        broken.tensors.set(last, store(new Float32Array(count).fill(value, 1, 2), shape, dtype));
        expect(() => loadWeights(target, broken)).toThrow(`NaN or infinity in ${last}`);
      }
    }
    broken.tensors.set(last, store(new Float32Array(count), shape, 'int8'));
    expect(() => loadWeights(target, broken)).toThrow(
      `floating-point values for ${last}, got int8`,
    );
    expect(statesOf(target)).toEqual(before);
  });

  it('reports what it has no use for, which is no error', () => {
    const source = fill(build(id));
    const file = weightsOf(source);
    file.tensors.set('extra.weight', store([1], [1], 'float32'));
    expect(loadWeights(build(id), file).unexpected).toEqual(['extra.weight']);
  });

  it('refuses two tensors that would be one', () => {
    const file = weightsOf(fill(build(id)));
    const [first] = file.tensors.entries();
    if (first) file.tensors.set(`module.${first[0]}`, first[1]);
    expect(() => loadWeights(build(id), file)).toThrow('one tensor for');
  });
});

describe('checkpoints of other models', () => {
  it.each([
    ['deit_micro', 'resnet18_micro'],
    ['resnet18_micro', 'deit_micro'],
    ['deit_micro:3', 'deit_micro'],
  ])('weights of %s are not weights of %s', (from, to) => {
    const file = weightsOf(fill(build(from)));
    expect(() => loadWeights(build(to), file, { allowHeadMismatch: true })).toThrow(/missing/);
  });

  it('weights of a deeper transformer are those of a truncated one', () => {
    const source = fill(build('deit_micro'));
    const target = build('deit_micro:2');
    const report = loadWeights(target, weightsOf(source));
    expect(report.unexpected.every((name) => /^blocks\.[2-5]\./.test(name))).toBe(true);
    expect(report.unexpected).toHaveLength(4 * 12);
  });
});

describe('tensors that are adapted or may be missing', () => {
  it('sums the first convolution for one channel', () => {
    const source = fill(build('resnet18_micro'));
    const target = build('resnet18_micro', { inputChannels: 1 });
    const report = loadWeights(target, weightsOf(source));
    expect(report.adapted).toEqual([
      { name: 'conv1.weight', expected: [16, 1, 7, 7], got: [16, 3, 7, 7] },
    ]);
    const weight = source.state().get('conv1.weight');
    if (!weight) throw new Error('conv1.weight');
    const summed = toOneChannel(weight, 'sum');
    expect(target.state().get('conv1.weight')?.toArray()).toEqual(summed.toArray());
    loadWeights(target, weightsOf(source), { firstConvolution: 'slice' });
    const sliced = toOneChannel(weight, 'slice');
    expect(target.state().get('conv1.weight')?.toArray()).toEqual(sliced.toArray());
    for (const tensor of [summed, sliced]) tensor.dispose();
  });

  it.each<DType>(['float32', 'bfloat16'])('resizes position embeddings of %s', (dtype) => {
    const source = fill(build('deit_micro'));
    const target = build('deit_micro', { imageSize: 96 });
    const report = loadWeights(target, weightsOf(source, { dtype }));
    expect(report.adapted.map(({ name }) => name)).toEqual(['pos_embed']);
  });

  it('lets batch counters be missing: they start at 0', () => {
    const source = fill(build('resnet18_micro'));
    const target = fill(build('resnet18_micro'));
    const counter = target.state().get('bn1.num_batches_tracked');
    if (counter) ops.fill_(counter, 7);
    const without = (name: string): boolean => name.endsWith('num_batches_tracked');
    const report = loadWeights(target, weightsOf(source, { without }));
    expect(report.optional).toHaveLength(20);
    expect(counter?.item()).toBe(0);
  });

  it('takes a counter of another integer type', () => {
    const file = weightsOf(fill(build('resnet18_micro')));
    file.tensors.set('bn1.num_batches_tracked', store([41], [], 'int32'));
    const target = build('resnet18_micro');
    loadWeights(target, file);
    expect(target.state().get('bn1.num_batches_tracked')?.item()).toBe(41);
  });
});

describe('matching', () => {
  it('throws for nothing that does not fit', () => {
    const file = weightsOf(fill(build('resnet18_micro')));
    const report = matchWeights(build('deit_micro'), file);
    expect(report.matched).toEqual([]);
    expect(report.missing).toHaveLength(build('deit_micro').state().size);
    expect(report.unexpected).toHaveLength(file.tensors.size);
    expect(report.headReplaced).toBe(true);
  });
});
