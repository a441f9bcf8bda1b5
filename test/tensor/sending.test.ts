/** What goes to a GPU goes from pinned memory and is not waited for. LibTorch's `meta` device stands in for one. */
import { expect, it } from 'vitest';
import { fromTypedArray, liveTensors } from '../../src/tensor/index.ts';
import { callsOf, replaceOperator } from './calls.ts';

// Without a GPU nothing can be pinned.
replaceOperator('aten::pin_memory', 'aten::clone');

it('an array on its way to a device is pinned, and its copy is queued', async () => {
  const before = liveTensors().count;
  const seen = await callsOf(() => {
    const sent = fromTypedArray(Float32Array.of(1, 2, 3), [3], { device: 'meta' });
    expect(sent.device).toBe('meta');
    expect(sent.shape).toEqual([3]);
    sent.dispose();
  });
  expect(seen.map(({ name }) => name)).toEqual(['aten::pin_memory', 'aten::to']);
  // (self, dtype, layout, device, pin_memory, non_blocking, …)
  const [, , , device, , nonBlocking] = seen[1]?.values ?? [];
  expect([device, nonBlocking]).toEqual(['meta', true]);
  expect(liveTensors().count).toBe(before);
});
