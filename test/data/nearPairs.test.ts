import { describe, expect, it } from 'vitest';
import { findNearPairs } from '../../src/data/check/nearPairs.ts';
import { perceptualHash } from '../../src/data/images/perceptualHash.ts';
import { resizeSquare } from '../../src/data/images/resize.ts';
import { RandomStream } from '../../src/util/index.ts';

const hex = (high: number, low: number): string =>
  [high, low].map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('');

/** The difference by hand, bit by bit. */
function distance(left: string, right: string): number {
  const bits = BigInt(`0x${left}`) ^ BigInt(`0x${right}`);
  return [...bits.toString(2)].filter((digit) => digit === '1').length;
}

describe('pairs of near hashes', () => {
  it('are all found, each once', () => {
    const random = new RandomStream('near');
    const looks: (string | undefined)[] = [];
    for (let k = 0; k < 60; k++) {
      const [high, low] = [random.nextUint32(), random.nextUint32()];
      looks.push(hex(high, low));
      for (let bits = 0; bits < k % 9; bits++) {
        const flip = random.integer(64);
        const last = looks.at(-1) ?? '';
        const [top, bottom] = [last.slice(0, 8), last.slice(8)].map((part) => Number(`0x${part}`));
        looks.push(
          flip < 32
            ? hex((top ?? 0) ^ (1 << flip), bottom ?? 0)
            : hex(top ?? 0, (bottom ?? 0) ^ (1 << (flip - 32))),
        );
      }
    }
    looks[5] = undefined;
    for (const most of [0, 1, 4, 6]) {
      const expected: [number, number, number][] = [];
      looks.forEach((left, first) => {
        looks.forEach((right, second) => {
          if (first >= second || left === undefined || right === undefined) return;
          const bits = distance(left, right);
          if (bits <= most) expected.push([first, second, bits]);
        });
      });
      const { pairs, searched, cut } = findNearPairs(looks, most, 1e6);
      expect(pairs.map((pair) => [pair.first, pair.second, pair.distance])).toEqual(expected);
      expect([searched, cut]).toEqual([most, false]);
    }
    expect(findNearPairs(looks, 6, 10)).toMatchObject({ cut: true });
  });
});

describe('the perceptual hash', () => {
  /** Soft blobs, as a picture has them. */
  const scene = (size: number, seed: number, light = 0): Uint8Array => {
    const random = new RandomStream('scene', seed);
    const waves = Array.from({ length: 6 }, () => [
      random.uniform(0, 7),
      random.uniform(0, 7),
      random.uniform(0, 7),
      random.uniform(15, 45),
    ]);
    return Uint8Array.from({ length: size * size * 3 }, (_, at) => {
      const pixel = Math.floor(at / 3);
      const [x, y] = [(pixel % size) / size, Math.floor(pixel / size) / size];
      const sum = waves.reduce(
        (total, [a = 0, b = 0, phase = 0, strength = 0]) =>
          total + strength * Math.sin(a * x * 3 + b * y * 3 + phase),
        128 + light,
      );
      return Math.max(0, Math.min(255, sum));
    });
  };

  it('stays near for the same scene at another size and light, and far for another scene', () => {
    const hashOf = (from: number, seed: number, light = 0): string =>
      perceptualHash(
        resizeSquare({ width: from, height: from, data: scene(from, seed, light) }, 128),
        128,
      );
    const one = hashOf(128, 1);
    expect(one).toMatch(/^[0-9a-f]{16}$/);
    expect(distance(one, hashOf(200, 1))).toBeLessThanOrEqual(4);
    expect(distance(one, hashOf(96, 1, 6))).toBeLessThanOrEqual(4);
    for (const seed of [2, 3, 4]) {
      expect(distance(one, hashOf(128, seed))).toBeGreaterThan(10);
    }
  });

  it('takes pictures of any size', () => {
    for (const size of [1, 5, 31, 33]) {
      expect(perceptualHash(scene(size, 1), size)).toMatch(/^[0-9a-f]{16}$/);
    }
  });
});
