/** HSIC and CKA against brute force and PyTorch, and what must hold of them. */
import { describe, expect, it } from 'vitest';
import {
  addGrams,
  type CkaEstimator,
  gramMatrix,
  MinibatchCka,
  uCentre,
  unbiasedHsic,
} from '../../src/analysis/index.ts';
import { ops, scope, type Tensor, tensor } from '../../src/tensor/index.ts';
import { RandomStream } from '../../src/util/index.ts';
import { golden } from './golden.ts';

interface StoredTap {
  shape: number[];
  values: number[];
}

interface CkaGolden {
  batch: number;
  left: StoredTap[];
  right: StoredTap[];
  ratioOfMeans: number[][];
  meanOfRatios: number[][];
  brute: { x: StoredTap; y: StoredTap; hsic: number }[];
}

const reference = golden<CkaGolden>('cka');
const asTensor = ({ shape, values }: StoredTap): Tensor => tensor(values, { shape });

function random(shape: readonly number[], seed: string): Tensor {
  const stream = new RandomStream(seed);
  const count = shape.reduce((product, size) => product * size, 1);
  return tensor(
    Array.from({ length: count }, () => stream.normal()),
    { shape },
  );
}

/** CKA of all pairs over batches, as the measure computes it. */
function ckaOf(
  left: readonly Tensor[],
  right: readonly Tensor[],
  batch: number,
  estimator: CkaEstimator = 'ratio-of-means',
) {
  const names = (group: readonly Tensor[]) => group.map((_, at) => `tap ${at}`);
  const sums = new MinibatchCka(names(left), names(right));
  const count = left[0]?.shape[0] ?? 0;
  for (let start = 0; start < count; start += batch) {
    const grams = (group: readonly Tensor[]) =>
      group.map((value) =>
        uCentre(gramMatrix([ops.narrow(value, 0, start, Math.min(batch, count - start))])),
      );
    sums.add(grams(left), grams(right));
  }
  return sums.result(estimator);
}

describe('unbiased HSIC', () => {
  it.each(reference.brute)('equals its definition over distinct samples (%#)', ({ x, y, hsic }) => {
    const value = unbiasedHsic(gramMatrix([asTensor(x)]), gramMatrix([asTensor(y)]));
    expect(value).toBeAllclose(hsic, { relative: 1e-5, absolute: 1e-6 });
  });

  it('does not see a shift of the features, however great', () => {
    const x = random([12, 6], 'x');
    const y = random([12, 6], 'y');
    const plain = unbiasedHsic(gramMatrix([x]), gramMatrix([y]));
    const shifted = unbiasedHsic(gramMatrix([ops.add(x, 300)]), gramMatrix([y]));
    expect(shifted).toBeAllclose(plain, { absolute: 2e-3 });
  });
});

describe('CKA', () => {
  const left = reference.left.map(asTensor);
  const right = reference.right.map(asTensor);

  it('equals PyTorch’s, by both estimators, the last smaller batch included', () => {
    const means = ckaOf(left, right, reference.batch);
    expect(means.batches).toBe(3);
    expect(means.values.flat().map(Number)).toBeAllclose(reference.ratioOfMeans.flat(), {
      absolute: 1e-5,
    });
    const ratios = ckaOf(left, right, reference.batch, 'mean-of-ratios');
    expect(ratios.values.flat().map(Number)).toBeAllclose(reference.meanOfRatios.flat(), {
      absolute: 1e-5,
    });
  });

  it('leaves batches of fewer than four samples out and counts them', () => {
    const result = ckaOf(left, right, 9);
    expect([result.batches, result.batchesLeftOut]).toEqual([2, 1]);
    const none = ckaOf([random([3, 4], 'few')], [random([3, 4], 'other')], 8);
    expect(none.values).toEqual([[null]]);
    expect(none.undefinedTaps[0]?.reason).toContain('no batch of at least 4');
  });

  it('is 1 with itself and symmetric', () => {
    const own = ckaOf(left, left, 8);
    own.values.forEach((row, at) => {
      expect(row[at]).toBeAllclose(1, { absolute: 1e-9 });
    });
    const forth = ckaOf(left, right, 8).values;
    const back = ckaOf(right, left, 8).values;
    expect(forth.flat().map(Number)).toBeAllclose(
      left.flatMap((_, row) => right.map((_tap, column) => Number(back[column]?.[row]))),
      { absolute: 1e-12 },
    );
  });

  it('does not change under rotation and scaling of the features', () => {
    const angle = 0.7;
    const [c, s] = [Math.cos(angle), Math.sin(angle)];
    const rotation = tensor([c, -s, 0, s, c, 0, 0, 0, -1], { shape: [3, 3] });
    const x = random([16, 3], 'x');
    const y = random([16, 5], 'y');
    const plain = Number(ckaOf([x], [y], 16).values[0]?.[0]);
    const turned = ops.mul(ops.mm(x, rotation), 7.5);
    expect(Number(ckaOf([turned], [y], 16).values[0]?.[0])).toBeAllclose(plain, { absolute: 1e-5 });
  });

  it('has no value for a constant tap, and names it', () => {
    const constant = ops.add(ops.zeros([16, 2, 3, 3]), 0.1);
    const result = ckaOf([random([16, 4], 'x'), constant], [random([16, 5], 'y')], 16);
    expect(result.values[0]?.[0]).toEqual(expect.any(Number));
    expect(result.values[1]).toEqual([null]);
    expect(result.undefinedTaps).toEqual([
      { side: 'left', tap: 'tap 1', reason: expect.stringContaining('constant') },
    ]);
    expect([...result.hsic.cross, ...result.hsic.left].every(Number.isFinite)).toBe(true);
  });
});

describe('Gram matrices', () => {
  it('are the same of a batch and of its parts, of any layout', () => {
    scope(() => {
      const whole = random([10, 3, 5, 4], 'pictures');
      const parts = [ops.narrow(whole, 0, 0, 4), ops.narrow(whole, 0, 4, 6)].map((part) =>
        part.contiguous('channelsLast'),
      );
      expect(gramMatrix(parts).values).toBeAllclose(gramMatrix([whole]).values, { absolute: 1e-4 });
    });
  });

  it('of features side by side are the sum of theirs', () => {
    const [x, y] = [random([6, 3], 'x'), random([6, 4], 'y')];
    const both = gramMatrix([ops.cat([x, y], 1)]);
    expect(addGrams(gramMatrix([x]), gramMatrix([y])).values).toBeAllclose(both.values, {
      absolute: 1e-5,
    });
  });
});
