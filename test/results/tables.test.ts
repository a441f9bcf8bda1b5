import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { expect, it } from 'vitest';
import { formatCsv, writeResults } from '../../src/results/index.ts';

it('quotes what CSV asks to be quoted, and reads back', () => {
  const text = formatCsv(
    ['a', 'b'],
    [
      ['plain', 'with, comma'],
      ['with "quotes"', 'two\nlines'],
      [undefined, 0.1],
      [true, -1e-7],
    ],
  );
  expect(parse(text)).toEqual([
    ['a', 'b'],
    ['plain', 'with, comma'],
    ['with "quotes"', 'two\nlines'],
    ['', '0.1'],
    ['true', '-1e-7'],
  ]);
});

it('writes results.csv with an empty field for an undefined metric', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'carryover-results-'));
  try {
    const path = join(folder, 'results.csv');
    await writeResults(path, [
      {
        runId: '0123456789abcdef',
        data: 'skin',
        samples: 10,
        model: 'resnet18',
        init: 'wt',
        seed: 0,
        metric: 'auc',
        undefinedReason: 'one class only',
        validationMetric: 0.75,
        iterationsToBest: 5,
        iterations: 9,
        precision: 'fp32',
      },
    ]);
    const [row]: Record<string, string>[] = parse(await readFile(path, 'utf8'), { columns: true });
    expect(row).toMatchObject({
      run_id: '0123456789abcdef',
      test_metric: '',
      undefined_reason: 'one class only',
      validation_metric: '0.75',
      iterations_to_best: '5',
      iterations_to_ri_best: '',
    });
  } finally {
    await rm(folder, { recursive: true });
  }
});
