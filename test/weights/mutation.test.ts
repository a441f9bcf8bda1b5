/** Damaged files, some hundred of each kind; scripts/fuzz-weights.ts runs as many as are asked for. */
import { describe, expect, it } from 'vitest';
import { mutationProperties } from './mutations.ts';

const cases = 250;
const properties = await mutationProperties();

describe('mutated files', () => {
  it.each(properties)('$name', async ({ run }) => {
    const outcome = await run(cases);
    // The undamaged file is the first case.
    expect(outcome.read).toBeGreaterThan(0);
    expect(outcome.cases).toBeGreaterThanOrEqual(cases);
  });
});
