/** Two hundred training steps leave no tensor and no memory behind. */
import { describe, expect, it } from 'vitest';
import { liveTensors } from '../../src/tensor/index.ts';
import { median } from '../../src/util/index.ts';
import { batchOf, smallCase, stepperOf } from './parityCases.ts';

const CLASSES = 7;
const STEPS = 200;
/** Steps before, in which JavaScript's heap and the allocator find the level that they then keep. */
const SETTLING = 320;

describe('200 training steps', () => {
  it.each(['resnet18_micro', 'deit_micro'])('of %s: tensors and memory stay flat', (name) => {
    const parity = smallCase(name);
    const { stepper, dispose } = stepperOf(parity, CLASSES);
    const counts: number[] = [];
    const bytes: number[] = [];
    const resident: number[] = [];
    for (let step = 0; step < SETTLING + STEPS; step++) {
      const batch = batchOf(parity, step, CLASSES);
      stepper.step(batch, parity.learningRate, step);
      batch.dispose();
      if (step % 10 === 9) stepper.takeLosses(step + 1);
      if (step < SETTLING) continue;
      const live = liveTensors();
      counts.push(live.count);
      bytes.push(live.bytes);
      resident.push(process.memoryUsage().rss);
    }
    dispose();
    expect(new Set(counts).size).toBe(1);
    expect(new Set(bytes).size).toBe(1);
    const growth = median(resident.slice(-50)) - median(resident.slice(0, 50));
    // Losing one feature map of the first layer a step would be 25 MiB; JavaScript's own heap may still grow by some.
    expect(growth).toBeLessThan(12 * 2 ** 20);
  });

  it('and disposing of everything frees everything', () => {
    const before = liveTensors();
    const parity = smallCase('resnet18_micro');
    const { stepper, dispose } = stepperOf(parity, CLASSES);
    const batch = batchOf(parity, 0, CLASSES);
    stepper.step(batch, parity.learningRate, 0);
    batch.dispose();
    dispose();
    const after = liveTensors();
    expect([after.count, after.bytes]).toEqual([before.count, before.bytes]);
  });
});
