/** docs/training.md names every setting with its default. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { trainingSchema } from '../../src/results/index.ts';

it('the documented settings are those that there are', () => {
  const text = readFileSync(new URL('../../docs/training.md', import.meta.url), 'utf8');
  const rows = [...text.matchAll(/^\| `(\w+)` \| `([^`]+)` \|/gm)];
  const documented = Object.fromEntries(
    rows.map(([, key = '', value = '']) => [key, parse(value)]),
  );
  expect(documented).toEqual(trainingSchema.parse({}));
});
