/** Training steps against PyTorch: the losses of the first five, within 1e-4 relative. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { largestRelativeError, lossesOf, type ParityFile } from './parityCases.ts';

const golden: ParityFile = JSON.parse(
  readFileSync(new URL('../golden/train/losses.json', import.meta.url), 'utf8'),
);

describe('losses of five training steps equal those of PyTorch', () => {
  it.each(golden.cases)('$name', (parity) => {
    const ours = lossesOf(parity, golden.classes);
    expect(largestRelativeError(ours, parity.losses)).toBeLessThanOrEqual(1e-4);
  });
});
