/** What a study cost: sums over runs, and nothing where a sum would be too little. */
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type Plan, readSummary } from '../../src/study/index.ts';
import { writeSyntheticStudy } from './syntheticStudy.ts';

async function study(results: readonly object[]): Promise<Plan> {
  const folder = await mkdtemp(join(tmpdir(), 'carryover-cost-'));
  const plan = writeSyntheticStudy(folder, {
    data: ['isic2019'],
    models: ['resnet18', 'deit_tiny'],
    inits: ['wt'],
    seeds: 1,
  });
  results.forEach((change, at) => {
    const path = join(folder, plan.runs[at]?.id ?? '', 'run.json');
    const record = JSON.parse(readFileSync(path, 'utf8'));
    Object.assign(record.result, change);
    writeFileSync(path, JSON.stringify(record));
  });
  return plan;
}

const first = { wallSeconds: 100, trainingSeconds: 80, evaluationSeconds: 12, savingSeconds: 3 };
const second = { wallSeconds: 300, trainingSeconds: 200, evaluationSeconds: 40, savingSeconds: 5 };

/** The parts of a run's time. */
const without = ({ wallSeconds: _, ...parts }: typeof first) => parts;

it('is the sum of the runs, the device weighed by their time', async () => {
  const { cost } = await readSummary(
    await study([
      { ...first, deviceUtilisation: 0.5 },
      { ...second, deviceUtilisation: 0.9 },
    ]),
  );
  expect(cost).toMatchObject({
    runs: 2,
    runSeconds: 400,
    trainingSeconds: 280,
    evaluationSeconds: 52,
    savingSeconds: 8,
  });
  // (0.5 × 100 + 0.9 × 300) / 400
  expect(cost.deviceUtilisation).toBeCloseTo(0.8, 12);
  expect(cost.byModel).toMatchObject([
    { model: 'resnet18', runs: 1, runSeconds: 100, ...without(first), deviceUtilisation: 0.5 },
    { model: 'deit_tiny', runs: 1, runSeconds: 300, ...without(second), deviceUtilisation: 0.9 },
  ]);
});

it('has no sum of what a run from before did not count', async () => {
  const { cost, rows } = await readSummary(await study([{ ...first, deviceUtilisation: 0.5 }]));
  expect(cost.trainingSeconds).toBeGreaterThan(80);
  expect(cost).not.toHaveProperty('evaluationSeconds');
  expect(cost).not.toHaveProperty('savingSeconds');
  expect(cost.deviceUtilisation).toBe(0.5);
  expect(rows.map(({ evaluationSeconds }) => evaluationSeconds)).toEqual([12, undefined]);
});
