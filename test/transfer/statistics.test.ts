import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { drawNormal, statisticsOf } from '../../src/transfer/index.ts';

describe('statistics of a tensor', () => {
  it('are the mean and the unbiased deviation', () => {
    expect(statisticsOf([1, 2, 3, 4])).toEqual({ mean: 2.5, deviation: Math.sqrt(5 / 3) });
    expect(statisticsOf([3, 3, 3])).toEqual({ mean: 3, deviation: 0 });
  });

  it('do not suffer from a large mean', () => {
    const values = Float32Array.from({ length: 1000 }, (_, index) => 4096 + (index % 2) / 4);
    expect(statisticsOf(values).deviation).toBeAllclose(0.125 * Math.sqrt(1000 / 999), {
      relative: 1e-12,
    });
  });

  it('shift and scale with the values', () => {
    const numbers = fc.array(fc.double({ min: -1e3, max: 1e3, noNaN: true }), { minLength: 2 });
    fc.assert(
      fc.property(numbers, fc.double({ min: 0.1, max: 10, noNaN: true }), (values, scale) => {
        const plain = statisticsOf(values);
        const moved = statisticsOf(values.map((value) => scale * value + 3));
        expect(moved.mean).toBeAllclose(scale * plain.mean + 3, {
          absolute: 1e-9,
          relative: 1e-12,
        });
        expect(moved.deviation).toBeAllclose(scale * plain.deviation, {
          absolute: 1e-9,
          relative: 1e-9,
        });
      }),
    );
  });
});

describe('a draw', () => {
  const key = { seed: 1, name: 'conv1.weight' };

  it('is the same numbers every time, and a longer one starts with them', () => {
    const first = drawNormal({ mean: 0, deviation: 1 }, 10, key);
    expect(drawNormal({ mean: 0, deviation: 1 }, 1000, key).slice(0, 10)).toEqual(first);
    // Fixed numbers: a change of the stream would make finished studies incomparable.
    expect([...first.slice(0, 3)]).toBeAllclose([-0.078248009, 1.13976562, 0.144152135], {
      relative: 1e-6,
    });
  });

  it('is the standard draw, scaled and shifted', () => {
    const standard = drawNormal({ mean: 0, deviation: 1 }, 100, key);
    const scaled = drawNormal({ mean: 5, deviation: 0.5 }, 100, key);
    expect(scaled).toBeAllclose(
      standard.map((value) => 5 + 0.5 * value),
      { relative: 1e-6 },
    );
  });

  it('differs by seed and by name', () => {
    const of = (seed: number, name: string): string =>
      drawNormal({ mean: 0, deviation: 1 }, 4, { seed, name }).join();
    const keys: [number, string][] = [
      [0, 'a.weight'],
      [1, 'a.weight'],
      [2 ** 32, 'a.weight'],
      [0, 'a.bias'],
      [0, 'b.weight'],
    ];
    expect(new Set(keys.map(([seed, name]) => of(seed, name))).size).toBe(keys.length);
  });
});
