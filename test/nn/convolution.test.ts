import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  autocast,
  convolution,
  getThreadCount,
  gradients,
  hasConvolution,
  manualSeed,
  noGrad,
  ops,
  ownKernels,
  setThreadCount,
  type Tensor,
} from '../../src/tensor/index.ts';
import { difference, pass, random } from './passes.ts';

const threads = getThreadCount();
beforeAll(() => manualSeed(0));
afterEach(() => setThreadCount(threads));

/** The result of a convolution, and its gradients by image and weight. */
const passOf = (
  convolve: typeof convolution,
  image: Tensor,
  weight: Tensor,
  padding: number,
  weighting: Tensor,
) => pass((...[x, w]) => convolve(x as Tensor, w as Tensor, padding), [image, weight], weighting);

const direct = (image: Tensor, weight: Tensor, padding: number) =>
  ops.conv2d(image, weight, undefined, 1, padding);

describe.skipIf(!hasConvolution())('a convolution of stride 1', () => {
  it.each([
    { batch: 2, inputs: 16, outputs: 16, height: 7, width: 7, padding: 1 },
    { batch: 3, inputs: 64, outputs: 32, height: 14, width: 14, padding: 1 },
    { batch: 2, inputs: 32, outputs: 48, height: 9, width: 13, padding: 1 },
    { batch: 1, inputs: 32, outputs: 64, height: 35, width: 35, padding: 0 },
    { batch: 2, inputs: 128, outputs: 128, height: 28, width: 28, padding: 1 },
    { batch: 1, inputs: 512, outputs: 512, height: 7, width: 7, padding: 1 },
    { batch: 16, inputs: 64, outputs: 64, height: 40, width: 40, padding: 1 }, // several chunks
    { batch: 2, inputs: 24, outputs: 40, height: 5, width: 6, size: 1 },
    { batch: 4, inputs: 48, outputs: 32, height: 33, width: 33, size: 1 }, // sums of several threads
  ])(
    'equals the direct one in float64, and its gradients: $inputs to $outputs, $height × $width, padding $padding',
    ({ batch, inputs, outputs, height, width, padding = 0, size = 3 }) => {
      const image = random(batch, inputs, height, width);
      const weight = random(outputs, inputs, size, size);
      const lost = size - 1 - 2 * padding;
      const weighting = random(batch, outputs, height - lost, width - lost);
      const wide = [image, weight, weighting].map((each) => each.to({ dtype: 'float64' }));
      const [x, w, g] = wide as [Tensor, Tensor, Tensor];
      const expected = passOf(direct, x, w, padding, g);
      for (const layout of ['contiguous', 'channelsLast'] as const) {
        const found = passOf(convolution, image.contiguous(layout), weight, padding, weighting);
        expect(found.map(({ shape }) => shape)).toEqual(expected.map(({ shape }) => shape));
        for (const [index, each] of found.entries()) {
          expect(difference(each, expected[index] as Tensor)).toBeLessThan(1e-5);
        }
      }
    },
  );

  it('gives the same bits each time, with gradients and without', () => {
    const image = random(4, 64, 28, 28).contiguous('channelsLast');
    const weight = random(64, 64, 3, 3);
    const weighting = random(4, 64, 28, 28).contiguous('channelsLast');
    const first = passOf(convolution, image, weight, 1, weighting);
    for (let repeat = 0; repeat < 5; repeat++) {
      const again = passOf(convolution, image, weight, 1, weighting);
      for (const [index, each] of again.entries()) {
        expect(ops.equal(each, first[index] as Tensor)).toBe(true);
      }
    }
    const plain = noGrad(() => convolution(image, weight, 1));
    expect(ops.equal(plain, first[0] as Tensor)).toBe(true);
    expect(plain.isContiguous('channelsLast')).toBe(true);
  });

  it('is not the direct one: the methods are at work', () => {
    const image = random(2, 64, 28, 28).contiguous('channelsLast');
    const weight = random(64, 64, 3, 3);
    expect(ops.equal(convolution(image, weight, 1), direct(image, weight, 1))).toBe(false);
    if (!ownKernels().includes('oneDNN')) return;
    const narrow = random(64, 64, 1, 1);
    const [, ...found] = passOf(convolution, image, narrow, 0, image);
    const [, ...plain] = passOf(direct, image, narrow, 0, image);
    expect(found.map((each, index) => ops.equal(each, plain[index] as Tensor))).not.toContain(true);
  });

  it.each([
    { size: 3, height: 28 },
    { size: 1, height: 28 },
    { size: 1, height: 48 }, // more pixels than products are faster for
  ])(
    'under autocast equals the one of LibTorch in 16 bits, and its gradients: $size × $size, $height px',
    ({ size, height }) => {
      const image = random(2, 64, height, height).contiguous('channelsLast');
      const weight = random(32, 64, size, size);
      const padding = (size - 1) / 2;
      const weighting = random(2, 32, height, height)
        .contiguous('channelsLast')
        .to({ dtype: 'bfloat16' });
      const inBFloat16 = (convolve: typeof convolution) => (x: Tensor, w: Tensor, p: number) =>
        autocast({ device: 'cpu', dtype: 'bfloat16' }, () => convolve(x, w, p));
      const found = passOf(inBFloat16(convolution), image, weight, padding, weighting);
      const plain = passOf(inBFloat16(direct), image, weight, padding, weighting);
      const round = (each: Tensor) => each.to({ dtype: 'bfloat16' }).to({ dtype: 'float64' });
      const exact = passOf(direct, round(image), round(weight), padding, round(weighting));
      expect(found.map(({ dtype }) => dtype)).toEqual(['bfloat16', 'float32', 'float32']);
      for (const [index, each] of found.entries()) {
        const expected = exact[index] as Tensor;
        const allowed = 1.1 * difference(plain[index] as Tensor, expected);
        expect(difference(each, expected)).toBeLessThanOrEqual(allowed);
      }
    },
  );

  it('goes back with another number of threads than it came with', () => {
    const image = random(2, 32, 14, 14);
    image.requiresGrad = true;
    const weight = random(32, 32, 3, 3);
    setThreadCount(1);
    const result = convolution(image, weight, 1);
    setThreadCount(2);
    const [gradient] = gradients([ops.sum(result)], [image]);
    const copy = image.detach();
    copy.requiresGrad = true;
    const [expected] = gradients([ops.sum(direct(copy, weight, 1))], [copy]);
    expect(difference(gradient as Tensor, expected as Tensor)).toBeLessThan(1e-5);
  });

  it('is LibTorch’s own for other types and where the methods do not pay', () => {
    const narrow = [random(2, 3, 28, 28), random(64, 3, 3, 3)] as const;
    const small = [random(2, 64, 4, 4), random(64, 64, 3, 3)] as const;
    const image = random(2, 64, 28, 28);
    const weight = random(64, 64, 3, 3);
    const double = [image.to({ dtype: 'float64' }), weight.to({ dtype: 'float64' })] as const;
    for (const [x, w] of [narrow, small, double]) {
      expect(ops.equal(convolution(x, w, 1), direct(x, w, 1))).toBe(true);
    }
  });

  it('refuses second derivatives, which would be silently wrong', () => {
    const image = random(1, 16, 8, 8);
    image.requiresGrad = true;
    const result = convolution(image, random(16, 16, 3, 3), 1);
    expect(() => gradients([ops.sum(result)], [image], { createGraph: true })).toThrow(
      'first derivatives only',
    );
  });
});
