import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createModel, type ImageModel } from '../../src/models/index.ts';
import { trainingSchema } from '../../src/results/index.ts';
import { liveTensors, ops } from '../../src/tensor/index.ts';
import { Stepper } from '../../src/train/index.ts';
import { isOutOfMemory, largestThatFits } from '../../src/train/outOfMemory.ts';
import { initialise } from '../../src/transfer/index.ts';

describe('a batch that does not fit into memory', () => {
  let model: ImageModel;
  let stepper: Stepper;

  beforeEach(() => {
    model = createModel('resnet18_micro', { classes: 4 });
    initialise(model, { scheme: 'ri', seed: 0 });
    model.train();
    const resolved = { device: 'cpu', precision: 'fp32', optimizer: 'adam' } as const;
    const training = trainingSchema.parse({});
    const options = { ...resolved, learningRate: 1e-4 };
    stepper = new Stepper({ model, task: 'multiclass', training, resolved: options });
  });

  afterEach(() => {
    stepper.dispose();
    model.dispose();
  });

  /** From then on a pass over more images asks for more memory than any machine has. */
  function limit(images: number): void {
    const forward = model.forward.bind(model);
    model.forward = (input) => {
      if ((input.shape[0] ?? 0) > images) ops.empty([2 ** 45]).dispose();
      return forward(input);
    };
  }

  function stepOf(count: number): void {
    const images = ops.ones([count, 3, 64, 64]);
    const labels = ops.zeros([count], { dtype: 'int64' });
    try {
      stepper.step({ images, labels, indices: [], dispose: () => {} }, 1e-4, 0);
    } finally {
      images.dispose();
      labels.dispose();
    }
  }

  it('ends with the batch size that fits', () => {
    limit(12);
    expect(() => stepOf(32)).toThrow(
      /^training on cpu: expected memory for a batch of 32 images, got .*can't allocate memory.* \(set training\.batchSize=12, which fits\)$/,
    );
    expect(() => stepOf(12)).not.toThrow();
  });

  it('says so where not one image fits', () => {
    limit(0);
    expect(() => stepOf(4)).toThrow(/not one image fits: use a smaller model or size/);
  });

  it('leaves nothing behind', () => {
    limit(12);
    stepOf(12);
    const { count } = liveTensors();
    expect(() => stepOf(32)).toThrow();
    expect(liveTensors().count).toBe(count);
  });

  it('is looked for among halves, and once in between', () => {
    const largest = (room: number) => largestThatFits(64, (images) => images <= room);
    expect(largest(63)).toBe(48);
    expect(largest(47)).toBe(32);
    expect(largest(10)).toBe(8);
    expect(largest(1)).toBe(1);
    expect(largest(0)).toBe(0);
  });

  it('is told from other errors', () => {
    const cuda =
      'CUDA out of memory. Tried to allocate 392.00 MiB (GPU 0; 79.10 GiB total capacity)';
    expect(isOutOfMemory(new Error(cuda))).toBe(true);
    expect(isOutOfMemory(new Error('std::bad_alloc'))).toBe(true);
    expect(isOutOfMemory(new Error('expected a live tensor'))).toBe(false);
    expect(isOutOfMemory('out of memory')).toBe(false);
  });
});
