import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeStudy, planRuns, readStudy, shareMachine } from '../../src/study/index.ts';
import { sourceTraining, targetTraining } from '../../src/study/study.ts';
import { RequestError } from '../../src/util/index.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'carryover-study-file-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function write(text: string): Promise<string> {
  await mkdir(join(folder, 'studies'), { recursive: true });
  const path = join(folder, 'studies', 'skin.yaml');
  await writeFile(path, text);
  return path;
}

const good = `
data:
  skin: folder:../data/skin
  eyes: { kind: folder, path: /data/eyes }
models:
  - deit_micro
  - model: resnet18_micro
    weights: ../weights/resnet.pth
repeats: 2
source:
  name: natural
  data: { kind: folder, path: ../data/natural }
  train: { maxEpochs: 50 }
  overrides:
    - { model: deit_micro, training: { learningRate: 0.001 } }
training: { maxEpochs: 10, batchSize: 32 }
overrides:
  - { init: ri, training: { learningRate: 0.0005 } }
  - { data: eyes, model: [deit_micro], training: { batchSize: 16 } }
`;

describe('a study file', () => {
  it('is read with defaults, absolute paths and the file’s name', async () => {
    const study = await readStudy(await write(good));
    expect(study).toMatchObject({
      name: 'skin',
      data: [
        { name: 'skin', spec: { kind: 'folder', path: join(folder, 'data/skin') } },
        { name: 'eyes', spec: { kind: 'folder', path: '/data/eyes' } },
      ],
      models: [
        { model: 'deit_micro' },
        { model: 'resnet18_micro', weights: join(folder, 'weights/resnet.pth') },
      ],
      inits: ['ri', 'st', 'wt'],
      seeds: [0, 1],
      sources: [{ name: 'natural', seed: 0, spec: { path: join(folder, 'data/natural') } }],
      parallel: 'auto',
    });
  });

  it('applies training settings in the order study, source or overrides', async () => {
    const study = await readStudy(await write(good));
    expect(sourceTraining(study, 'deit_micro')).toMatchObject({
      maxEpochs: 50,
      batchSize: 32,
      learningRate: 0.001,
      patience: 3,
    });
    expect(sourceTraining(study, 'resnet18_micro').learningRate).toBe('auto');
    const target = (data: string, init: 'ri' | 'wt') =>
      targetTraining(study, { data, model: 'deit_micro', init });
    expect(target('skin', 'ri')).toMatchObject({
      maxEpochs: 10,
      batchSize: 32,
      learningRate: 0.0005,
    });
    expect(target('eyes', 'wt')).toMatchObject({ batchSize: 16, learningRate: 'auto' });
  });

  it('says everything when written out, and means the same when read again', async () => {
    const study = await readStudy(await write(good));
    const described = describeStudy(study);
    expect(described.training).toMatchObject({ warmupIterations: 1000, clipNorm: 1 });
    const again = await readStudy(await write(JSON.stringify(described)));
    expect(describeStudy(again)).toEqual(described);
    const target = { data: 'skin', model: 'deit_micro', init: 'wt' } as const;
    expect(targetTraining(again, target)).toEqual(targetTraining(study, target));
  });

  const minimal = 'data: { skin: folder:skin }\nmodels: [resnet18_micro]\n';
  it.each([
    {
      name: 'an unknown key',
      text: `${minimal}inits: [ri]\nrepeat: 3\n`,
      message: /line 4: repeat: expected a known key, got "repeat" \(did you mean repeats\?/,
    },
    {
      name: 'an unknown training setting, deep down',
      text: `${minimal}inits: [ri]\ntraining:\n  batchsize: 32\n`,
      message:
        /line 5: training\.batchsize: expected a known key, got "batchsize" \(did you mean batchSize/,
    },
    {
      name: 'a setting in an override',
      text: `${minimal}inits: [ri]\noverrides:\n  - init: ri\n    training: { learningrate: 1 }\n`,
      message: /line 6: overrides\[0\]\.training\.learningrate: expected a known key/,
    },
    {
      name: 'a value of the wrong type',
      text: `${minimal}inits: [ri]\ntraining: { batchSize: many }\n`,
      message: /line 4: training\.batchSize: expected a .*number.*, got "many"/,
    },
    {
      name: 'an unknown model',
      text: 'data: { skin: folder:skin }\nmodels: [resnet81]\ninits: [ri]\n',
      message:
        /line 2: models\[0\]: expected one of resnet18.*, got "resnet81" \(did you mean resnet18/,
    },
    {
      name: 'an unknown initialisation',
      text: `${minimal}inits: [ri, wst]\n`,
      message:
        /line 3: inits\[1\]: expected one of wt, st, ri, wt-st or wt-st-<n> or an object, got "wst" \(did you mean (st|wt)/,
    },
    {
      name: 'an unknown key of a data set',
      text: 'data:\n  skin:\n    kind: csv\n    path: a.csv\n    labelcolumn: x\nmodels: [resnet18_micro]\ninits: [ri]\n',
      message: /line 5: data\.skin\.labelcolumn: expected a known key, got "labelcolumn"/,
    },
    {
      name: 'an override for nothing in the study',
      text: `${minimal}inits: [ri]\noverrides:\n  - { init: wt, training: {} }\n`,
      message:
        /line 5: overrides\[0\]\.init: expected an initialisation of this study \(ri\), got "wt"/,
    },
    {
      name: 'weight transfer from nowhere',
      text: `${minimal}inits: [ri, wt]\n`,
      message: /line 2: models\[0\]: expected weights: a checkpoint for wt, or a source/,
    },
    {
      name: 'a model named twice',
      text: 'data: { skin: folder:skin }\nmodels: [resnet18_micro, resnet18_micro]\ninits: [ri]\n',
      message: /line 2: models\[1\]: expected a model that is named once/,
    },
    {
      name: 'repeats and seeds',
      text: `${minimal}inits: [ri]\nrepeats: 2\nseeds: [3]\n`,
      message: /line 5: seeds: expected either repeats or seeds, got \[3\]/,
    },
    {
      name: 'no YAML',
      text: 'data: [\n',
      message: /line \d+: expected valid YAML/,
    },
    {
      name: 'an empty file',
      text: '',
      message: /expected/,
    },
  ])('is refused for $name, with the line', async ({ text, message }) => {
    const path = await write(text);
    const error = await readStudy(path).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(RequestError);
    const text_ = error instanceof Error ? error.message : '';
    expect(text_).toMatch(message);
    expect(text_.startsWith(path)).toBe(true);
    expect(text_).not.toContain('\n');
  });

  it('that is not there is one clear line', async () => {
    await expect(readStudy('/no/such.yaml')).rejects.toThrow(
      '/no/such.yaml: expected a study file, got no such file',
    );
  });
});

describe('WT-ST-n/m', () => {
  const initsOf = async (inits: string) => {
    const text = good.replace('repeats: 2', `seeds: [0]\ninits: ${inits}`);
    const study = await readStudy(await write(text.replace('init: ri', 'model: deit_micro')));
    const data = { identity: '', splits: '', samples: 1 };
    const { runs, initsOf: inPlan = {} } = planRuns(study, '/runs/skin', {
      data: new Map(['skin', 'eyes', 'natural'].map((name) => [name, { ...data, identity: name }])),
      weights: new Map(),
      cores: 1,
      hasGpu: false,
    });
    const configs = (model: string) =>
      runs
        .filter((run) => run.role === 'target' && run.model === model && run.data === 'skin')
        .map(({ init, config }) => [init, config.init]);
    return { inPlan, resnet: configs('resnet18_micro'), deit: configs('deit_micro'), runs, study };
  };

  it('is one run, with the paper’s label', async () => {
    const { resnet, deit, inPlan } = await initsOf('[ri, wt-st-5]');
    expect(resnet).toEqual([
      ['ri', 'ri'],
      ['WT-ST-5/1', 'wt-st-5'],
    ]);
    expect(deit[1]).toEqual(['WT-ST-5/3', 'wt-st-5']);
    expect(inPlan).toEqual({
      deit_micro: ['ri', 'WT-ST-5/3'],
      resnet18_micro: ['ri', 'WT-ST-5/1'],
    });
  });

  it('is every number of modules, none and all being st and wt, nothing twice', async () => {
    const { resnet, deit, runs } = await initsOf('[ri, st, wt, wt-st, wt-st-2, { wt_st: [0.5] }]');
    const titles = [1, 2, 3, 4, 5].map((keep) => `WT-ST-${keep}/${6 - keep}`);
    expect(resnet.map(([title]) => title)).toEqual(['ri', 'st', 'wt', ...titles]);
    expect(deit).toHaveLength(3 + 7);
    expect(new Set(runs.map(({ id }) => id)).size).toBe(runs.length);
    const plain = await initsOf('[ri, st, wt]');
    const ids = new Set(runs.map(({ id }) => id));
    expect(plain.runs.filter(({ id }) => !ids.has(id))).toEqual([]);
  });

  it('is shares of each model’s modules', async () => {
    const { resnet, deit, study } = await initsOf('[{ wt_st: [0, 0.3, 0.5, 1] }]');
    expect(resnet.map(([, init]) => init)).toEqual(['st', 'wt-st-2', 'wt-st-3', 'wt']);
    expect(deit.map(([, init]) => init)).toEqual(['st', 'wt-st-2', 'wt-st-4', 'wt']);
    expect(describeStudy(study).inits).toEqual([{ wt_st: [0, 0.3, 0.5, 1] }]);
  });

  it('is refused where a model has fewer modules, or the entry is none', async () => {
    await expect(initsOf('[wt-st-7]')).rejects.toThrow(
      /skin\.yaml, line \d+: inits: expected wt-st-0 to wt-st-6, the modules of resnet18_micro, got wt-st-7/,
    );
    await expect(initsOf('[{ wt_st: [2] }]')).rejects.toThrow(/inits.*at most 1/);
    await expect(initsOf('[{ wtst: [1] }]')).rejects.toThrow(
      /inits\[0\]\.wt_st: expected an array/,
    );
    await expect(initsOf('[wt-st, wt-st]')).rejects.toThrow('an initialisation that is named once');
  });

  it('takes one channel for some data sets, and how first convolutions come to it', async () => {
    const asked = (channels: number): string =>
      good.replace(
        'overrides:\n  - { init: ri',
        `initOptions: { firstConv: slice }\noverrides:\n  - { data: eyes, training: { inputChannels: ${channels} } }\n  - { init: ri`,
      );
    const study = await readStudy(await write(asked(1)));
    const channels = (data: string): number =>
      targetTraining(study, { data, model: 'deit_micro', init: 'wt' }).inputChannels;
    expect(study.initOptions.firstConv).toBe('slice');
    expect(['skin', 'eyes'].map(channels)).toEqual([3, 1]);
    await expect(readStudy(await write(asked(2)))).rejects.toThrow(
      /overrides\[0\]\.training\.inputChannels: expected one of 1, 3, got 2/,
    );
  });

  it('takes overrides of one n and of all', async () => {
    const overrides =
      '  - { init: wt-st, training: { batchSize: 8 } }\n  - { init: [wt-st-2, wt], training: { patience: 7 } }\n';
    const study = await readStudy(await write(`${good}${overrides}inits: [ri, wt-st]\n`));
    const target = (init: 'st' | 'wt' | 'wt-st-2' | 'wt-st-3') => {
      const { batchSize, patience } = targetTraining(study, {
        data: 'skin',
        model: 'deit_micro',
        init,
      });
      return [batchSize, patience];
    };
    expect(target('st')).toEqual([32, 3]);
    expect(target('wt-st-2')).toEqual([8, 7]);
    expect(target('wt-st-3')).toEqual([8, 3]);
    expect(target('wt')).toEqual([32, 7]);
  });
});

describe('a plan', () => {
  const facts = {
    data: new Map(
      ['skin', 'eyes', 'natural'].map((name) => [
        name,
        { identity: `images of ${name}`, splits: `splits of ${name}`, samples: 100 },
      ]),
    ),
    weights: new Map([['resnet18_micro', 'hash of weights']]),
    cores: 4,
    hasGpu: false,
  };
  const planOf = async (text: string, change: Partial<typeof facts> = {}) =>
    planRuns(await readStudy(await write(text)), '/runs/skin', { ...facts, ...change });

  it('has a source run for each model without weights, then seed by seed', async () => {
    const { runs } = await planOf(good);
    expect(runs).toHaveLength(1 + 2 * 2 * 2 * 3);
    const [source, ...targets] = runs;
    expect(source).toMatchObject({ role: 'source', data: 'natural', model: 'deit_micro' });
    expect(targets.slice(0, 12).every(({ seed }) => seed === 0)).toBe(true);
    const taught = targets.filter(({ model, init }) => model === 'deit_micro' && init !== 'ri');
    expect(taught).toHaveLength(8);
    for (const run of taught) {
      expect(run.source).toBe(source?.id);
      expect(run.config.weights).toBe(`/runs/skin/${source?.id}/best.safetensors`);
    }
    for (const { model, init, config, source: from } of targets) {
      if (init === 'ri') expect(config.weights).toBeUndefined();
      if (model === 'resnet18_micro') expect(from).toBeUndefined();
      if (model === 'resnet18_micro' && init !== 'ri') {
        expect(config.weights).toBe(join(folder, 'weights/resnet.pth'));
      }
    }
    expect(new Set(runs.map(({ id }) => id)).size).toBe(runs.length);
  });

  it('names a run by what determines its result and by nothing else', async () => {
    const ids = (plan: Awaited<ReturnType<typeof planOf>>) => plan.runs.map(({ id }) => id);
    const original = ids(await planOf(good));
    expect(ids(await planOf(`${good}\nparallel: 1\nthreads: 3\n`))).toEqual(original);
    expect(ids(await planOf(good, { cores: 64 }))).toEqual(original);
    const changed = ids(await planOf(good.replace('maxEpochs: 50', 'maxEpochs: 51')));
    const plan = await planOf(good);
    plan.runs.forEach((run, at) => {
      // A longer source training changes the source run and all that start from it, nothing else.
      const depends = run.role === 'source' || run.source !== undefined;
      expect(changed[at] === original[at], `run ${at}`).toBe(!depends);
    });
    const otherWeights = ids(
      await planOf(good, { weights: new Map([['resnet18_micro', 'other']]) }),
    );
    plan.runs.forEach((run, at) => {
      const depends = run.model === 'resnet18_micro' && run.init !== 'ri';
      expect(otherWeights[at] === original[at], `run ${at}`).toBe(!depends);
    });
  });

  it('refuses two names for the same images', async () => {
    const same = { identity: 'same', splits: 'same', samples: 100 };
    const data = new Map([...facts.data, ['skin', same], ['eyes', same]] as const);
    await expect(planOf(good, { data })).rejects.toThrow(/skin and eyes, which are the same/);
  });

  it('shares the machine out', () => {
    const auto = { parallel: 'auto', threads: 'auto' } as const;
    const cpu = { cores: 8, usesGpu: false };
    expect(shareMachine(100, auto, cpu)).toEqual({ parallel: 8, threads: 1 });
    expect(shareMachine(2, auto, cpu)).toEqual({ parallel: 2, threads: 4 });
    expect(shareMachine(100, auto, { cores: 8, usesGpu: true })).toEqual({
      parallel: 1,
      threads: 8,
    });
    expect(shareMachine(100, { parallel: 3, threads: 'auto' }, cpu)).toEqual({
      parallel: 3,
      threads: 2,
    });
    expect(shareMachine(100, { parallel: 1, threads: 5 }, cpu)).toEqual({
      parallel: 1,
      threads: 5,
    });
  });
});
