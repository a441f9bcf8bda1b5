import { describe, expect, it } from 'vitest';
import { type BySeed, gainOf, normalise, reuseShare, transferGain } from '../../src/study/gains.ts';
import { RandomStream } from '../../src/util/index.ts';

const bySeed = (...values: number[]): BySeed => new Map(values.map((value, seed) => [seed, value]));

describe('gains', () => {
  it('are ratios of the means', () => {
    const wt = bySeed(0.8, 0.9);
    const other = bySeed(0.5, 0.6);
    expect(gainOf(wt, other, transferGain, []).value).toBeCloseTo(0.85 / 0.55, 12);
    expect(gainOf(wt, other, reuseShare, []).value).toBeCloseTo((0.85 - 0.55) / 0.85, 12);
  });

  it('have no interval below three repeats', () => {
    const gain = gainOf(bySeed(0.8, 0.9), bySeed(0.5, 0.6), transferGain, []);
    expect(gain).not.toHaveProperty('low');
    expect(gain.resampling).toBeUndefined();
  });

  it('pair by seed: what a seed does to both sides cancels', () => {
    const ri = bySeed(0.2, 0.5, 0.8);
    const wt = new Map([...ri].map(([seed, value]) => [seed, value * 1.5]));
    const paired = gainOf(wt, ri, transferGain, ['a']);
    expect(paired.resampling).toBe('paired');
    expect(paired.low).toBeCloseTo(1.5, 12);
    expect(paired.high).toBeCloseTo(1.5, 12);
    const otherSeeds = new Map([...ri].map(([seed, value]) => [seed + 10, value]));
    const independent = gainOf(wt, otherSeeds, transferGain, ['a']);
    expect(independent.resampling).toBe('independent');
    expect(independent.low).toBeLessThan(1.2);
    expect(independent.high).toBeGreaterThan(2);
  });

  it('agree with the exact bootstrap distribution of three pairs', () => {
    // All 27 equally likely resamples of three pairs, enumerated.
    const wt = [0.7, 0.8, 0.75];
    const ri = [0.5, 0.52, 0.61];
    const exact: number[] = [];
    for (const a of [0, 1, 2]) {
      for (const b of [0, 1, 2]) {
        for (const c of [0, 1, 2]) {
          const sum = (values: number[]) =>
            [a, b, c].reduce((total, index) => total + (values[index] ?? 0), 0);
          exact.push(sum(wt) / sum(ri));
        }
      }
    }
    exact.sort((x, y) => x - y);
    const gain = gainOf(bySeed(...wt), bySeed(...ri), transferGain, ['exact']);
    // The least and the greatest of the 27 have a probability of 3.7 %, more than 2.5 %.
    expect(gain.low).toBeCloseTo(exact[0] ?? Number.NaN, 12);
    expect(gain.high).toBeCloseTo(exact[26] ?? Number.NaN, 12);
  });

  it('cover the true ratio about as often as they claim', () => {
    const stream = new RandomStream('coverage');
    let covered = 0;
    const trials = 60;
    for (let trial = 0; trial < trials; trial++) {
      const draw = (centre: number) =>
        bySeed(...Array.from({ length: 12 }, () => centre + 0.05 * stream.normal()));
      const { low = Number.NaN, high = Number.NaN } = gainOf(draw(0.8), draw(0.5), transferGain, [
        trial,
      ]);
      if (low <= 1.6 && 1.6 <= high) covered += 1;
    }
    // 95 % nominal; the percentile bootstrap of 12 values covers a little less.
    expect(covered / trials).toBeGreaterThan(0.8);
  });

  it('are the same for the same seeds and keys', () => {
    const [wt, ri] = [bySeed(0.7, 0.8, 0.75, 0.9), bySeed(0.5, 0.52, 0.61, 0.4)];
    expect(gainOf(wt, ri, transferGain, ['k'])).toEqual(gainOf(wt, ri, transferGain, ['k']));
  });

  it('say why they are undefined', () => {
    expect(gainOf(bySeed(), bySeed(1), transferGain, [])).toEqual({ reason: 'no runs to compare' });
    expect(gainOf(bySeed(1), bySeed(0), transferGain, [])).toEqual({ reason: 'division by zero' });
  });

  it('are normalised between the least and the greatest', () => {
    expect(normalise([0.1, undefined, 0.3, 0.2])).toEqual([
      0,
      undefined,
      1,
      expect.closeTo(0.5, 12),
    ]);
    expect(normalise([0.4, 0.4])).toEqual([0, 0]);
    expect(normalise([undefined])).toEqual([undefined]);
  });
});
