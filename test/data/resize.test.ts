import { describe, expect, it } from 'vitest';
import { resizeSquare } from '../../src/data/images/resize.ts';
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
});
