/** Configurations from options and settings, and what `auto` comes to. */
import { describe, expect, it } from 'vitest';
import { runConfigSchema } from '../../src/results/index.ts';
import { availableCores, cudaDeviceCount } from '../../src/tensor/index.ts';
import { applySettings, parseRunConfig } from '../../src/train/config.ts';
import {
  evaluationIsDue,
  resolveMachine,
  resolveMaxIterations,
  resolveOptimiser,
  resolveSizes,
} from '../../src/train/resolve.ts';

const minimal = { data: { kind: 'folder', path: 'pictures' }, model: 'resnet18_micro', init: 'ri' };
const parsed = (extra: object = {}) => runConfigSchema.parse({ ...minimal, ...extra });
const checked = (extra: object) => parseRunConfig({ ...minimal, ...extra }, { where: 'run' });

describe('--set', () => {
  it('sets dotted keys, with the training settings by their own name too', () => {
    const config = applySettings(minimal, [
      'training.patience=5',
      'maxEpochs=7',
      'training.learningRate=3e-4',
      'seed=4',
      'initOptions.norm=sample',
      'clipNorm=null',
      'augment={hue: 0}',
      'data.metric=auc',
    ]);
    expect(config).toEqual({
      ...minimal,
      data: { ...minimal.data, metric: 'auc' },
      seed: 4,
      initOptions: { norm: 'sample' },
      training: {
        patience: 5,
        maxEpochs: 7,
        learningRate: 0.0003,
        clipNorm: null,
        augment: { hue: 0 },
      },
    });
    expect(minimal.data).not.toHaveProperty('metric');
  });

  it('lets the last of two settings win', () => {
    const config = applySettings(minimal, ['patience=1', 'training.patience=2']);
    expect(config.training).toEqual({ patience: 2 });
  });

  it('names the nearest of an unknown key', () => {
    expect(() => applySettings(minimal, ['patienc=5'])).toThrow(
      /--set patienc: expected a known key, got "patienc" \(did you mean .*patience/,
    );
    expect(() => applySettings(minimal, ['trainin.patience=5'])).toThrow(/training\.patience/);
    const typo = applySettings(minimal, ['training.patienc=5']);
    expect(() => parseRunConfig(typo, { where: 'carryover train' })).toThrow(
      'carryover train: training.patienc: expected a known key',
    );
  });

  it('rejects what is no setting', () => {
    expect(() => applySettings(minimal, ['patience'])).toThrow('expected key=value, got no "="');
    expect(() => applySettings(minimal, ['=5'])).toThrow('got no key');
    expect(() => applySettings(minimal, ['seed.x=5', 'seed.x.y=6'])).toThrow('keys of its own');
    expect(() => applySettings(minimal, ['patience=[1'])).toThrow('expected a YAML value');
  });
});

describe('a parsed configuration', () => {
  it('has absolute paths, from where it was written', () => {
    const config = parseRunConfig(
      { ...minimal, init: 'wt', weights: 'w.pth', splitsFile: 's.csv' },
      { where: 'run.yaml', base: '/studies' },
    );
    expect(config).toMatchObject({
      data: { path: '/studies/pictures' },
      weights: '/studies/w.pth',
      splitsFile: '/studies/s.csv',
    });
  });

  it('takes the data set as kind:path too', () => {
    const config = parseRunConfig({ ...minimal, data: 'folder:here' }, { where: 'x', base: '/b' });
    expect(config.data).toMatchObject({ kind: 'folder', path: '/b/here' });
  });

  it('wants a checkpoint for what is transferred', () => {
    expect(() => parseRunConfig({ ...minimal, init: 'wt' }, { where: 'run' })).toThrow(
      'run: weights: expected a checkpoint for init "wt", got none',
    );
  });

  it('takes shares of the modules, and sends sweeps to studies', () => {
    const init = (share: unknown) => checked({ init: { wt_st: share }, weights: 'w' }).init;
    expect([0, 0.5, 0.4, [1]].map(init)).toEqual(['st', 'wt-st-3', 'wt-st-2', 'wt']);
    expect(() => init([0, 0.5])).toThrow('got 2 shares (a study runs several');
    for (const share of [-0.1, 1.1, 'half', null]) {
      expect(() => init(share), String(share)).toThrow('a share of the modules from 0 to 1');
    }
    expect(() => checked({ init: 'wt-st', weights: 'w' })).toThrow('inits: [wt-st]');
  });

  it('has options of the initialisation and channels, checked', () => {
    const { initOptions, training } = checked({});
    expect({ initOptions, channels: training.inputChannels }).toEqual({
      initOptions: { norm: 'reset', tokens: 'sample', kaiming: false, firstConv: 'sum' },
      channels: 3,
    });
    expect(() => checked({ initOptions: { first_conv: 'slice' } })).toThrow(
      'did you mean firstConv',
    );
    expect(() => checked({ training: { inputChannels: 2 } })).toThrow('inputChannels: expected');
    expect(() => checked({ initOptions: { firstConv: 'mean' } })).toThrow('firstConv: expected');
  });

  it('takes wt-st-n, with none and all modules under their other names', () => {
    const init = (text: string) =>
      parseRunConfig({ ...minimal, init: text, weights: 'w' }, { where: 'run' }).init;
    expect(['wt-st-0', 'wt-st-5', 'wt-st-6'].map(init)).toEqual(['st', 'wt-st-5', 'wt']);
    expect(() => init('wt-st-7')).toThrow(
      /: init: expected wt-st-0 to wt-st-6, the modules of resnet18_micro, got wt-st-7 \(carryover models/,
    );
    for (const text of ['wt-st-', 'wt-st-05', 'wt-st--1', 'wt-st-1.5']) {
      expect(() => init(text), text).toThrow('init: expected one of wt, st, ri or wt-st-<n>');
    }
    expect(() => parseRunConfig({ ...minimal, init: 'wt-st-2' }, { where: 'run' })).toThrow(
      'a checkpoint for init "wt-st-2", got none',
    );
    expect(resolveOptimiser(parsed({ init: 'wt-st-2', weights: 'w' }), 'cnn').learningRate).toBe(
      1e-4,
    );
  });

  it('rejects an unknown kind of data', () => {
    expect(() => parseRunConfig({ ...minimal, data: 'foldr:x' }, { where: 'run' })).toThrow(
      /did you mean folder/,
    );
  });
});

describe('what auto comes to', () => {
  it('is Adam for CNNs, AdamW for transformers, and a larger rate for random weights', () => {
    expect(resolveOptimiser(parsed(), 'cnn')).toEqual({ optimizer: 'adam', learningRate: 3e-4 });
    const transferred = parsed({ init: 'st', weights: 'w' });
    expect(resolveOptimiser(transferred, 'vit')).toEqual({
      optimizer: 'adamw',
      learningRate: 1e-4,
    });
    const set = parsed({ training: { optimizer: 'adam', learningRate: 0.01 } });
    expect(resolveOptimiser(set, 'vit')).toEqual({ optimizer: 'adam', learningRate: 0.01 });
  });

  it('is the model size, and 256 pixels for 224', () => {
    expect(resolveSizes(parsed({ model: 'resnet50' }))).toEqual({ size: 224, resize: 256 });
    expect(resolveSizes(parsed())).toEqual({ size: 64, resize: 73 });
    expect(resolveSizes(parsed({ training: { size: 96, resize: 96 } }))).toEqual({
      size: 96,
      resize: 96,
    });
    expect(() => resolveSizes(parsed({ training: { size: 96, resize: 90 } }))).toThrow(
      'training.resize: expected at least the size 96, got 90',
    );
  });

  it('is a machine that is there', () => {
    const machine = resolveMachine(parsed({ training: { device: 'cpu', threads: 3 } }).training);
    expect(machine).toMatchObject({ device: 'cpu', threads: 3 });
    expect(['fp32', 'bf16']).toContain(machine.precision);
    const fixed = resolveMachine(
      parsed({ training: { device: 'cpu', precision: 'fp32' } }).training,
    );
    expect(fixed.precision).toBe('fp32');
    const gpus = cudaDeviceCount();
    const missing = parsed({ training: { device: `cuda:${gpus}` } }).training;
    expect(() => resolveMachine(missing)).toThrow('training.device');
  });

  it('is as many threads as there are cores, or what OMP_NUM_THREADS says', () => {
    const before = process.env.OMP_NUM_THREADS;
    try {
      delete process.env.OMP_NUM_THREADS;
      expect(resolveMachine(parsed().training).threads).toBe(availableCores());
      process.env.OMP_NUM_THREADS = '3';
      expect(resolveMachine(parsed().training).threads).toBe(3);
    } finally {
      if (before === undefined) delete process.env.OMP_NUM_THREADS;
      else process.env.OMP_NUM_THREADS = before;
    }
  });

  it('is the smaller of two limits', () => {
    expect(resolveMaxIterations(parsed({ training: { maxEpochs: 3 } }).training, 10)).toBe(30);
    const both = parsed({ training: { maxEpochs: 3, maxIterations: 7 } }).training;
    expect(resolveMaxIterations(both, 10)).toBe(7);
  });
});

describe('evaluations', () => {
  const due = (perEpoch: number, evaluations: number): number[] =>
    Array.from({ length: perEpoch }, (_, index) => index + 1).filter((batch) =>
      evaluationIsDue(batch, perEpoch, evaluations),
    );

  it('come every half epoch, the last at its end', () => {
    expect(due(10, 2)).toEqual([5, 10]);
    expect(due(25, 2)).toEqual([13, 25]);
    expect(due(1, 2)).toEqual([1]);
    expect(due(3, 2)).toEqual([2, 3]);
    expect(due(7, 1)).toEqual([7]);
    expect(due(2, 5)).toEqual([1, 2]);
  });
});
