/** What the statistics of a data set's channels are made of. */
import { groupBytes, groupPixels, mostGroups, sumKernel } from '../wasm/sumKernel.ts';

/** [sum of red, green, blue, sum of their squares] over all pixels, in levels of 0 to 255. */
export type ChannelSums = [number, number, number, number, number, number];

/**
 * Exact: every sum is an integer below 2^53.
 * @param pixels three bytes each.
 */
export function channelSums(pixels: Uint8Array): ChannelSums {
  const total: ChannelSums = [0, 0, 0, 0, 0, 0];
  const chunk = mostGroups * groupBytes;
  const { kernel, memory } = sumKernel(chunk + 96);
  const held = new Uint8Array(memory, 0, chunk);
  const sums = new Int32Array(memory, chunk, 24);
  for (let start = 0; start < pixels.length; start += chunk) {
    const part = pixels.subarray(start, start + chunk);
    const groups = Math.ceil(part.length / (3 * groupPixels));
    held.set(part);
    // Black pixels fill the last group up.
    held.fill(0, part.length, groups * groupBytes);
    kernel.sumChannels(0, groups, chunk);
    sums.forEach((sum, at) => {
      const which = at >> 2;
      total[which] = (total[which] ?? 0) + sum;
    });
  }
  return total;
}
