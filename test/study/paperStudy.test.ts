/** The paper's study files: they resolve, they plan on the five public sets, and their runs are counted. */
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatCopies } from '../../scripts/format-copies/formatCopies.ts';
import { paperDataSets, paperModels } from '../../src/results/index.ts';
import { type Plan, prepareStudy, readStudy, type Study } from '../../src/study/index.ts';
import { listCachedWeights } from '../../src/weights/index.ts';

const studies = fileURLToPath(new URL('../../studies/', import.meta.url));
const DATA_SETS = 5;
const SEEDS = 5;

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'carryover-paper-'));
  process.env.CARRYOVER_WEIGHTS = join(folder, 'published');
  process.env.CARRYOVER_CACHE = join(folder, 'cache');
  await mkdir(join(folder, 'published'));
  // Planning hashes the checkpoints and reads no tensor.
  for (const { path } of await listCachedWeights()) await writeFile(path, path);
  const copies = {
    aptos2019: 'aptos2019:aptos2019',
    'cbis-ddsm': 'cbis-ddsm:cbis-ddsm-jpeg',
    isic2019: 'isic2019:isic2019',
    chexpert: 'chexpert:chexpert',
    'patch-camelyon': 'patch-camelyon:patch-camelyon',
  };
  for (const [name, copy] of Object.entries(copies)) {
    await formatCopies[copy]?.(join(folder, 'data', name));
  }
}, 120_000);
afterAll(async () => {
  delete process.env.CARRYOVER_WEIGHTS;
  delete process.env.CARRYOVER_CACHE;
  await rm(folder, { recursive: true, force: true });
});

/** The study file beside the data, as its comments say. */
async function planOf(name: string): Promise<{ study: Study; plan: Plan }> {
  const path = join(folder, name);
  await copyFile(join(studies, name), path);
  return prepareStudy(await readStudy(path), join(folder, 'runs'));
}

/** Random weights, and WT-ST-n/m for n from none to all modules (METHODS: modules). */
const sweep = (modules: number): number => 1 + modules + 1;
const [resnet, inception, transformer] = [6, 7, 14].map(sweep) as [number, number, number];

describe('the study of the paper', () => {
  it('has every run of the paper, and no other', async () => {
    const { study, plan } = await planOf('paper.yaml');
    const main = 2 * transformer + inception + resnet;
    const capacity = 2 * transformer + 2 * resnet;
    const depth = 1;
    const targets = DATA_SETS * (main + capacity + depth) * SEEDS;
    expect(targets).toBe(2450);
    const byRole = (role: string) => plan.runs.filter((run) => run.role === role);
    expect(byRole('target')).toHaveLength(targets);
    // ResNet-50 and DeiT-S on CheXpert, from random weights, statistics and weights.
    expect(byRole('variant')).toHaveLength(2 * 3 * SEEDS);
    expect(plan.runs).toHaveLength(targets + 30);
    expect(new Set(plan.runs.map(({ id }) => id)).size).toBe(plan.runs.length);

    expect(plan.data).toEqual(paperDataSets.map(({ id }) => id));
    expect(plan.models.slice(0, 4)).toEqual(paperModels.map(({ id }) => id));
    const of = (model: string) => plan.runs.filter((run) => run.model === model);
    expect(of('deit_small:5').map(({ init }) => init)).toEqual(Array(DATA_SETS * SEEDS).fill('wt'));
    const titles = new Set(of('resnet50').map(({ init }) => init));
    expect([...titles].sort()).toEqual(
      ['WT-ST-1/5', 'WT-ST-2/4', 'WT-ST-3/3', 'WT-ST-4/2', 'WT-ST-5/1', 'ri', 'st', 'wt'].sort(),
    );
    expect(study.analyses.map(({ measure }) => measure).sort()).toEqual([
      ...['attention', 'calibration', 'cka', 'convergence', 'knn', 'l2', 'reinit'],
    ]);
    expect(study.fid?.extractor).toBe('fid-inception');
  });

  it('has the learning rates of METHODS, to be found by the grid search', async () => {
    const { plan } = await planOf('paper-learning-rates.yaml');
    expect(plan.runs.every(({ role }) => role === 'grid')).toBe(true);
    expect(plan.runs).toHaveLength(DATA_SETS * 4 * 3 * 7);
    const rates = new Set(plan.runs.map(({ config }) => config.training.learningRate));
    expect([...rates]).toEqual([1e-5, 3.16e-5, 1e-4, 3.16e-4, 1e-3, 3.16e-3, 1e-2]);
  });

  it('trains with the settings of METHODS', async () => {
    const { plan } = await planOf('paper.yaml');
    const settings = new Set(
      plan.runs
        .filter(({ role }) => role === 'target')
        .map(({ config: { training } }) => {
          const { batchSize, learningRate, warmupIterations, schedule, patience, weightDecay } =
            training;
          return [
            batchSize,
            learningRate,
            warmupIterations,
            schedule,
            patience,
            weightDecay,
          ].join();
        }),
    );
    expect([...settings]).toEqual(['64,auto,1000,plateau,3,0.00001']);
  });
});
