/** What a user is told when a configuration is wrong. */
import { describe, expect, it } from 'vitest';
import {
  isAlive,
  runConfigSchema,
  runIdentity,
  thisProcess,
  validate,
  validateYaml,
} from '../../src/results/index.ts';
import { RequestError } from '../../src/util/index.ts';

const minimal = { data: { kind: 'folder', path: '/d' }, model: 'resnet18_micro', init: 'ri' };

function messageOf(value: unknown): string {
  try {
    validate(runConfigSchema, value, { where: 'run' });
  } catch (error) {
    expect(error).toBeInstanceOf(RequestError);
    return error instanceof Error ? error.message : '';
  }
  throw new Error('was accepted');
}

describe('the configuration of a run', () => {
  it('has the defaults of the method', () => {
    const config = validate(runConfigSchema, minimal, { where: 'run' });
    expect(config).toMatchObject({ seed: 0, splitSeed: 0, initOptions: { norm: 'reset' } });
    expect(config.training).toMatchObject({
      batchSize: 64,
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-8,
      weightDecay: 1e-5,
      learningRate: 'auto',
      warmupIterations: 1000,
      patience: 3,
      minLearningRate: 1e-6,
      evaluationsPerEpoch: 2,
      clipNorm: 1,
    });
  });

  it('names an unknown key and the nearest known ones', () => {
    expect(messageOf({ ...minimal, training: { patienc: 3 } })).toBe(
      'run: training.patienc: expected a known key, got "patienc" (did you mean patience?)',
    );
    expect(messageOf({ ...minimal, modle: 'x' })).toContain('did you mean model?');
    expect(messageOf({ ...minimal, initOptions: { qqqqqq: 1 } })).toContain(
      'known keys: norm, tokens, kaiming',
    );
  });

  it('names what was expected of a value and what came', () => {
    expect(messageOf({ ...minimal, init: 'wr' })).toContain(
      'run: init: expected one of wt, st, ri or wt-st-<n>, got "wr"',
    );
    expect(messageOf({ ...minimal, training: { batchSize: 0 } })).toContain(
      'training.batchSize: expected more than 0, got 0',
    );
    expect(messageOf({ ...minimal, training: { batchSize: 1.5 } })).toContain(
      'expected a whole number, got 1.5',
    );
    expect(messageOf({ ...minimal, training: { learningRate: 'fast' } })).toContain(
      'expected "auto" or a number, got "fast"',
    );
    expect(messageOf({ model: 'm', init: 'ri' })).toContain(
      'data: expected an object, got nothing',
    );
    expect(messageOf('x')).toContain('run: expected an object, got "x"');
  });

  it('names the line of a YAML file', () => {
    const text = 'data: {kind: folder, path: /d}\nmodel: m\ninit: ri\ntraining:\n  patienc: 3\n';
    expect(() => validateYaml(runConfigSchema, text, 'run.yaml')).toThrow(
      'run.yaml, line 5: training.patienc: expected a known key',
    );
    const wrong =
      'data: {kind: folder}\nmodel: m\ninit: ri\ntraining:\n  seed: 1\n  patience: no\n';
    expect(() => validateYaml(runConfigSchema, wrong, 'run.yaml')).toThrow(/line [56]/);
    expect(() => validateYaml(runConfigSchema, 'a: [1', 'run.yaml')).toThrow(
      /run\.yaml, line \d: expected valid YAML/,
    );
  });
});

describe('the identity of a run', () => {
  const config = validate(runConfigSchema, minimal, { where: 'run' });
  const identity = runIdentity({ config, data: 'd', splits: 's' });

  it('does not depend on paths, places and speed', () => {
    const elsewhere = validate(
      runConfigSchema,
      {
        ...minimal,
        data: { kind: 'folder', path: '/other' },
        training: { threads: 3, workers: 4, device: 'cpu', checkpointSeconds: 5 },
      },
      { where: 'run' },
    );
    expect(runIdentity({ config: elsewhere, data: 'd', splits: 's' })).toBe(identity);
  });

  it('stays what it was for the initialisations that runs on disk have', () => {
    const ids = ['wt', 'st', 'ri'].map((init) => {
      const other = validate(runConfigSchema, { ...minimal, init }, { where: 'run' });
      return runIdentity({ config: other, data: 'd', splits: 's', weights: 'w' });
    });
    expect(ids).toEqual(['9c87655824991964', '0b8c0b3eb6808851', 'cc277ca7008cb64a']);
  });

  it('depends on all that determines the result', () => {
    const changed = [
      { ...minimal, seed: 1 },
      { ...minimal, model: 'deit_micro' },
      { ...minimal, init: 'st', weights: 'w' },
      { ...minimal, init: 'wt-st-2', weights: 'w' },
      { ...minimal, init: 'wt-st-3', weights: 'w' },
      { ...minimal, training: { learningRate: 0.001 } },
      { ...minimal, initOptions: { kaiming: true } },
      { ...minimal, init: 'wt', training: { inputChannels: 1 } },
      {
        ...minimal,
        init: 'wt',
        training: { inputChannels: 1 },
        initOptions: { firstConv: 'slice' },
      },
    ].map((value) => {
      const other = validate(runConfigSchema, value, { where: 'run' });
      return runIdentity({ config: other, data: 'd', splits: 's', weights: 'w' });
    });
    const ids = [
      identity,
      runIdentity({ config, data: 'e', splits: 's' }),
      runIdentity({ config, data: 'd', splits: 't' }),
      ...changed,
    ];
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe('the owner of a run', () => {
  const heartbeat = new Date().toISOString();

  it('lives while its process does', () => {
    const owner = thisProcess();
    expect(isAlive({ status: 'running', owner, heartbeat })).toBe(true);
    expect(isAlive({ status: 'stopped', owner, heartbeat })).toBe(false);
    expect(isAlive({ status: 'running', heartbeat })).toBe(false);
    const recycled = { ...owner, processStart: 'an earlier process' };
    expect(isAlive({ status: 'running', owner: recycled, heartbeat })).toBe(
      owner.processStart === undefined,
    );
    const gone = { ...owner, pid: 2 ** 22 + 12345 };
    expect(isAlive({ status: 'running', owner: gone, heartbeat })).toBe(false);
  });

  it('is judged by its heartbeat on another machine', () => {
    const owner = { pid: 1, host: 'another-machine.invalid' };
    expect(isAlive({ status: 'running', owner, heartbeat })).toBe(true);
    const old = new Date(Date.now() - 3600_000).toISOString();
    expect(isAlive({ status: 'running', owner, heartbeat: old })).toBe(false);
  });
});
