/** The choice of a learning rate: by the mean validation metric over seeds, and by nothing else. */
import { describe, expect, it } from 'vitest';
import { Output } from '../../src/cli/output.ts';
import { showReport } from '../../src/cli/studyText.ts';
import type { ResultRow } from '../../src/results/index.ts';
import { chooseRates, formatRates, GRID_VARIANT } from '../../src/study/index.ts';
import { row } from './resultRows.ts';

const at = (learningRate: number, validationMetric: number | undefined, more: Partial<ResultRow>) =>
  row({ variant: GRID_VARIANT, learningRate, validationMetric, ...more });

describe('the best learning rate', () => {
  const rows = [
    // The highest mean is at 1e-4, the highest single value and the best test metric elsewhere.
    at(1e-5, 0.5, { init: 'ri', testMetric: 0.99 }),
    at(1e-4, 0.75, { init: 'ri', seed: 0 }),
    at(1e-4, 0.5, { init: 'ri', seed: 1 }),
    at(1e-3, 0.8, { init: 'ri', seed: 0 }),
    at(1e-3, 0.4, { init: 'ri', seed: 1 }),
    at(1e-5, 0.9, { init: 'wt' }),
    at(1e-4, undefined, { init: 'wt' }),
    // No part of the grid.
    row({ init: 'ri', learningRate: 1e-5, validationMetric: 1 }),
  ];

  it('has the highest mean over seeds', () => {
    const [ri, wt] = chooseRates(rows);
    expect(ri?.best).toMatchObject({ learningRate: 1e-4, validation: 0.625, runs: 2 });
    expect(ri?.best?.deviation).toBeCloseTo(Math.sqrt(2) / 8, 12);
    expect(ri?.note).toBeUndefined();
    expect(wt).toMatchObject({
      best: { learningRate: 1e-5 },
      note: 'at the end of the grid; not finished: 0.001',
    });
  });

  it('is the lower of two that are as good', () => {
    const [choice] = chooseRates([at(1e-3, 0.5, {}), at(1e-4, 0.5, {})]);
    expect(choice?.best?.learningRate).toBe(1e-4);
  });

  it('stands in learning-rates.csv with the metric at every rate', () => {
    const [columns, ri] = formatRates(chooseRates(rows)).split('\n');
    expect(columns).toBe(
      'data,model,init,best_learning_rate,metric,validation_metric,sd,runs,note,at 0.00001,at 0.0001,at 0.001',
    );
    expect(ri).toMatch(/^skin,resnet18,ri,0\.0001,recall,0\.625,0\.1767.*,2,,0\.5,0\.625,0\.6/);
    expect(formatRates(chooseRates([]))).not.toContain('NaN');
  });

  it('is printed below the table', () => {
    let printed = '';
    const output = new Output({ json: false, stdout: { write: (text) => (printed += text) } });
    const rates = chooseRates([...rows, at(3.16e-4, 0.9, { init: 'st' })]);
    showReport({ columns: ['data'], rows: [], notes: [] }, { states: [], rates }, output);
    const lines = printed.split('\n').map((line) => line.trim().split(/ {2,}/).slice(0, 5));
    expect(lines).toContainEqual(['skin', 'resnet18', 'ri', '0.0001', '0.625']);
    expect(lines.find(([, , init]) => init === 'st')?.[3]).toBe('0.000316');
    expect(printed).toContain('at the end of the grid; not finished: 0.000316 0.001');
  });
});
