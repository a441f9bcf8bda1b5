import { beforeAll, describe, expect, it } from 'vitest';
import { BatchNorm2d } from '../../src/nn/index.ts';
import {
  autocast,
  type DType,
  hasNormalisation,
  manualSeed,
  noGrad,
  ops,
  type Tensor,
  trainingBatchNorm,
} from '../../src/tensor/index.ts';
import { difference, pass, random } from './passes.ts';

beforeAll(() => manualSeed(0));

interface Case {
  input: Tensor;
  shortcut: Tensor | undefined;
  relu: boolean;
  weighting: Tensor;
}

/** Weight, bias and running statistics of some channels, not those of a new layer. */
function parametersOf(channels: number): Tensor[] {
  const positive = () => ops.add(ops.abs(random(channels)), 0.5);
  return [positive(), random(channels), random(channels), positive()];
}

/**
 * [result, running mean, running variance, gradients of input, weight, bias (and shortcut)] of one training pass, by
 * LibTorch's operators or by the one of ours.
 */
function passOf(
  isOurs: boolean,
  { input, shortcut, relu, weighting }: Case,
  [weight, bias, ...running]: Tensor[],
): Tensor[] {
  const [runningMean, runningVariance] = running.map((each) => ops.clone(each)) as [Tensor, Tensor];
  const inputs = [input, weight, bias, ...(shortcut ? [shortcut] : [])] as Tensor[];
  const compute = (...leaves: Tensor[]): Tensor => {
    const [x, w, b] = leaves as [Tensor, Tensor, Tensor];
    const other = leaves[3];
    if (isOurs) {
      const values = { runningMean, runningVariance, momentum: 0.1, epsilon: 1e-5 };
      return trainingBatchNorm({ input: x, shortcut: other, weight: w, bias: b, relu, ...values });
    }
    const plain = ops.batchNorm(x, w, b, runningMean, runningVariance, true, 0.1, 1e-5, true);
    const sum = other ? ops.add(plain, other) : plain;
    return relu ? ops.relu(sum) : sum;
  };
  const [result, ...found] = pass(compute, inputs, weighting);
  return [result as Tensor, runningMean, runningVariance, ...found];
}

describe.skipIf(!hasNormalisation())('batch norm, shortcut and ReLU in one operator', () => {
  const names = [
    'result',
    'running mean',
    'running variance',
    'input',
    'weight',
    'bias',
    'shortcut',
  ];

  it.each([
    { shape: [2, 16, 5, 7], hasShortcut: false, relu: false },
    { shape: [2, 16, 5, 7], hasShortcut: false, relu: true },
    { shape: [3, 48, 9, 9], hasShortcut: true, relu: true },
    { shape: [3, 48, 9, 9], hasShortcut: true, relu: false },
    { shape: [1, 2048, 3, 1], hasShortcut: true, relu: true },
    { shape: [16, 64, 40, 40], hasShortcut: true, relu: true },
  ])('equals LibTorch’s in float64: $shape, shortcut $hasShortcut, ReLU $relu', (each) => {
    const [batch = 0, channels = 0, height = 0, width = 0] = each.shape;
    const image = () => random(batch, channels, height, width).contiguous('channelsLast');
    // A mean of many deviations loses digits where squares are summed without care.
    const input = ops.add(image(), 100);
    const shortcut = each.hasShortcut ? image() : undefined;
    const weighting = image();
    const given = parametersOf(channels);
    const wide = (tensor: Tensor) => tensor.to({ dtype: 'float64' });
    const narrowCase = { input, shortcut, relu: each.relu, weighting };
    const wideCase = {
      input: wide(input),
      shortcut: shortcut && wide(shortcut),
      relu: each.relu,
      weighting: wide(weighting),
    };
    const found = passOf(true, narrowCase, given);
    const expected = passOf(false, wideCase, given.map(wide));
    const plain = passOf(false, narrowCase, given);
    for (const [index, value] of found.entries()) {
      const reference = expected[index] as Tensor;
      // As near as LibTorch's own float32, which a mean of 100 deviations keeps from being nearer; a build
      // without fused products, as a sanitizer's, is off by twice that.
      const allowed = Math.max(2e-6, 2.5 * difference(plain[index] as Tensor, reference));
      expect(difference(value, reference), names[index]).toBeLessThan(allowed);
    }
  });

  it('equals LibTorch’s in bfloat16, as near to float64 as that is', () => {
    const image = () => random(4, 32, 14, 14).contiguous('channelsLast').to({ dtype: 'bfloat16' });
    const [input, shortcut, weighting] = [image(), image(), image()];
    const given = parametersOf(32);
    const wide = (tensor: Tensor) => tensor.to({ dtype: 'float64' });
    const found = passOf(true, { input, shortcut, relu: true, weighting }, given);
    const exact = passOf(
      false,
      { input: wide(input), shortcut: wide(shortcut), relu: true, weighting: wide(weighting) },
      given.map(wide),
    );
    const types: DType[] = [
      'bfloat16',
      'float32',
      'float32',
      'bfloat16',
      'float32',
      'float32',
      'bfloat16',
    ];
    expect(found.map(({ dtype }) => dtype)).toEqual(types);
    for (const [index, value] of found.entries()) {
      const isHalf = value.dtype === 'bfloat16';
      expect(difference(value, exact[index] as Tensor), names[index]).toBeLessThan(
        isHalf ? 4e-3 : 1e-5,
      );
    }
  });

  it('goes to LibTorch’s operators, bit for bit, for what it does not take', () => {
    const few = random(2, 6, 4, 4).contiguous('channelsLast');
    const contiguous = random(2, 16, 4, 4);
    for (const input of [few, contiguous]) {
      const other = ops.clone(input);
      const weighting = ops.ones([...input.shape]);
      const given = parametersOf(input.shape[1] ?? 0);
      const asked = { input, shortcut: other, relu: true, weighting };
      const [found, expected] = [passOf(true, asked, given), passOf(false, asked, given)];
      for (const [index, value] of found.entries()) {
        expect(ops.equal(value, expected[index] as Tensor), names[index]).toBe(true);
      }
    }
  });

  it('keeps NaN, and gives the same bits each time', () => {
    const input = random(2, 16, 8, 8).contiguous('channelsLast');
    const given = parametersOf(16);
    const asked = { input, shortcut: ops.clone(input), relu: true, weighting: input };
    const [first, second] = [passOf(true, asked, given), passOf(true, asked, given)];
    expect(first.map((each, index) => ops.equal(each, second[index] as Tensor))).not.toContain(
      false,
    );
    const spoilt = ops.clone(input);
    noGrad(() => ops.fill_(ops.select(spoilt, 1, 3), Number.NaN));
    const [result] = passOf(true, { ...asked, input: spoilt }, given) as [Tensor];
    const isNaNPart = (channel: number) =>
      ops.sum(ops.isnan(ops.select(result, 1, channel))).item();
    expect([isNaNPart(3), isNaNPart(2)]).toEqual([128, 0]);
  });

  it('is what the layer computes, in training alone, with autocast and without', () => {
    const layer = new BatchNorm2d(32);
    const input = random(2, 32, 6, 6).contiguous('channelsLast');
    const shortcut = random(2, 32, 6, 6).contiguous('channelsLast');
    const plain = () =>
      ops.relu(
        ops.add(
          ops.batchNorm(
            input,
            layer.weight,
            layer.bias,
            undefined,
            undefined,
            true,
            0.1,
            1e-5,
            true,
          ),
          shortcut,
        ),
      );
    layer.train();
    expect(difference(layer.activate(input, shortcut).detach(), plain().detach())).toBeLessThan(
      1e-6,
    );
    expect(layer.batchesTracked.item()).toBe(1);
    const halves = [input, shortcut].map((each) => each.to({ dtype: 'bfloat16' })) as [
      Tensor,
      Tensor,
    ];
    const half = autocast({ device: 'cpu', dtype: 'bfloat16' }, () => layer.activate(...halves));
    expect(half.dtype).toBe('bfloat16');
    expect(difference(half.detach(), plain().detach())).toBeLessThan(2e-2);
    layer.eval();
    const { runningMean, runningVariance } = layer;
    const [before, kept] = [ops.clone(runningMean), layer.activate(input, shortcut)];
    expect(ops.equal(runningMean, before)).toBe(true);
    const expected = ops.relu(
      ops.add(
        ops.batchNorm(
          input,
          layer.weight,
          layer.bias,
          runningMean,
          runningVariance,
          false,
          0.1,
          1e-5,
          true,
        ),
        shortcut,
      ),
    );
    expect(ops.equal(kept.detach(), expected.detach())).toBe(true);
  });
});
