/** The axes of a study: sizes of data sets, sources, variants, the learning-rate grid. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import {
  describeStudy,
  formatStudy,
  initLabel,
  planRuns,
  readStudy,
  runTitle,
  tableRows,
} from '../../src/study/index.ts';
import { gridRates } from '../../src/study/study.ts';
import { row as resultRow } from './resultRows.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'carryover-axes-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const base = {
  data: { skin: 'folder:skin' },
  models: ['resnet18_micro'],
  repeats: 2,
  source: { name: 'natural', data: 'folder:natural' },
};

async function read(change: Record<string, unknown>) {
  const path = join(folder, 'study.yaml');
  await writeFile(path, stringify({ ...base, ...change }));
  return readStudy(path);
}

async function planOf(change: Record<string, unknown>, hashes: [string, string][] = []) {
  const study = await read(change);
  const names = [...study.data, ...study.sources].map(({ name }) => name);
  const plan = planRuns(study, '/runs/study', {
    data: new Map(
      names.map((name) => [name, { identity: name.split('@')[0] ?? '', splits: name, samples: 9 }]),
    ),
    weights: new Map(hashes),
    cores: 1,
    hasGpu: false,
  });
  return { study, plan, targets: plan.runs.filter(({ role }) => role === 'target') };
}

describe('sizes of a data set', () => {
  const sized = { kind: 'folder', path: 'skin', n_train: [50, 500, 'all'] };

  it('make a data set of each, the whole under its own name', async () => {
    const { study, plan } = await planOf({ data: { skin: sized } });
    expect(study.data).toEqual([
      {
        name: 'skin@50',
        spec: { kind: 'folder', path: join(folder, 'skin'), nTrain: 50 },
        partOf: 'skin',
      },
      {
        name: 'skin@500',
        spec: { kind: 'folder', path: join(folder, 'skin'), nTrain: 500 },
        partOf: 'skin',
      },
      { name: 'skin', spec: { kind: 'folder', path: join(folder, 'skin') } },
    ]);
    expect(plan.partOf).toEqual({ 'skin@50': 'skin', 'skin@500': 'skin' });
    expect(plan.runs).toHaveLength(1 + 3 * 3 * 2);
  });

  it('may be fractions, of which 1 is the whole', async () => {
    const fraction = [0.1, 1];
    const { study } = await planOf({ data: { skin: { kind: 'folder', path: 'skin', fraction } } });
    expect(study.data.map(({ name }) => name)).toEqual(['skin@0.1', 'skin']);
    expect(study.data[0]?.spec.fraction).toBe(0.1);
  });

  it('leave a single size what it was: the data set itself', async () => {
    const { study, plan } = await planOf({ data: { skin: { ...sized, n_train: 50 } } });
    expect(study.data.map(({ name, spec }) => [name, spec.nTrain])).toEqual([['skin', 50]]);
    expect(plan.partOf).toBeUndefined();
  });

  it('are overridden together by the family’s name, or one by its own', async () => {
    const overrides = [
      { data: 'skin', training: { batchSize: 16 } },
      { data: 'skin@50', training: { batchSize: 8 } },
    ];
    const { targets } = await planOf({ data: { skin: sized }, inits: ['ri'], overrides });
    const sizes = targets.map(({ data, config }) => [data, config.training.batchSize]);
    expect(new Map(sizes as [string, number][])).toEqual(
      new Map([
        ['skin@50', 8],
        ['skin@500', 16],
        ['skin', 16],
      ]),
    );
  });
});

describe('initialisations of one model', () => {
  it('take the place of the study’s', async () => {
    const models = ['resnet18_micro', { model: 'deit_micro', inits: ['wt', 'wt-st-2'] }];
    const { plan, targets } = await planOf({ models, repeats: 1 });
    expect(plan.initsOf).toEqual({
      resnet18_micro: ['ri', 'st', 'wt'],
      deit_micro: ['wt', 'WT-ST-2/6'],
    });
    expect(targets).toHaveLength(5);
    const overrides = [{ init: 'wt-st-2', training: { batchSize: 8 } }];
    expect((await planOf({ models, overrides })).targets).toHaveLength(10);
  });

  it('need no source where they are random', async () => {
    const models = [{ model: 'deit_micro', inits: ['ri'] }];
    const { plan } = await planOf({ models });
    expect(plan.runs.map(({ role }) => role)).toEqual(['target', 'target']);
  });
});

describe('several sources', () => {
  const sources = [
    { name: 'natural', data: 'folder:natural' },
    { name: 'xray', data: 'folder:xray', train: { maxEpochs: 3 } },
  ];

  it('are a setting of their own for all but random weights', async () => {
    const { plan, targets } = await planOf({ source: undefined, sources });
    expect(plan.runs.filter(({ role }) => role === 'source').map(({ data }) => data)).toEqual([
      'natural',
      'xray',
    ]);
    // Two seeds of RI, and of ST and WT from each source.
    expect(targets).toHaveLength(2 * (1 + 2 * 2));
    expect(targets.slice(0, 5).map(initLabel)).toEqual([
      'ri',
      'st from natural',
      'st from xray',
      'wt from natural',
      'wt from xray',
    ]);
    expect(targets[1] && runTitle(targets[1])).toBe('skin resnet18_micro st from natural seed 0');
    const byId = new Map(plan.runs.map((run) => [run.id, run]));
    for (const { from, source } of targets.filter(({ init }) => init !== 'ri')) {
      expect(byId.get(source ?? '')?.data).toBe(from);
    }
    expect(plan.models).toEqual(['resnet18_micro from natural', 'resnet18_micro from xray']);
  });

  it('do not change the runs that a study of one of them has', async () => {
    const one = await planOf({});
    const two = await planOf({ source: undefined, sources });
    const ids = new Set(two.plan.runs.map(({ id }) => id));
    expect(one.plan.runs.filter(({ id }) => !ids.has(id))).toEqual([]);
    expect(one.targets.every(({ from }) => from === undefined)).toBe(true);
  });

  it('stand in tables by model, random weights beside each', async () => {
    const { plan } = await planOf({ source: undefined, sources });
    const rows = [
      resultRow({ model: 'resnet18_micro', init: 'ri' }),
      resultRow({ model: 'resnet18_micro', init: 'wt', source: 'xray' }),
      resultRow({ model: 'resnet18_micro', init: 'wt', source: 'xray', variant: 'constant' }),
      resultRow({ model: 'resnet18_micro', init: 'source' }),
    ];
    expect(tableRows(rows, plan).map(({ model, init }) => [model, init])).toEqual([
      ['resnet18_micro from natural', 'ri'],
      ['resnet18_micro from xray', 'ri'],
      ['resnet18_micro from xray', 'wt'],
    ]);
    expect(tableRows(rows, {}).map(({ model }) => model)).toEqual([
      'resnet18_micro',
      'resnet18_micro',
    ]);
  });

  it('may be checkpoints by model, of which the study trains none', async () => {
    const given = [
      { name: 'ours', weights: { resnet18_micro: 'ours.pth' } },
      { name: 'theirs', weights: { resnet18_micro: 'theirs.pth' } },
    ];
    const { plan, targets } = await planOf({ source: undefined, sources: given }, [
      ['ours/resnet18_micro', 'hash a'],
      ['theirs/resnet18_micro', 'hash b'],
    ]);
    expect(plan.runs.filter(({ role }) => role === 'source')).toEqual([]);
    expect(targets.filter(({ init }) => init === 'wt').map(({ config }) => config.weights)).toEqual(
      ['ours', 'theirs', 'ours', 'theirs'].map((name) => join(folder, `${name}.pth`)),
    );
    await expect(
      planOf({ source: undefined, sources: given }, [
        ['ours/resnet18_micro', 'same'],
        ['theirs/resnet18_micro', 'same'],
      ]),
    ).rejects.toThrow(/sources: expected sources that differ, got ours and theirs/);
  });

  it('take overrides by name', async () => {
    const overrides = [{ source: 'xray', training: { batchSize: 7 } }];
    const { targets } = await planOf({ source: undefined, sources, overrides });
    for (const { from, config } of targets) {
      expect(config.training.batchSize).toBe(from === 'xray' ? 7 : 64);
    }
  });
});

describe('variants', () => {
  const variants = [
    {
      name: 'constant',
      inits: ['wt', 'ri'],
      seeds: [0],
      training: { schedule: 'constant', maxEpochs: 20 },
    },
  ];

  it('are runs of their own, beside the study’s and of the same settings but theirs', async () => {
    const plain = await planOf({});
    const { plan } = await planOf({ variants });
    const added = plan.runs.filter(({ role }) => role === 'variant');
    expect(plan.runs.filter(({ role }) => role !== 'variant')).toEqual(plain.plan.runs);
    expect(added.map(initLabel)).toEqual(['wt, constant', 'ri, constant']);
    for (const { config, variant, seed } of added) {
      expect([variant, seed]).toEqual(['constant', 0]);
      expect(config.training).toMatchObject({ schedule: 'constant', maxEpochs: 20, batchSize: 64 });
    }
  });

  it('may be all that a study runs', async () => {
    const { plan } = await planOf({ repeats: 0, variants });
    expect(plan.runs.map(({ role }) => role)).toEqual(['source', 'variant', 'variant']);
    await expect(planOf({ repeats: 0 })).rejects.toThrow(
      /repeats: expected at least 1 where there are no variants/,
    );
  });

  it('that change nothing are refused', async () => {
    const same = [{ name: 'same', training: { batchSize: 64 } }];
    await expect(planOf({ variants: same })).rejects.toThrow(
      /variants: expected training settings that the study’s other runs do not have, got same and the study’s own/,
    );
  });
});

describe('a learning-rate grid', () => {
  const learningRateGrid = { min: 1e-5, max: 1e-2, points: 4, epochs: 3 };

  it('has rates in equal ratios', () => {
    expect(gridRates(learningRateGrid)).toEqual([1e-5, 1e-4, 1e-3, 1e-2]);
    expect(gridRates({ min: 1e-4, max: 1e-3, points: 3 })).toEqual([1e-4, 3.16e-4, 1e-3]);
  });

  it('is a run of every data set, model, initialisation, seed and rate', async () => {
    const { plan, targets } = await planOf({
      inits: ['ri', 'wt', 'wt-st'],
      learningRateGrid: { ...learningRateGrid, seeds: [0, 1] },
    });
    const grid = plan.runs.filter(({ role }) => role === 'grid');
    // RI, ST and WT; WT-ST-n/m is left out.
    expect(grid).toHaveLength(3 * 2 * 4);
    expect(targets.length).toBe(2 * 8);
    expect(grid.slice(0, 3).map(initLabel)).toEqual([
      'ri at 0.00001',
      'wt at 0.00001',
      'st at 0.00001',
    ]);
    expect(new Set(grid.map(({ config }) => config.training.maxEpochs))).toEqual(new Set([3]));
  });
});

describe('a study with everything', () => {
  it('means the same when written out and read again', async () => {
    const study = await read({
      description: 'everything',
      data: { skin: { kind: 'folder', path: 'skin', nTrain: [50, 'all'] }, eyes: 'folder:eyes' },
      models: ['resnet18_micro', 'deit_micro'],
      inits: ['ri', 'wt', { wt_st: [0.5] }],
      source: undefined,
      sources: [
        { name: 'natural', data: 'folder:natural', overrides: [] },
        { name: 'ours', weights: { resnet18_micro: 'a.pth', deit_micro: 'b.pth' } },
      ],
      overrides: [{ init: 'wt-st', source: 'ours', data: 'skin', training: { batchSize: 8 } }],
      training: { augment: { horizontalFlip: 0 } },
      analyses: [
        'l2',
        { knn: { k: 50, probe: true, inits: ['wt'], seeds: [0] } },
        { fid: { extractor: 'fid-inception', weights: 'inception.pth', data: 'eyes' } },
      ],
      variants: [{ name: 'constant', data: 'eyes', training: { schedule: 'constant' } }],
      learningRateGrid: { min: 1e-4, max: 1e-3, points: 2, epochs: 1, models: ['deit_micro'] },
    });
    const text = formatStudy(study);
    const path = join(folder, 'again.yaml');
    await writeFile(path, text);
    const again = await readStudy(path);
    expect(describeStudy(again)).toEqual(describeStudy(study));
    const { file, training } = study;
    expect({ ...again, file, training }).toEqual(study);
    expect(study.analyses[1]?.options).toMatchObject({ k: 50, votes: 'exponential', probe: true });
    expect(study.training.augment).toEqual({ horizontalFlip: 0 });
  });
});
