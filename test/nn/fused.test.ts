/** Kernels of whole steps, our own and, where LibTorch has them on the CPU, those of GPUs: they do what the others do. */
import { describe, expect, it } from 'vitest';
import { Adam, type AdamKernels, AdamW } from '../../src/nn/index.ts';
import {
  hasProcessorAdam,
  keep,
  libtorchVersion,
  multiplyAll_,
  ops,
  scope,
  type Tensor,
  tensor,
} from '../../src/tensor/index.ts';
import { callsOf } from '../tensor/calls.ts';

const [major = 0, minor = 0] = libtorchVersion().split('.').map(Number);
const isAtLeast = (wanted: number): boolean => major > 2 || (major === 2 && minor >= wanted);

const values = (count: number, phase: number): number[] =>
  Array.from({ length: count }, (_, index) => Math.sin(0.3 * index + phase));

/** Parameters after 30 steps with gradients by formula, some of which are missing at times. */
function trained(Kind: typeof Adam, kernels: AdamKernels): number[][] {
  const shapes = [[4, 3, 3, 3], [7], [5, 6]];
  const parameters = shapes.map((shape, at) => {
    const count = shape.reduce((product, size) => product * size, 1);
    const parameter = keep(tensor(values(count, at), { shape }).contiguous());
    parameter.requiresGrad = true;
    return parameter;
  });
  const named = (from: number, to: number): Map<string, Tensor> =>
    new Map(parameters.slice(from, to).map((parameter, at) => [`p${from + at}`, parameter]));
  const optimiser = new Kind({
    groups: [
      { parameters: named(0, 1), weightDecay: 0.1 },
      { parameters: named(1, 3), weightDecay: 0 },
    ],
    learningRate: 0.01,
    clip: 0.5,
    kernels,
  });
  for (let step = 1; step <= 30; step++) {
    scope(() => {
      parameters.forEach((parameter, at) => {
        const { shape, elementCount } = parameter;
        const isAbsent = at === 2 && step % 5 === 0;
        const gradient = tensor(values(elementCount, step * (at + 1)), { shape });
        parameter.setGrad(isAbsent ? undefined : gradient);
      });
      optimiser.step();
    });
  }
  const result = parameters.map((parameter) => parameter.toArray());
  optimiser.dispose();
  for (const parameter of parameters) parameter.dispose();
  return result;
}

const kinds = [
  ['Adam', Adam, 'aten::_fused_adam_'],
  ['AdamW', AdamW, 'aten::_fused_adamw_'],
] as const;

describe.skipIf(!isAtLeast(4))('fused steps', () => {
  it.each(kinds)('of %s are those of the other kernels to the last digits', (_, Kind) => {
    const plain = trained(Kind, 'lists');
    trained(Kind, 'fused').forEach((parameter, at) => {
      expect(parameter).toBeAllclose(plain[at] ?? [], { relative: 1e-5, absolute: 1e-6 });
    });
  });

  it.each(kinds)('of %s are one kernel a group', async (_, Kind, name) => {
    const seen = (await callsOf(() => void trained(Kind, 'fused'))).map((call) => call.name);
    // The second group is in two parts once one of its two parameters has missed a step.
    expect(seen.filter((one) => one === name)).toHaveLength(30 + 30 + (30 - 6) - 4);
    expect(seen.filter((one) => /_foreach_(add|addcdiv|addcmul|sqrt|div)/.test(one))).toEqual([]);
  });
});

describe.skipIf(!hasProcessorAdam())('steps in one pass', () => {
  it.each(kinds)('of %s are those of the other kernels to the last digits', (_, Kind) => {
    const plain = trained(Kind, 'lists');
    trained(Kind, 'onePass').forEach((parameter, at) => {
      expect(parameter).toBeAllclose(plain[at] ?? [], { relative: 1e-5, absolute: 1e-6 });
    });
  });

  it.each(kinds)('of %s are one kernel a group, and the norm to clip to', async (_, Kind) => {
    const seen = (await callsOf(() => void trained(Kind, 'onePass'))).map((call) => call.name);
    expect(seen.filter((one) => one === 'carryover::adam_')).toHaveLength(30 + 30 + (30 - 6) - 4);
    expect(seen.filter((one) => /_foreach_(?!norm)/.test(one))).toEqual([]);
  });

  it('leave a gradient that lies otherwise in memory to the other kernels', () => {
    const parameter = keep(ops.ones([2, 3]));
    parameter.requiresGrad = true;
    const optimiser = new Adam({
      groups: [{ parameters: new Map([['p', parameter]]), weightDecay: 0 }],
      learningRate: 0.5,
      clip: 1,
    });
    scope(() => {
      parameter.setGrad(ops.t(ops.ones([3, 2])));
      optimiser.step();
    });
    // The first step of Adam is the rate, whatever the gradient.
    expect(parameter.toArray()).toBeAllclose(new Array(6).fill(0.5), { absolute: 1e-6 });
    optimiser.dispose();
    parameter.dispose();
  });
});

describe('one factor for many tensors', () => {
  it('multiplies them where LibTorch can, and else leaves them alone', () => {
    const tensors = [tensor([1, 2]), tensor([3])];
    const isDone = multiplyAll_(tensors, ops.full([], 0.5));
    expect(isDone).toBe(isAtLeast(1));
    const factor = isDone ? 0.5 : 1;
    expect(tensors.map((one) => one.toArray())).toEqual([[factor, 2 * factor], [3 * factor]]);
  });
});
