import { describe, expect, it } from 'vitest';
import { channelSums } from '../../src/data/images/channelSums.ts';
import { picture } from './pictures.ts';

function slowly(pixels: Uint8Array): number[] {
  const sums = [0, 0, 0, 0, 0, 0];
  pixels.forEach((value, at) => {
    const channel = at % 3;
    sums[channel] = (sums[channel] ?? 0) + value;
    sums[channel + 3] = (sums[channel + 3] ?? 0) + value * value;
  });
  return sums;
}

describe('sums of channels', () => {
  // Below, at and above a group of 16 pixels, and a chunk of 65,536.
  it.each([1, 2, 15, 16, 17, 48, 65_535, 65_536, 65_537, 150_000])('of %i pixels', (count) => {
    const pixels = picture(count, 1, count);
    expect(channelSums(pixels)).toEqual(slowly(pixels));
  });

  it('hold the largest there are', () => {
    const pixels = new Uint8Array(3 * 200_000).fill(255);
    const [sum, squares] = [200_000 * 255, 200_000 * 255 * 255];
    expect(channelSums(pixels)).toEqual([sum, sum, sum, squares, squares, squares]);
  });

  it('do not see what was summed before', () => {
    channelSums(new Uint8Array(3 * 1000).fill(255));
    expect(channelSums(Uint8Array.of(1, 2, 3))).toEqual([1, 2, 3, 1, 4, 9]);
  });
});
