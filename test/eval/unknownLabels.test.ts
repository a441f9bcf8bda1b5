/** Labels of -1 are unknown: they weigh nothing in losses and are absent from metrics. */
import { describe, expect, it } from 'vitest';
import { averagePrecision, evaluate, rocAuc } from '../../src/eval/index.ts';
import { backward, tensor } from '../../src/tensor/index.ts';
import { trainingLoss } from '../../src/train/index.ts';

const labels = [1, 0, -1, 1, 0, 1, 0, -1];
const scores = [0.9, 0.2, 0.99, 0.4, 0.5, 0.7, 0.1, -3];
const known = labels.map((label) => label !== -1);
const without = <T>(values: readonly T[]): T[] => values.filter((_, index) => known[index]);

describe('unknown labels', () => {
  it('are left out of rankings', () => {
    expect(rocAuc(labels, scores)).toEqual(rocAuc(without(labels), without(scores)));
    expect(averagePrecision(labels, scores)).toEqual(
      averagePrecision(without(labels), without(scores)),
    );
    expect(rocAuc([-1, -1], [1, 2]).value).toBeUndefined();
  });

  it('are left out of the loss of an evaluation', () => {
    const result = evaluate(
      {
        logits: Float32Array.from(scores),
        outputs: 2,
        labels: Float64Array.from(labels),
        indices: [0, 1, 2, 3],
      },
      { task: 'multilabel', metric: 'auc', classes: ['a', 'b'] },
    );
    const losses = without(
      scores.map((x, index) => Math.log1p(Math.exp(-x)) + (labels[index] === 1 ? 0 : x)),
    );
    const mean = losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
    expect(result.loss).toBeCloseTo(mean, 6);
    expect(result.perClass.a?.value).toBe(1);
  });

  it('weigh nothing in training, and give no gradient', () => {
    const logits = tensor(scores, { shape: [4, 2] });
    logits.requiresGrad = true;
    const loss = trainingLoss(logits, tensor(labels, { shape: [4, 2] }), 'multilabel', true);
    const plain = trainingLoss(
      tensor(without(scores), { shape: [3, 2] }),
      tensor(without(labels), { shape: [3, 2] }),
      'multilabel',
    );
    expect(loss.item()).toBeCloseTo(plain.item(), 6);
    backward(loss);
    const gradient = logits.grad?.toArray() ?? [];
    expect(gradient.map((value) => value !== 0)).toEqual(known);
  });
});
