/** Features at taps: the same as the taps' own values, whatever is asked for beside them. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Batch } from '../../src/data/index.ts';
import {
  extractFeatures,
  type FeatureBatch,
  type FeatureOptions,
  PredictionStopped,
  writeFeatures,
} from '../../src/eval/index.ts';
import { collectTaps, createModel, type ImageModel } from '../../src/models/index.ts';
import { inferenceMode, liveTensors, noGrad, ops, scope, tensor } from '../../src/tensor/index.ts';
import { readWeights } from '../../src/weights/index.ts';
import { fill, images } from '../models/formula.ts';

const pass = { device: 'cpu', precision: 'fp32' } as const;
const folder = mkdtempSync(join(tmpdir(), 'carryover-features-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function network(id: string): ImageModel {
  return fill(createModel(id, { classes: 3 }));
}

/** Batches of 2, 2 and 1 pictures, by their numbers. */
function loaderOf(size: number) {
  const batches = [[4, 7], [1, 9], [3]];
  return {
    indices: batches.flat(),
    async *epoch(): AsyncGenerator<Batch, void, undefined> {
      for (const indices of batches) {
        const pictures = images(indices.length, size, `input${indices.join()}`);
        const labels = tensor(indices, { dtype: 'int64' });
        const dispose = (): void => {
          pictures.dispose();
          labels.dispose();
        };
        yield { images: pictures, labels, indices, dispose };
      }
    },
  };
}

type Seen = { indices: number[]; values: Map<string, number[]>; logits: number[] };

async function extract(model: ImageModel, options: Partial<FeatureOptions>): Promise<Seen> {
  const seen: Seen = { indices: [], values: new Map(), logits: [] };
  await extractFeatures(model, loaderOf(model.inputSize), {
    ...pass,
    taps: model.taps.map(({ name }) => name),
    ...options,
    onBatch: ({ indices, embeddings, logits }: FeatureBatch) => {
      seen.indices.push(...indices);
      for (const [tap, value] of embeddings) {
        expect(value.dtype).toBe('float32');
        seen.values.set(tap, [...(seen.values.get(tap) ?? []), ...value.toArray()]);
      }
      seen.logits.push(...(logits?.toArray() ?? []));
    },
  });
  return seen;
}

/** What the taps hold for the last batch, one image. */
function last(model: ImageModel) {
  model.eval();
  return scope(() => {
    const seen = inferenceMode(() => collectTaps(model, images(1, model.inputSize, 'input3')));
    const kinds = (tap: string) =>
      new Map(
        model.embeddingKinds(tap).map((kind) => {
          const value = seen.taps.get(tap);
          return [kind, value ? model.embedding(tap, value, kind).toArray() : []];
        }),
      );
    return {
      logits: seen.logits.toArray(),
      taps: new Map([...seen.taps.keys()].map((tap) => [tap, kinds(tap)])),
    };
  });
}

describe.each(['resnet18_micro', 'deit_micro', 'swin_micro'])('features of %s', (id) => {
  it('are those of every tap, image by image, from one pass', async () => {
    const model = network(id);
    const before = liveTensors().count;
    const seen = await extract(model, { logits: true });
    expect(liveTensors().count).toBe(before);
    expect(seen.indices).toEqual([4, 7, 1, 9, 3]);
    expect([...seen.values.keys()]).toEqual(model.taps.map(({ name }) => name));
    const expected = last(model);
    for (const [tap, values] of seen.values) {
      const [own = []] = expected.taps.get(tap)?.values() ?? [];
      expect(values.slice(-own.length), tap).toBeAllclose(own, { absolute: 1e-5 });
      expect(values).toHaveLength(5 * own.length);
    }
    expect(seen.logits.slice(-3)).toBeAllclose(expected.logits, { absolute: 1e-5 });
    model.dispose();
  });

  it('are of the kind asked for, where a tap has it', async () => {
    const model = network(id);
    const expected = last(model);
    for (const embedding of ['cls', 'spatial', 'both'] as const) {
      const seen = await extract(model, { embedding });
      for (const [tap, values] of seen.values) {
        const kinds = expected.taps.get(tap);
        const own = kinds?.get(embedding) ?? kinds?.get('spatial') ?? [];
        expect(values.slice(-own.length), `${tap} ${embedding}`).toBeAllclose(own, {
          absolute: 1e-5,
        });
      }
    }
    model.dispose();
  });

  it('are the same in bfloat16 but for rounding', async () => {
    const model = network(id);
    const full = await extract(model, { logits: true });
    const half = await extract(model, { logits: true, precision: 'bf16' });
    for (const [tap, values] of half.values) {
      const exact = full.values.get(tap) ?? [];
      const norm = Math.hypot(...exact);
      const error = Math.hypot(...values.map((value, index) => value - (exact[index] ?? 0)));
      expect(error / norm, tap).toBeLessThan(0.03);
    }
    model.dispose();
  });

  it('run the network no further than they need', async () => {
    const model = network(id);
    const all = await extract(model, {});
    const [first, second] = model.taps.map(({ name }) => name);
    const head = model.segments.at(-1);
    if (!first || !second || !head) throw new Error(id);
    // In the order of the network, whatever the order of the names.
    Object.defineProperty(head, 'run', { value: () => expect.unreachable() });
    const seen = await extract(model, { taps: [second, first] });
    expect([...seen.values]).toEqual([
      [first, all.values.get(first)],
      [second, all.values.get(second)],
    ]);
    model.dispose();
  });
});

describe('extractFeatures', () => {
  it('shows every tap’s own value to who observes, and puts the mode back', async () => {
    const model = network('deit_micro').train();
    const shapes = new Map<string, readonly number[]>();
    const seen = await extract(model, {
      taps: [],
      observe: (tap, value) => shapes.set(tap, value.shape),
    });
    expect(seen.values.size).toBe(0);
    expect([...shapes.keys()]).toEqual(model.taps.map(({ name }) => name));
    expect(shapes.get('blocks.2.attn')).toEqual([1, 65, 96]);
    expect(model.training).toBe(true);
    model.dispose();
  });

  it('names the nearest taps for an unknown one', async () => {
    const model = network('deit_micro');
    await expect(extract(model, { taps: ['block.3.attn'] })).rejects.toThrow(
      /got "block\.3\.attn" \(did you mean blocks\.3\.attn/,
    );
    model.dispose();
  });
});

describe('writeFeatures', () => {
  const path = join(folder, 'features.safetensors');
  const request = {
    ...pass,
    path,
    logits: true,
    metadata: { files: '["a","b"]' },
    nameOf: (index: number) => `picture ${index}`,
  };

  it('writes a matrix for each tap, rows in the order of the images', async () => {
    const model = network('resnet18_micro');
    const taps = ['conv1', 'layer4.1'];
    const before = liveTensors().count;
    const columns = await writeFeatures(model, loaderOf(64), { ...request, taps });
    expect(liveTensors().count).toBe(before);
    expect(columns).toEqual([
      { name: 'tap/conv1', features: 16 },
      { name: 'tap/layer4.1', features: 128 },
      { name: 'logits', features: 3 },
    ]);
    const { tensors, metadata } = await readWeights(path);
    expect(metadata).toEqual({ files: '["a","b"]' });
    expect([...tensors].map(([name, { dtype, shape }]) => [name, dtype, shape])).toEqual([
      ['tap/conv1', 'float32', [5, 16]],
      ['tap/layer4.1', 'float32', [5, 128]],
      ['logits', 'float32', [5, 3]],
    ]);
    const seen = await extract(model, { taps, logits: true });
    const stored = (name: string): number[] => {
      const { bytes } = tensors.get(name) ?? expect.unreachable();
      return [...new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)];
    };
    for (const tap of taps) expect(stored(`tap/${tap}`)).toEqual(seen.values.get(tap));
    expect(stored('logits')).toEqual(seen.logits);
    expect(readdirSync(folder)).toEqual(['features.safetensors']);
    model.dispose();
  });

  it('leaves what was there where features are no numbers, and names tap and image', async () => {
    const model = network('resnet18_micro');
    const weight = model.namedParameters().get('layer2.0.bn1.weight');
    if (weight) noGrad(() => ops.fill_(weight, Number.NaN));
    writeFileSync(path, 'before');
    const taps = model.taps.map(({ name }) => name);
    await expect(writeFeatures(model, loaderOf(64), { ...request, taps })).rejects.toThrow(
      'tap/layer2.0 of picture 4: expected finite features, got NaN',
    );
    expect(readFileSync(path, 'utf8')).toBe('before');
    expect(readdirSync(folder)).toEqual(['features.safetensors']);
    model.dispose();
  });

  it('leaves nothing where it is stopped', async () => {
    const model = network('resnet18_micro');
    const other = join(folder, 'stopped.safetensors');
    const stopped = writeFeatures(model, loaderOf(64), {
      ...request,
      path: other,
      taps: ['conv1'],
      stopRequested: () => true,
    });
    await expect(stopped).rejects.toBeInstanceOf(PredictionStopped);
    expect(existsSync(other)).toBe(false);
    expect(readdirSync(folder)).toEqual(['features.safetensors']);
    model.dispose();
  });
});
