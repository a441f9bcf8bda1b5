import { describe, expect, it } from 'vitest';
import { resizeExactly, resizeRows, resizeSquare } from '../../src/data/images/resize.ts';
import { rowsOf } from '../../src/data/images/rows.ts';
import { bytesOf, largestDifference, picture, readGolden } from './pictures.ts';

interface Golden {
  cases: { width: number; height: number; seed: number; size: number; pixels: string }[];
}

describe('antialiased bilinear resize', () => {
  it.each(readGolden<Golden>('resize').cases)(
    'equals torchvision to one level: $width × $height to $size',
    ({ width, height, seed, size, pixels }) => {
      const resized = resizeSquare({ width, height, data: picture(width, height, seed) }, size);
      expect(largestDifference(resized, bytesOf(pixels))).toBeLessThanOrEqual(1);
    },
  );

  it('leaves a picture of the right size as it is, and an even one even', () => {
    const data = picture(24, 24, 5);
    expect(resizeSquare({ width: 24, height: 24, data }, 24)).toEqual(data);
    const even = new Uint8Array(31 * 57 * 3).fill(201);
    expect(resizeSquare({ width: 31, height: 57, data: even }, 20)).toEqual(
      new Uint8Array(20 * 20 * 3).fill(201),
    );
  });

  it.each([
    [1, 1, 5],
    [3, 7, 16],
    [17, 11, 9],
    [64, 64, 64],
    [100, 333, 40],
    [1001, 40, 33],
    [40, 5000, 30],
  ])(
    'in integers equals that in floating point but for rounding: %i × %i to %i',
    (width, height, size) => {
      const image = { width, height, data: picture(width, height, width + size) };
      const exact = resizeExactly(image, size);
      const fast = resizeSquare(image, size);
      expect(largestDifference(fast, exact)).toBeLessThanOrEqual(1);
      const differing = fast.filter((value, at) => value !== exact[at]).length;
      expect(differing / fast.length).toBeLessThan(0.02);
    },
  );

  it.each([
    [9, 7, 16],
    [500, 900, 40],
    [3000, 2000, 64],
    [40, 9000, 30],
  ])('reads every row once, from the top down: %i × %i to %i', (width, height, size) => {
    const image = { width, height, data: picture(width, height, size) };
    const rows = rowsOf(image);
    let [seen, largest] = [0, 0];
    const read: typeof rows.read = (target, stride, count) => {
      expect(target.length).toBeGreaterThanOrEqual(stride * (count - 1) + width * 3);
      seen += count;
      largest = Math.max(largest, count * stride);
      rows.read(target, stride, count);
    };
    const resized = resizeRows({ ...rows, read }, size);
    expect(seen).toBe(height);
    expect(resized).toEqual(resizeSquare(image, size));
    // What is in memory at once: not a large picture as a whole.
    if (height <= 5000 && width < 4000) expect(largest).toBeLessThan(2 ** 20);
  });

  it('keeps one colour as it is', () => {
    for (const level of [0, 1, 254, 255]) {
      const data = new Uint8Array(90 * 70 * 3).fill(level);
      const resized = resizeSquare({ width: 90, height: 70, data }, 32);
      expect(resized.every((value) => value === level)).toBe(true);
    }
  });
});
