/** Evaluation of whole splits: outputs to classes, losses, and which metric judges. */
import { describe, expect, it } from 'vitest';
import { evaluate, undefinedOnLabels } from '../../src/eval/evaluation.ts';
import { meanLoss, type Predictions, predictedClasses } from '../../src/eval/predictions.ts';

function predictions(logits: number[], outputs: number, labels: number[]): Predictions {
  return {
    logits: Float32Array.from(logits),
    outputs,
    labels: Float64Array.from(labels),
    indices: Array.from({ length: logits.length / outputs }, (_, index) => index),
  };
}

describe('predicted classes', () => {
  it('takes the highest logit, the first of equals', () => {
    expect(predictedClasses(predictions([1, 3, 2, 5, 5, 0], 3, [0, 0]))).toEqual([1, 0]);
  });

  it('takes the sign of a single logit', () => {
    expect(predictedClasses(predictions([0.1, -0.1, 0], 1, [1, 0, 0]))).toEqual([1, 0, 0]);
  });
});

describe('mean loss', () => {
  it('is the cross-entropy of class tasks', () => {
    const uniform = predictions([2, 2, 2, 2, -1, -1, -1, -1], 4, [0, 3]);
    expect(meanLoss(uniform, 'multiclass')).toBeCloseTo(Math.log(4), 12);
  });

  it('is the binary cross-entropy of binary and multi-label tasks, without overflow', () => {
    expect(meanLoss(predictions([0, 0], 1, [0, 1]), 'binary')).toBeCloseTo(Math.log(2), 12);
    expect(meanLoss(predictions([1000, -1000], 2, [1, 0]), 'multilabel')).toBe(0);
    expect(meanLoss(predictions([1000, -1000], 2, [0, 1]), 'multilabel')).toBe(1000);
  });
});

describe('evaluate', () => {
  it('judges an ordinal task by kappa and a class task by recall', () => {
    const sample = predictions([5, 0, 0, 0, 5, 0, 0, 5, 0], 3, [0, 1, 2]);
    const classes = ['a', 'b', 'c'];
    const ordinal = evaluate(sample, { task: 'ordinal', metric: 'kappa', classes });
    expect(ordinal.primary).toEqual(ordinal.metrics.kappa);
    // Observed disagreement 1; by chance (1·2 + 1·1 + 4·1 + 1·2) / 3 = 3.
    expect(ordinal.primary.value).toBeCloseTo(1 - 1 / 3, 12);
    const classed = evaluate(sample, { task: 'multiclass', metric: 'recall', classes });
    expect(classed.primary.value).toBeCloseTo(2 / 3, 12);
    expect(classed.perClass.c).toEqual({ value: 0 });
    expect(classed.confusion).toEqual([
      [1, 0, 0],
      [0, 1, 0],
      [0, 1, 0],
    ]);
  });

  it('judges a binary task by the ranking of its one logit', () => {
    const sample = predictions([-3, -1, -2, 4], 1, [0, 1, 0, 1]);
    const result = evaluate(sample, { task: 'binary', metric: 'auc', classes: ['no', 'yes'] });
    expect(result.primary).toEqual({ value: 1 });
    expect(result.metrics.accuracy).toEqual({ value: 0.75 });
  });

  it('averages multi-label AUC over the labels that have one', () => {
    const sample = predictions([1, 0, 2, 0, 3, 0], 2, [0, 0, 1, 0, 1, 0]);
    const task = { task: 'multilabel', metric: 'auc', classes: ['x', 'y'] } as const;
    const result = evaluate(sample, task);
    expect(result.primary).toMatchObject({ value: 1, over: 1, of: 2 });
    expect(result.primary.reason).toContain('y: no positive samples');
    expect(result.confusion).toBeUndefined();
  });

  it('gives a multi-class AUC one against the rest', () => {
    const sample = predictions([3, 0, 0, 0, 3, 0, 0, 3, 0], 3, [0, 1, 1]);
    const task = { task: 'multiclass', metric: 'auc', classes: ['a', 'b', 'c'] } as const;
    expect(evaluate(sample, task).primary).toMatchObject({ value: 1, over: 2, of: 3 });
  });

  it('rejects a metric that the task does not know', () => {
    const task = { task: 'multilabel', metric: 'kappa', classes: ['x'] } as const;
    expect(() => evaluate(predictions([1], 1, [1]), task)).toThrow(RangeError);
  });
});

describe('a metric that no network could have', () => {
  const classes = ['a', 'b'];
  it('is known from the labels', () => {
    const binary = { task: 'binary', metric: 'auc', classes } as const;
    expect(undefinedOnLabels([1, 1], binary)).toContain('one class');
    expect(undefinedOnLabels([0, 1], binary)).toBeUndefined();
    expect(undefinedOnLabels([], binary)).toBe('no samples');
    const ordinal = { task: 'ordinal', metric: 'kappa', classes } as const;
    expect(undefinedOnLabels([1, 1], ordinal)).toContain('one class');
    const recall = { task: 'multiclass', metric: 'recall', classes } as const;
    expect(undefinedOnLabels([1, 1], recall)).toBeUndefined();
    const labels = { task: 'multilabel', metric: 'auc', classes } as const;
    expect(undefinedOnLabels([1, 0, 1, 0], labels)).toContain('no label');
    expect(undefinedOnLabels([1, 0, 0, 0], labels)).toBeUndefined();
  });
});
