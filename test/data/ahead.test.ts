import { describe, expect, it } from 'vitest';
import { oneAhead } from '../../src/data/ahead.ts';

/** Numbered batches that say when they are made, and when they are freed. */
function batches(count: number, said: string[], fails?: number) {
  return (async function* () {
    for (let number = 0; number < count; number++) {
      if (number === fails) throw new Error(`batch ${number} cannot be read`);
      said.push(`make ${number}`);
      yield { number, dispose: () => void said.push(`free ${number}`) };
    }
  })();
}

describe('batches made one ahead', () => {
  it('come in their order, the next one made before each is given', async () => {
    const said: string[] = [];
    for await (const batch of oneAhead(batches(3, said))) {
      said.push(`use ${batch.number}`);
      batch.dispose();
    }
    expect(said).toEqual([
      'make 0',
      'make 1',
      'use 0',
      'free 0',
      'make 2',
      'use 1',
      'free 1',
      'use 2',
      'free 2',
    ]);
  });

  it.each([0, 1])('of %i batches', async (count) => {
    const said: string[] = [];
    for await (const batch of oneAhead(batches(count, said))) said.push(`use ${batch.number}`);
    expect(said).toEqual(count === 0 ? [] : ['make 0', 'use 0']);
  });

  it('are freed when the loop is left early', async () => {
    const said: string[] = [];
    for await (const batch of oneAhead(batches(5, said))) {
      batch.dispose();
      break;
    }
    expect(said).toEqual(['make 0', 'make 1', 'free 0', 'free 1']);
  });

  it('are freed when the next one cannot be made', async () => {
    const said: string[] = [];
    await expect(async () => {
      for await (const batch of oneAhead(batches(3, said, 1))) said.push(`use ${batch.number}`);
    }).rejects.toThrow('batch 1 cannot be read');
    expect(said).toEqual(['make 0', 'free 0']);
  });
});
