/** What a study file is refused for: one line with file, line, key and the names that would be right. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readStudy } from '../../src/study/index.ts';
import { RequestError } from '../../src/util/index.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'carryover-errors-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function write(text: string): Promise<string> {
  const path = join(folder, 'study.yaml');
  await writeFile(path, text);
  return path;
}

/** Four lines. */
const base = `data: { skin: folder:skin }
models: [resnet18_micro, deit_micro]
source: { name: natural, data: folder:natural }
repeats: 2
`;

/** The message of what reading `text` is refused with, without the path in front. */
async function refusal(text: string): Promise<string> {
  const path = await write(text);
  const error = await readStudy(path).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof RequestError)) throw new Error(`refused otherwise: ${String(error)}`);
  expect(error.message).not.toContain('\n');
  expect(error.message.startsWith(path)).toBe(true);
  return error.message.slice(path.length);
}

describe('a study file is refused', () => {
  it.each([
    [
      'an unknown kind of data set',
      base.replace('folder:skin', 'flder:skin'),
      ', line 1: data.skin: expected a kind of data set: ',
    ],
    [
      'a data set without a kind',
      base.replace('folder:natural', 'natural'),
      ', line 3: source.data: expected kind:path, got "natural"',
    ],
    [
      'more modules than a model has',
      `${base}inits: [ri, wt-st-7]\n`,
      ', line 5: inits: expected wt-st-0 to wt-st-6, the modules of resnet18_micro, got wt-st-7',
    ],
    [
      'a key twice',
      `${base}repeats: 3\n`,
      ', line 5: expected each key once, got "repeats" a second time',
    ],
    [
      'a wrong model in an override',
      `${base}overrides:\n  - { model: deit_mikro, training: {} }\n`,
      ', line 6: overrides[0].model: expected a model of this study (resnet18_micro, deit_micro), got "deit_mikro" (did you mean deit_micro?)',
    ],
    [
      'a wrong model in a source’s override',
      base.replace(
        'folder:natural',
        'folder:natural, overrides: [{ model: resnet50, training: {} }]',
      ),
      ', line 3: source.overrides[0].model: expected a model of this study (resnet18_micro, deit_micro), got "resnet50"',
    ],
    [
      'an unknown measure',
      `${base}analyses: [kann]\n`,
      ', line 5: analyses[0]: expected one of knn, cka, l2, reinit, attention, convergence, calibration',
    ],
    [
      'an unknown option of a measure',
      `${base}analyses:\n  - cka:\n      bach: 64\n`,
      ', line 7: analyses[0].cka.bach: expected a known key, got "bach" (did you mean batch',
    ],
    [
      'a wrong option of a measure',
      `${base}analyses:\n  - cka:\n      estimator: mean\n`,
      ', line 7: analyses[0].cka.estimator: expected one of ratio-of-means, mean-of-ratios, got "mean"',
    ],
    [
      'a batch that is too small',
      `${base}analyses: [{ cka: { batch: 2 } }]\n`,
      ', line 5: analyses[0].cka.batch: expected at least 4, got 2',
    ],
    [
      'an analysis of another initialisation',
      `${base}analyses: [{ l2: { inits: [wt-st] } }]\n`,
      ', line 5: analyses[0].l2.inits: expected an initialisation of this study (ri, st, wt), got',
    ],
    [
      'an analysis of another seed',
      `${base}analyses: [{ l2: { seeds: [0, 2] } }]\n`,
      ', line 5: analyses[0].l2.seeds[1]: expected a seed of this study (0, 1), got 2',
    ],
    [
      'a measure twice',
      `${base}analyses: [l2, { l2: { seeds: 0 } }]\n`,
      ', line 5: analyses[1]: expected a measure that is named once',
    ],
    [
      'two measures in one entry',
      `${base}analyses: [{ l2: {}, knn: {} }]\n`,
      ', line 5: analyses[0]: expected one measure an entry',
    ],
    [
      'FID of nothing',
      'data: { skin: folder:skin }\nmodels: [resnet18_micro]\ninits: [ri]\nanalyses: [{ fid: { extractor: torchvision, weights: a.pth } }]\n',
      ', line 4: analyses[0].fid: expected source: a data set or an .npz file',
    ],
    [
      'source and sources',
      `${base}sources: [{ name: a, data: folder:a }]\n`,
      ', line 5: sources: expected either source or sources',
    ],
    [
      'a source twice',
      base.replace(
        'source: { name: natural, data: folder:natural }',
        'sources: [{ data: folder:a }, { data: folder:b }]',
      ),
      ', line 3: sources[1].name: expected a source that is named once',
    ],
    [
      'a source of nothing',
      base.replace(', data: folder:natural', ''),
      ', line 3: source: expected data to train on, or weights',
    ],
    [
      'a source’s checkpoints that are not all',
      base.replace('data: folder:natural', 'weights: { deit_micro: a.pth }'),
      ', line 3: source.weights: expected a checkpoint of resnet18_micro too, or data',
    ],
    [
      'a wrong source in an override',
      `${base}overrides:\n  - { source: naturel, training: {} }\n`,
      ', line 6: overrides[0].source: expected a source of this study (natural), got "naturel" (did you mean natural?)',
    ],
    [
      'a size twice',
      base.replace('folder:skin', '{ kind: folder, path: skin, nTrain: [5, 5] }'),
      ', line 1: data.skin.nTrain[1]: expected a size that is named once',
    ],
    [
      'a size that is none',
      base.replace('folder:skin', '{ kind: folder, path: skin, nTrain: [5, al] }'),
      ', line 1: data.skin.nTrain',
    ],
    [
      'fractions and sizes',
      base.replace('folder:skin', '{ kind: folder, path: skin, nTrain: [5], fraction: 0.5 }'),
      ', line 1: data.skin.fraction: expected fraction or nTrain, not both',
    ],
    [
      'a wrong name of a data set',
      base.replace('skin:', '"skin folder":'),
      ', line 1: data.skin folder: expected a name of letters, digits',
    ],
    [
      'a variant without a name',
      `${base}variants: [{ training: { schedule: constant } }]\n`,
      ', line 5: variants[0].name: expected a string, got nothing',
    ],
    [
      'a variant of the study’s own settings',
      `${base}variants: [{ name: a, training: {} }]\n`,
      ', line 5: variants[0].training: expected settings that differ',
    ],
    [
      'a variant of another data set',
      `${base}variants: [{ name: a, data: eyes, training: { patience: 1 } }]\n`,
      ', line 5: variants[0].data: expected a data set of this study (skin), got',
    ],
    [
      'a wrong setting of a variant',
      `${base}variants:\n  - name: a\n    training:\n      shedule: constant\n`,
      ', line 8: variants[0].training.shedule: expected a known key, got "shedule" (did you mean schedule?)',
    ],
    [
      'a grid the wrong way round',
      `${base}learningRateGrid: { min: 1, max: 0.1, points: 3, epochs: 1 }\n`,
      ', line 5: learningRateGrid.max: expected more than min, got 0.1',
    ],
    [
      'a grid of one point',
      `${base}learningRateGrid: { min: 0.1, max: 1, points: 1, epochs: 1 }\n`,
      ', line 5: learningRateGrid.points: expected at least 2, got 1',
    ],
    [
      'a grid with another rate',
      `${base}learningRateGrid: { min: 0.1, max: 1, points: 2, epochs: 1, training: { learningRate: 1 } }\n`,
      ', line 5: learningRateGrid.training.learningRate: expected none: the grid’s own min and max say it',
    ],
    [
      'a wrong setting of random changes',
      `${base}training:\n  augment:\n    colorJitter: false\n`,
      ', line 7: training.augment.colorJitter: expected a known key, got "colorJitter" (did you mean colourJitter?)',
    ],
    [
      'a strength that is none',
      `${base}training: { augment: { horizontalFlip: 2 } }\n`,
      ', line 5: training.augment.horizontalFlip: expected at most 1, got 2',
    ],
    ['an alias of nothing', `${base}training: *none\n`, ': expected aliases (*name) of anchors'],
    ['a bracket that is not closed', `${base}overrides: [\n`, ', line 6: expected valid YAML'],
  ])('for %s', async (_, text, message) => {
    expect(await refusal(text)).toContain(message);
  });

  it('not for anchors, aliases and merge keys, whose errors say where they are', async () => {
    const merged = (key: string) => `${base}training: &base
  ${key}: 8
overrides:
  - init: ri
    training:
      <<: *base
      patience: 7
`;
    const study = await readStudy(await write(merged('batchSize')));
    expect(study.overrides[0]?.training).toEqual({ batchSize: 8, patience: 7 });
    expect(await refusal(merged('batchsize'))).toContain(', line 6: training.batchsize');
  });
});
