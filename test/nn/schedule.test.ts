import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Verdict, WarmupPlateau } from '../../src/nn/index.ts';
import { readGolden } from './golden.ts';

interface Golden {
  plateau: {
    options: {
      baseLearningRate: number;
      factor: number;
      patience: number;
      minLearningRate: number;
    };
    metrics: number[];
    rates: number[];
  }[];
  warmup: { baseLearningRate: number; warmupIterations: number; rates: number[] }[];
}

const golden = readGolden<Golden>('schedule');
const tight = { relative: 1e-12 };

describe('reduce on plateau', () => {
  it.each(golden.plateau)('follows PyTorch until it is exhausted, $options', (record) => {
    const schedule = new WarmupPlateau({ ...record.options, warmupIterations: 0 });
    const verdicts: Verdict[] = [];
    record.metrics.forEach((metric, index) => {
      const before = schedule.rate(index);
      const verdict = schedule.observe(metric, index);
      expect(schedule.rate(index)).toBeAllclose(record.rates[index] ?? Number.NaN, tight);
      expect(verdict === 'reduced').toBe(schedule.rate(index) < before);
      verdicts.push(verdict);
    });
    expect(verdicts.indexOf('stop')).toBe(record.metrics.length - 1);
  });

  it('counts four evaluations without improvement, ties included', () => {
    const schedule = new WarmupPlateau({ baseLearningRate: 1e-4, warmupIterations: 0 });
    const verdicts = [0.5, 0.5, 0.4, 0.5, 0.5, 0.6].map((m, index) => schedule.observe(m, index));
    expect(verdicts).toEqual([
      'continue',
      'continue',
      'continue',
      'continue',
      'reduced',
      'continue',
    ]);
  });

  it('an undefined or NaN metric never improves', () => {
    const schedule = new WarmupPlateau({ baseLearningRate: 1e-4, warmupIterations: 0 });
    const verdicts = [undefined, Number.NaN, undefined, undefined].map((metric, index) =>
      schedule.observe(metric, index),
    );
    expect(verdicts).toEqual(['continue', 'continue', 'continue', 'reduced']);
    expect(schedule.state().best).toBeNull();
  });

  it('during the warm-up takes the best in but counts nothing as stalled', () => {
    const schedule = new WarmupPlateau({ baseLearningRate: 1e-4, warmupIterations: 100 });
    expect(schedule.observe(0.7, 10)).toBe('continue');
    for (let index = 0; index < 20; index++) expect(schedule.observe(0.1, 20)).toBe('continue');
    const after = [0.6, 0.6, 0.6, 0.6].map((metric) => schedule.observe(metric, 100));
    expect(after).toEqual(['continue', 'continue', 'continue', 'reduced']);
  });

  it('the constant kind warms up, then neither reduces nor stops', () => {
    const schedule = new WarmupPlateau({
      baseLearningRate: 1e-3,
      warmupIterations: 2,
      kind: 'constant',
    });
    for (let index = 0; index < 50; index++) expect(schedule.observe(0, index)).toBe('continue');
    expect([0, 1, 2, 99].map((iteration) => schedule.rate(iteration))).toBeAllclose(
      [5e-4, 1e-3, 1e-3, 1e-3],
      tight,
    );
  });

  it('a setting that is passed as undefined takes its default', () => {
    const schedule = new WarmupPlateau({ baseLearningRate: 1, warmupIterations: undefined });
    expect(schedule.rate(0)).toBeAllclose(1e-3, tight);
  });

  it('goes on the same from a state that went through JSON', () =>
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 1, maxLength: 60 }),
        fc.nat(60),
        (metrics, cut) => {
          const make = () => new WarmupPlateau({ baseLearningRate: 3e-4, warmupIterations: 5 });
          const whole = make();
          let other = make();
          metrics.forEach((metric, index) => {
            if (index === cut) {
              const state = JSON.parse(JSON.stringify(other.state()));
              other = make();
              other.load(state);
            }
            expect(other.observe(metric, index)).toBe(whole.observe(metric, index));
            expect(other.rate(index)).toBe(whole.rate(index));
          });
        },
      ),
    ));
});

describe('warm-up', () => {
  it.each(golden.warmup)('follows PyTorch, $warmupIterations iterations', (record) => {
    const schedule = new WarmupPlateau(record);
    expect(record.rates.map((_, iteration) => schedule.rate(iteration))).toBeAllclose(
      record.rates,
      tight,
    );
  });
});
