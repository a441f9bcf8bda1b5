/** Two hundred training steps leave no tensor and no memory behind. */
import { describe, expect, it } from 'vitest';
import { liveTensors } from '../../src/tensor/index.ts';
import { batchOf, type ParityCase, stepperOf } from './parityCases.ts';

const CLASSES = 7;

function parityCase(model: string): ParityCase {
  return {
    name: model,
    model,
    size: 64,
    batch: 4,
    optimizer: 'adamw',
    learningRate: 1e-4,
    weightDecay: 1e-5,
    clipNorm: 1,
    task: 'multiclass',
    losses: [],
  };
}

describe('200 training steps', () => {
  it.each(['resnet18_micro', 'deit_micro'])('of %s: tensors and memory stay flat', (name) => {
    const parity = parityCase(name);
    const { stepper, dispose } = stepperOf(parity, CLASSES);
    const counts: number[] = [];
    const bytes: number[] = [];
    const resident: number[] = [];
    for (let step = 0; step < 200; step++) {
      const batch = batchOf(parity, step, CLASSES);
      stepper.step(batch, parity.learningRate, step);
      batch.dispose();
      if (step % 10 === 9) stepper.takeLosses(step + 1);
      const live = liveTensors();
      counts.push(live.count);
      bytes.push(live.bytes);
      resident.push(process.memoryUsage().rss);
    }
    dispose();
    // The optimiser's moments appear in the first step; from then on nothing changes.
    expect(new Set(counts.slice(1)).size).toBe(1);
    expect(new Set(bytes.slice(1)).size).toBe(1);
    const early = Math.max(...resident.slice(20, 60));
    const late = Math.max(...resident.slice(160));
    expect(late - early).toBeLessThan(16 * 2 ** 20);
  });

  it('and disposing of everything frees everything', () => {
    const before = liveTensors();
    const parity = parityCase('resnet18_micro');
    const { stepper, dispose } = stepperOf(parity, CLASSES);
    const batch = batchOf(parity, 0, CLASSES);
    stepper.step(batch, parity.learningRate, 0);
    batch.dispose();
    dispose();
    const after = liveTensors();
    expect([after.count, after.bytes]).toEqual([before.count, before.bytes]);
  });
});
