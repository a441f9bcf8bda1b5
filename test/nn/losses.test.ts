import { describe, expect, it } from 'vitest';
import { binaryCrossEntropyWithLogits, crossEntropy } from '../../src/nn/index.ts';
import { backward, ops, scope, tensor } from '../../src/tensor/index.ts';
import { expectGradients } from './differences.ts';
import { expectGolden, type Packed, readGolden, unpack } from './golden.ts';

interface Golden {
  crossEntropy: {
    labelSmoothing: number;
    logits: Packed;
    labels: Packed;
    loss: Packed;
    gradient: Packed;
  }[];
  binaryCrossEntropy: {
    logits: Packed;
    targets: Packed;
    mask: Packed | null;
    loss: Packed;
    gradient: Packed;
  }[];
}

const golden = readGolden<Golden>('losses');
const noise = (shape: number[]) => ops.randn(shape, { generator: undefined, dtype: 'float64' });

describe('cross-entropy', () => {
  it.each(golden.crossEntropy)('agrees with PyTorch, smoothing $labelSmoothing', (record) =>
    scope(() => {
      const logits = unpack(record.logits);
      logits.requiresGrad = true;
      const { labelSmoothing } = record;
      const loss = crossEntropy(logits, unpack(record.labels, 'int64'), { labelSmoothing });
      expectGolden(loss, record.loss);
      backward(loss);
      expectGolden(logits.grad, record.gradient);
    }),
  );

  it('is ln K for equal logits, smoothed or not', () =>
    scope(() => {
      const labels = tensor([0, 3], { dtype: 'int64' });
      for (const labelSmoothing of [0, 0.2]) {
        expect(crossEntropy(ops.zeros([2, 7]), labels, { labelSmoothing })).toBeAllclose(
          Math.log(7),
          { relative: 1e-6 },
        );
      }
    }));

  it('gradients agree with finite differences', () =>
    scope(() => {
      const labels = tensor([1, 0, 2], { dtype: 'int64' });
      expectGradients(noise([3, 4]), (logits) =>
        crossEntropy(logits, labels, { labelSmoothing: 0.1 }),
      );
    }));
});

describe('binary cross-entropy with logits', () => {
  it.each(golden.binaryCrossEntropy)('agrees with PyTorch, case %#', (record) =>
    scope(() => {
      const logits = unpack(record.logits);
      logits.requiresGrad = true;
      const mask = record.mask ? unpack(record.mask) : undefined;
      const loss = binaryCrossEntropyWithLogits(logits, unpack(record.targets), mask);
      expectGolden(loss, record.loss);
      backward(loss);
      expectGolden(logits.grad, record.gradient);
    }),
  );

  it('a full mask changes nothing; an empty one gives 0 with zero gradients', () =>
    scope(() => {
      const logits = noise([2, 3]);
      const targets = tensor([1, 0, 0, 1, 1, 0], { shape: [2, 3], dtype: 'float64' });
      const ones = ops.onesLike(targets);
      expect(binaryCrossEntropyWithLogits(logits, targets, ones)).toBeAllclose(
        binaryCrossEntropyWithLogits(logits, targets),
        { relative: 1e-12 },
      );
      logits.requiresGrad = true;
      const loss = binaryCrossEntropyWithLogits(logits, targets, ops.zerosLike(targets));
      backward(loss);
      expect(loss.item()).toBe(0);
      expect(logits.grad?.toArray() ?? []).toBeAllclose([0, 0, 0, 0, 0, 0], { absolute: 0 });
    }));

  it('gradients agree with finite differences, masked', () =>
    scope(() => {
      const targets = tensor([1, 0, 0, 1, 1, 0], { shape: [2, 3], dtype: 'float64' });
      const mask = tensor([1, 1, 0, 1, 0, 1], { shape: [2, 3], dtype: 'float64' });
      expectGradients(noise([2, 3]), (logits) =>
        binaryCrossEntropyWithLogits(logits, targets, mask),
      );
    }));
});
