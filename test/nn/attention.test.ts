import { afterEach, describe, expect, it } from 'vitest';
import { selfAttention } from '../../src/nn/index.ts';
import {
  autocast,
  backward,
  getThreadCount,
  ops,
  scope,
  setThreadCount,
  tensor,
} from '../../src/tensor/index.ts';
import { expectGradients } from './differences.ts';
import { expectGolden, type Packed, readGolden, unpack } from './golden.ts';

interface Case {
  heads: number;
  projection: Packed;
  weights: Packed;
  output: Packed;
  upstream: Packed;
  gradient: Packed;
}

const { attention: cases } = readGolden<{ attention: Case[] }>('layers');
const noise = (shape: number[]) => ops.randn(shape, { generator: undefined });

const threads = getThreadCount();
afterEach(() => setThreadCount(threads));

// The kernel depends on the threads.
const records = [1, 2].flatMap((threadCount) => cases.map((c) => ({ threadCount, ...c })));

describe('self-attention', () => {
  it.each(records)('agrees with PyTorch, $heads heads, $threadCount threads', (record) =>
    scope(() => {
      setThreadCount(record.threadCount);
      const projection = unpack(record.projection);
      projection.requiresGrad = true;
      const { output, weights } = selfAttention(projection, record.heads);
      expectGolden(output, record.output);
      expectGolden(weights, record.weights);
      backward(output, { gradient: unpack(record.upstream) });
      expectGolden(projection.grad, record.gradient);
    }),
  );

  it('gradients agree with finite differences', () =>
    scope(() => {
      setThreadCount(1);
      const values = noise([2, 4, 3 * 2 * 3]).toArray();
      const upstream = noise([2, 4, 6]).to({ dtype: 'float64' });
      expectGradients(tensor(values, { shape: [2, 4, 18], dtype: 'float64' }), (projection) =>
        ops.sum(ops.mul(selfAttention(projection, 2).output, upstream)),
      );
    }));

  it('rows of weights sum to 1, and equal keys average the values', () =>
    scope(() => {
      const [query, value] = [noise([2, 5, 6]), noise([2, 5, 6])];
      const key = ops.ones([2, 5, 6]);
      const { output, weights } = selfAttention(ops.cat([query, key, value], 2), 3);
      expect(weights.shape).toEqual([2, 3, 5, 5]);
      expect(weights).toBeAllclose(ops.full([2, 3, 5, 5], 0.2), { relative: 1e-5 });
      expect(output).toBeAllclose(ops.expand(ops.mean(value, [1], true), [2, 5, 6]), {
        relative: 1e-5,
        absolute: 1e-6,
      });
      const other = selfAttention(ops.mul(noise([2, 5, 18]), 5), 3);
      expect(ops.sum(other.weights, [-1])).toBeAllclose(new Array(30).fill(1), { absolute: 1e-5 });
    }));

  it('of the first tokens alone is theirs among all', () =>
    scope(() => {
      const projection = noise([2, 5, 18]);
      const all = selfAttention(projection, 3);
      const some = selfAttention(projection, 3, 2);
      expect(some.weights).toBeAllclose(ops.narrow(all.weights, 2, 0, 2), { absolute: 1e-6 });
      expect(some.output.shape).toEqual([2, 2, 6]);
      expect(some.output).toBeAllclose(ops.narrow(all.output, 1, 0, 2), { absolute: 1e-6 });
    }));

  it.each([undefined, 1, 5])('gives the same with one thread and with two, %s queries', (queries) =>
    scope(() => {
      const projection = noise([3, 33, 3 * 4 * 16]);
      const upstream = noise([3, queries ?? 33, 64]);
      projection.requiresGrad = true;
      const run = (threadCount: number) => {
        setThreadCount(threadCount);
        projection.clearGrad();
        const { output } = selfAttention(projection, 4, queries);
        backward(output, { gradient: upstream });
        return [output.toArray(), projection.grad?.toArray() ?? []] as const;
      };
      const [one, two] = [run(1), run(2)];
      expect(two[0]).toBeAllclose(one[0], { relative: 1e-5, absolute: 1e-6 });
      expect(two[1]).toBeAllclose(one[1], { relative: 1e-5, absolute: 1e-6 });
    }),
  );

  it('under bfloat16 autocast stays near the float32 result', () =>
    scope(() => {
      const projection = noise([2, 17, 3 * 2 * 16]);
      const exact = selfAttention(projection, 2).output;
      const { output } = autocast({ device: 'cpu', dtype: 'bfloat16' }, () =>
        selfAttention(projection, 2),
      );
      expect(output).toBeAllclose(exact, { absolute: 0.05 });
    }));

  it('refuses a projection that the heads do not divide', () => {
    expect(() => scope(() => selfAttention(ops.zeros([1, 4, 20]), 3))).toThrow(/3 heads/);
    expect(() => scope(() => selfAttention(ops.zeros([4, 18]), 3))).toThrow(/B, T/);
  });
});
