/** Running part of a network, observing it, and what that leaves in memory. */
import { describe, expect, it } from 'vitest';
import {
  collectTaps,
  createModel,
  type ImageModel,
  modelIds,
  owns,
} from '../../src/models/index.ts';
import {
  backward,
  clearGradients,
  inferenceMode,
  liveTensors,
  noGrad,
  ops,
  scope,
  type Tensor,
  tensor,
} from '../../src/tensor/index.ts';
import { fill, images } from './formula.ts';

const micro = modelIds().filter((id) => id.endsWith('_micro'));

function using(id: string, body: (model: ImageModel) => void) {
  const model = fill(createModel(id, { classes: 3 })).eval();
  try {
    scope(() => body(model));
  } finally {
    model.dispose();
  }
}

describe.each(micro)('%s', (id) => {
  it('runs on from any segment to the same logits', () => {
    using(id, (model) => {
      const input = images(2, 64);
      inferenceMode(() => {
        const whole = model.forward(input).toArray();
        let state = input;
        for (const { name } of model.segments) {
          state = model.run(input, { until: name });
          const rest = model.run(state, { from: name });
          expect(rest, name).toBeAllclose(whole, { absolute: 1e-6 });
        }
        expect(model.features(input)).toBeAllclose(state, { absolute: 1e-6 });
      });
    });
  });

  it('needs only the segments from a tap on when its module is reset', () => {
    using(id, (model) => {
      const input = images(2, 64);
      for (const tap of model.taps) {
        inferenceMode(() => {
          const before = model.run(input, { until: tap.name });
          const whole = model.run(before, { from: tap.name }).toArray();
          const owned = [...model.state()].filter(
            ([name, { dtype }]) => owns(tap.prefixes, name) && dtype === 'float32',
          );
          const saved = owned.map(([, value]) => ops.clone(value));
          for (const [, value] of owned) ops.copy_(value, ops.mul(value, 0.5));
          const reset = model.run(before, { from: tap.name }).toArray();
          expect(reset, tap.name).not.toEqual(whole);
          expect(model.forward(input), tap.name).toBeAllclose(reset, { absolute: 1e-6 });
          for (const [index, [, value]] of owned.entries()) {
            const original = saved[index];
            if (original) ops.copy_(value, original);
          }
        });
      }
    });
  });

  it('gives embeddings that hold no more memory than their own', () => {
    using(id, (model) => {
      const input = images(2, 64);
      inferenceMode(() => {
        for (const kind of ['cls', 'spatial', 'both'] as const) {
          const before = liveTensors().bytes;
          const embeddings = scope(() => {
            const collected: Tensor[] = [];
            model.forward(input, (tap, value) => {
              if (!model.embeddingKinds(tap).includes(kind)) return;
              collected.push(model.embedding(tap, value, kind));
            });
            return collected;
          });
          const own = embeddings.reduce((sum, { byteCount }) => sum + byteCount, 0);
          expect(liveTensors().bytes - before, kind).toBe(own);
          for (const embedding of embeddings) embedding.dispose();
        }
      });
    });
  });

  // Unobserved, a transformer's last block computes its class token alone: equal but for rounding.
  it('computes the same whether observed or not', () => {
    using(id, (model) => {
      const input = images(2, 64);
      inferenceMode(() => {
        const { logits, taps } = collectTaps(model, input);
        expect(logits).toBeAllclose(model.forward(input), { absolute: 1e-6 });
        expect(taps.get(model.taps.at(-1)?.name ?? '')?.shape[1]).toBeGreaterThan(1);
        expect(taps.size).toBe(model.taps.length);
      });
    });
  });

  it('keeps nothing but the logits, and lends observed values for the call alone', () => {
    using(id, (model) => {
      const input = images(2, 64);
      inferenceMode(() => {
        const before = liveTensors().count;
        const seen: Tensor[] = [];
        const logits = model.forward(input, (_, value) => seen.push(value));
        expect(liveTensors().count).toBe(before + 1);
        expect(seen.every(({ disposed }) => disposed)).toBe(true);
        expect(logits.disposed).toBe(false);
        expect(input.disposed).toBe(false);
      });
    });
  });

  it('keeps what observers compute, until the surrounding scope ends', () => {
    using(id, (model) => {
      const input = images(2, 64);
      inferenceMode(() => {
        const before = liveTensors().count;
        const embeddings = scope(() => {
          const collected = new Map<string, Tensor>();
          model.forward(input, (tap, value) => collected.set(tap, model.embedding(tap, value)));
          return collected;
        });
        expect(liveTensors().count).toBe(before + model.taps.length);
        for (const embedding of embeddings.values()) {
          expect(embedding.shape.length).toBe(2);
          expect(embedding.toArray().every(Number.isFinite)).toBe(true);
        }
      });
    });
  });

  it('passes gradients through an observed pass as through an unobserved one', () => {
    using(id, (model) => {
      model.train();
      const labels = tensor([0, 2], { dtype: 'int64' });
      const gradientsOf = (observe?: () => void) =>
        scope(() => {
          clearGradients([...model.namedParameters().values()]);
          backward(ops.crossEntropyLoss(model.forward(images(2, 64), observe), labels));
          return [...model.namedParameters().values()].flatMap((p) => p.grad?.toArray() ?? [NaN]);
        });
      const plain = gradientsOf();
      expect(plain.every(Number.isFinite)).toBe(true);
      const observed = gradientsOf(() => undefined);
      expect(observed).toBeAllclose(plain, { relative: 1e-4, absolute: 1e-6 });
    });
  });

  it('leaves nothing behind over training passes', () => {
    using(id, (model) => {
      model.train();
      const input = images(2, 64);
      const labels = tensor([0, 2], { dtype: 'int64' });
      const step = () =>
        scope(() => {
          backward(ops.crossEntropyLoss(model.forward(input), labels));
          noGrad(() => clearGradients([...model.namedParameters().values()]));
        });
      step();
      const { count, bytes } = liveTensors();
      for (let index = 0; index < 5; index++) step();
      expect(liveTensors()).toMatchObject({ count, bytes });
    });
  });
});
