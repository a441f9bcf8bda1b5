/** FID, calibration, the linear probe and attended distance against scipy, scikit-learn and closed forms. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  AttendedDistance,
  calibrationOf,
  fitLogistic,
  frechetDistance,
  linearProbe,
  MomentAccumulator,
  type Moments,
  minimise,
  patchDistances,
  readMoments,
  reliability,
  uniformDistance,
  writeMoments,
} from '../../src/analysis/index.ts';
import { fromTypedArray, ops, tensor } from '../../src/tensor/index.ts';
import { RandomStream } from '../../src/util/index.ts';
import { classNames, golden } from './golden.ts';

interface FidCase {
  name: string;
  width: number;
  first: [number, number];
  second: [number, number];
  mean: number[];
  covariance: number[];
  fid: number;
}

/** The features of scripts/golden/analysis_measures.py. */
function featuresByFormula(seed: number, count: number, width: number): Float32Array {
  const noise = new Float64Array(count * width);
  let state = seed;
  for (let at = 0; at < noise.length; at++) {
    state = Number((1664525n * BigInt(state) + 1013904223n) % 4294967296n);
    noise[at] = state / 4294967296;
  }
  const scale = 1 + (seed % 7) / 10;
  return Float32Array.from(noise, (value, at) => {
    const column = at % width;
    const before = noise[at - column + ((column + width - 1) % width)] ?? 0;
    return (value + 0.5 * before * (1 + column / width)) * scale;
  });
}

function momentsOf(values: Float32Array, width: number, order?: readonly number[]): Moments {
  const accumulator = new MomentAccumulator(width);
  const rows = values.length / width;
  const arranged = order
    ? Float32Array.from(
        order.flatMap((row) => [...values.subarray(row * width, (row + 1) * width)]),
      )
    : values;
  for (let start = 0; start < rows; start += 7) {
    const count = Math.min(7, rows - start);
    accumulator.add(
      fromTypedArray(arranged.slice(start * width, (start + count) * width), [count, width]),
    );
  }
  return accumulator.finish();
}

describe('FID', () => {
  it.each(golden<FidCase[]>('fid'))('equals scipy’s: $name', (example) => {
    const { width, first, second } = example;
    const left = momentsOf(featuresByFormula(...first, width), width);
    const right = momentsOf(featuresByFormula(...second, width), width);
    expect(left.mean.slice(0, 4)).toBeAllclose(example.mean, { relative: 1e-9 });
    expect(left.covariance.slice(width, width + 4)).toBeAllclose(example.covariance, {
      relative: 1e-7,
      absolute: 1e-9,
    });
    expect(frechetDistance(left, right).distance).toBeAllclose(example.fid, { relative: 1e-3 });
    expect(frechetDistance(right, left).distance).toBeAllclose(example.fid, { relative: 1e-3 });
  });

  it.each([
    ['more samples than features', 60, 12],
    ['fewer samples than features', 10, 32],
  ])('is 0 of a set against itself, in any order: %s', (_, count, width) => {
    const values = featuresByFormula(11, count, width);
    const own = momentsOf(values, width);
    expect(frechetDistance(own, own).distance).toBe(0);
    const order = new RandomStream('order').shuffle(Array.from({ length: count }, (_x, at) => at));
    const shuffled = momentsOf(values, width, order);
    expect(frechetDistance(own, shuffled).distance).toBeAllclose(0, { absolute: 1e-6 });
  });

  it('of shifted features is the squared shift', () => {
    const values = featuresByFormula(3, 80, 6);
    const shifted = values.map((value) => value + 0.5);
    const { distance } = frechetDistance(momentsOf(values, 6), momentsOf(shifted, 6));
    expect(distance).toBeAllclose(6 * 0.25, { relative: 1e-5 });
  });

  it('refuses single images, NaN and statistics of another extractor', () => {
    expect(() => momentsOf(new Float32Array(4), 4)).toThrow('at least two images');
    const sound = momentsOf(featuresByFormula(1, 9, 4), 4);
    const broken = { ...sound, mean: sound.mean.map(() => Number.NaN) };
    expect(() => frechetDistance(sound, broken)).toThrow('NaN or infinity');
    const wide = momentsOf(featuresByFormula(1, 9, 5), 5);
    expect(() => frechetDistance(sound, wide)).toThrow('same extractor');
  });
});

describe('statistics on disk', () => {
  const folder = mkdtempSync(join(tmpdir(), 'carryover-npz-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('come back as they were', async () => {
    const moments = momentsOf(featuresByFormula(2, 20, 5), 5);
    const path = join(folder, 'set.npz');
    await writeMoments(path, moments);
    const { mean, covariance } = await readMoments(path);
    expect({ mean, covariance }).toEqual({
      mean: moments.mean,
      covariance: moments.covariance,
    });
  });

  it('are refused where the file is no such thing', async () => {
    const path = join(folder, 'broken.npz');
    writeFileSync(path, 'not a zip archive at all');
    await expect(readMoments(path)).rejects.toThrow('a whole .npz file');
    await expect(readMoments(join(folder, 'absent.npz'))).rejects.toThrow('no such file');
  });
});

interface ProbeCase {
  name: string;
  kind: 'classes' | 'labels';
  classes: number;
  strength: number;
  x: number[];
  labels: number[];
  weights: number[];
  intercept: number[];
}

describe('linear probe', () => {
  it.each(golden<ProbeCase[]>('probe'))('equals scikit-learn: $name', (example) => {
    const { kind, classes, strength, x, labels } = example;
    const features = { values: Float32Array.from(x), rows: 40, width: 5 };
    const fit = fitLogistic(
      { features, labels },
      {
        task: kind === 'labels' ? 'multilabel' : 'multiclass',
        metric: 'recall',
        classes: classNames(classes),
      },
      strength,
    );
    // Softmax leaves a shift common to all intercepts open.
    const centre = fit.outputs > 2 ? fit.intercept.reduce((a, b) => a + b, 0) / fit.outputs : 0;
    expect(fit.weights).toBeAllclose(example.weights, { relative: 1e-3, absolute: 1e-4 });
    expect(fit.intercept.map((value) => value - centre)).toBeAllclose(example.intercept, {
      relative: 1e-3,
      absolute: 1e-4,
    });
  });

  it('chooses its strength on the validation split, and the strongest of equals', () => {
    const split = (seed: string) => {
      const random = new RandomStream(seed);
      const labels = Array.from({ length: 60 }, (_, at) => at % 2);
      const values = labels.flatMap((label) => [6 * label + random.normal(), random.normal(), 1]);
      return { features: { values: Float32Array.from(values), rows: 60, width: 3 }, labels };
    };
    const result = linearProbe(
      { train: split('a'), validation: split('b'), test: split('c') },
      { task: 'binary', metric: 'auc', classes: ['no', 'yes'] },
      [0.001, 1, 100],
    );
    expect(result.test.primary.value).toBeGreaterThan(0.99);
    const best = Math.max(...result.tried.map(({ validation }) => validation.value ?? 0));
    const first = result.tried.find(({ validation }) => validation.value === best);
    expect(result.strength).toBe(first?.strength);
  });

  it('minimises Rosenbrock’s valley', () => {
    const { point, converged } = minimise(
      (p, gradient) => {
        const [x = 0, y = 0] = p;
        gradient[0] = -2 * (1 - x) - 400 * x * (y - x * x);
        gradient[1] = 200 * (y - x * x);
        return (1 - x) ** 2 + 100 * (y - x * x) ** 2;
      },
      Float64Array.of(-1.2, 1),
    );
    expect(converged).toBe(true);
    expect(point).toBeAllclose([1, 1], { absolute: 1e-5 });
  });
});

describe('calibration', () => {
  const reference = golden<{
    confidence: number[];
    outcome: number[];
    cases: { bins: number; expectedError: number; greatestError: number; counts: number[] }[];
  }>('calibration');

  it.each(reference.cases)('equals numpy’s with $bins bins', (example) => {
    const result = reliability(reference.confidence, reference.outcome, example.bins);
    expect(result.bins.map(({ count }) => count)).toEqual(example.counts);
    expect(result.expectedError.value).toBeAllclose(example.expectedError, { absolute: 1e-12 });
    expect(result.greatestError.value).toBeAllclose(example.greatestError, { absolute: 1e-12 });
  });

  it('has no value without samples, and leaves no NaN in empty bins', () => {
    expect(reliability([], []).expectedError).toEqual({ reason: 'no samples' });
    const { bins } = reliability([0.95], [1], 4);
    expect(bins[0]).toEqual({ low: 0, high: 0.25, count: 0 });
  });

  it('of classes looks at the predicted one, of labels at each', () => {
    const classes = ['a', 'b'];
    const sure = { logits: Float32Array.of(30, -30, -30, 30), outputs: 2, indices: [0, 1] };
    const { overall } = calibrationOf(
      { ...sure, labels: Float64Array.of(0, 1) },
      { task: 'multiclass', metric: 'recall', classes },
    );
    expect(overall.expectedError.value).toBeAllclose(0, { absolute: 1e-6 });
    const { perLabel } = calibrationOf(
      { ...sure, labels: Float64Array.of(1, 0, 1, 1) },
      { task: 'multilabel', metric: 'auc', classes },
    );
    expect(perLabel?.a?.expectedError.value).toBeAllclose(0.5, { absolute: 1e-6 });
    expect(perLabel?.b?.expectedError.value).toBeAllclose(0, { absolute: 1e-6 });
  });
});

describe('mean attended distance', () => {
  const [grid, patchSize] = [3, 16];
  const tokens = 1 + grid ** 2;

  /** Weights [2, 1, T, T] whose rows are `rowOf` the query patch, the class token taking `cls`. */
  function attended(rowOf: (query: number, key: number) => number, cls = 0.5): number | undefined {
    const values = Array.from({ length: tokens ** 2 }, (_, at) => {
      const [query, key] = [Math.floor(at / tokens), at % tokens];
      if (query === 0) return 1 / tokens;
      return key === 0 ? cls : (1 - cls) * rowOf(query - 1, key - 1);
    });
    const distance = new AttendedDistance(1, grid, patchSize);
    expect(distance.add(tensor([...values, ...values], { shape: [2, 1, tokens, tokens] }))).toBe(
      undefined,
    );
    return distance.heads()[0];
  }

  it('of uniform attention is the mean distance of two patches', () => {
    // 9 × 9 pairs on a 3 × 3 grid: per offset (dx, dy) (3 − |dx|)(3 − |dy|) pairs.
    let sum = 0;
    for (const dx of [-2, -1, 0, 1, 2]) {
      for (const dy of [-2, -1, 0, 1, 2]) {
        sum += (3 - Math.abs(dx)) * (3 - Math.abs(dy)) * 16 * Math.hypot(dx, dy);
      }
    }
    expect(uniformDistance(grid, patchSize)).toBeAllclose(sum / 81, { relative: 1e-12 });
    expect(attended(() => 1 / 9)).toBeAllclose(sum / 81, { relative: 1e-6 });
  });

  it('of attention to itself is 0, to the next patch the patch size', () => {
    expect(attended((query, key) => (query === key ? 1 : 0))).toBe(0);
    const neighbour = (query: number) => (query % 3 === 2 ? query - 1 : query + 1);
    expect(attended((query, key) => (key === neighbour(query) ? 1 : 0))).toBeAllclose(16, {
      relative: 1e-6,
    });
  });

  it('does not depend on what the class token takes, unless it takes all', () => {
    expect(attended(() => 1 / 9, 0.1)).toBeAllclose(Number(attended(() => 1 / 9, 0.9)), {
      relative: 1e-5,
    });
    expect(attended(() => 1 / 9, 1)).toBe(undefined);
  });

  it('points at the image whose weights are not finite', () => {
    const weights = ops.zeros([3, 1, tokens, tokens]);
    ops.fill_(ops.narrow(weights, 0, 1, 1), Number.NaN);
    expect(new AttendedDistance(1, grid, patchSize).add(weights)).toBe(1);
  });

  it('measures between patch centres', () => {
    expect(patchDistances(2, 8)).toBeAllclose(
      [0, 8, 8, 8 * Math.SQRT2, 8, 0, 8 * Math.SQRT2, 8].concat([
        8,
        8 * Math.SQRT2,
        0,
        8,
        8 * Math.SQRT2,
        8,
        8,
        0,
      ]),
      { relative: 1e-12 },
    );
  });
});
