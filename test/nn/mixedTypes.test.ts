/** Kernels that read and write 16-bit floats: as near to the definition as the type lets them be. */
import { beforeAll, describe, expect, it } from 'vitest';
import { gelu, LayerNorm } from '../../src/nn/index.ts';
import {
  autocast,
  type DType,
  fastGelu,
  hasFastGelu,
  hasNormalisation,
  manualSeed,
  mixedLayerNorm,
  ops,
  type Tensor,
  tensor,
} from '../../src/tensor/index.ts';
import { difference, pass, random } from './passes.ts';

beforeAll(() => manualSeed(0));

const wide = (each: Tensor) => each.to({ dtype: 'float64' });
const half = (each: Tensor) => each.to({ dtype: 'bfloat16' });

describe.skipIf(!hasFastGelu())('GELU in bfloat16', () => {
  it.each([1, 16, 63, 64, 1000])(
    'equals LibTorch’s in float64, and its gradient: %i numbers',
    (count) => {
      const input = half(ops.mul(random(count), 3));
      const weighting = half(random(count));
      const found = pass(fastGelu, [input], weighting);
      const expected = pass((x) => ops.gelu(x), [wide(input)], wide(weighting));
      for (const [index, each] of found.entries()) {
        expect(each.dtype).toBe('bfloat16');
        expect(difference(each, expected[index] as Tensor)).toBeLessThan(2 ** -8);
      }
    },
  );

  it('is right to bfloat16’s last digit for every number there is', () => {
    const bits = new Uint16Array(2 ** 16).map((_, index) => index);
    const all = tensor(bits, { dtype: 'bfloat16' });
    const input = ops.where(ops.lt(ops.abs(all), 30), all, ops.zerosLike(all));
    const expected = ops.gelu(wide(input)).toArray();
    const found = wide(fastGelu(input)).toArray();
    const far = found.filter((value, index) => {
      const exact = expected[index] as number;
      // 1 - erf of great numbers is known to 1.5e-7, times x.
      return Math.abs(value - exact) > Math.abs(exact) * 2 ** -8 + 1e-6;
    });
    expect(far).toEqual([]);
  });

  it('keeps NaN, and takes what lies otherwise', () => {
    const [nan, large] = fastGelu(half(tensor([Number.NaN, 1e30]))).toArray();
    expect(nan).toBeNaN();
    expect(large).toBeCloseTo(1e30, -28);
    const turned = ops.transpose(half(random(4, 6)), 0, 1);
    expect(fastGelu(turned).toArray()).toEqual(fastGelu(turned.contiguous()).toArray());
    const cut = ops.narrow(half(random(4, 6)), 1, 0, 3);
    expect(ops.equal(fastGelu(cut), ops.gelu(cut))).toBe(true);
  });

  it('is LibTorch’s for other types, bit for bit', () => {
    const input = random(100);
    expect(ops.equal(gelu(input), ops.gelu(input))).toBe(true);
  });
});

describe.skipIf(!hasNormalisation())('layer norm from one type to another', () => {
  const types: DType[] = ['float32', 'bfloat16'];
  const cases = types.flatMap((from) => types.map((to) => ({ from, to })));

  it.each(cases)(
    'equals LibTorch’s in float64, and its gradients: $from to $to',
    ({ from, to }) => {
      for (const shape of [
        [3, 5, 96],
        [500, 384],
        [1, 16],
      ]) {
        const features = shape.at(-1) ?? 0;
        // A mean of several deviations, as residual streams have.
        const input = ops.add(random(...shape), 5).to({ dtype: from });
        const [weight, bias] = [random(features), random(features)];
        const weighting = random(...shape).to({ dtype: to });
        const found = pass(
          (x, w, b) => mixedLayerNorm(x, w, b, 1e-6, to),
          [input, weight, bias],
          weighting,
        );
        const expected = pass(
          (x, w, b) => ops.layerNorm(x, [features], w, b, 1e-6),
          [wide(input), wide(weight), wide(bias)],
          wide(weighting),
        );
        expect(found.map(({ dtype }) => dtype)).toEqual([to, from, 'float32', 'float32']);
        for (const [index, each] of found.entries()) {
          const bound = each.dtype === 'bfloat16' ? 2 ** -8 : 3e-6;
          expect(difference(each, expected[index] as Tensor)).toBeLessThan(bound);
        }
      }
    },
  );

  it('goes to LibTorch’s for what it does not take', () => {
    const [input, weight, bias] = [random(4, 20), random(20), random(20)] as [
      Tensor,
      Tensor,
      Tensor,
    ];
    const expected = ops.layerNorm(input, [20], weight, bias, 1e-6);
    expect(ops.equal(mixedLayerNorm(input, weight, bias, 1e-6, 'float32'), expected)).toBe(true);
    const narrow = mixedLayerNorm(half(input), weight, bias, 1e-6, 'bfloat16');
    expect(narrow.dtype).toBe('bfloat16');
    expect(difference(narrow, expected)).toBeLessThan(2 ** -6);
  });

  it('gives the same bits each time', () => {
    const [input, weight, bias, weighting] = [
      random(999, 64),
      random(64),
      random(64),
      random(999, 64),
    ];
    const once = () =>
      pass(
        (x, w, b) => mixedLayerNorm(x, w, b, 1e-6, 'float32'),
        [input, weight, bias] as Tensor[],
        weighting,
      );
    const [first, second] = [once(), once()];
    expect(first.map((each, index) => ops.equal(each, second[index] as Tensor))).not.toContain(
      false,
    );
  });

  it('is in the type of linear layers at once where it is for them, under autocast alone', () => {
    const input = random(2, 32);
    const [forLinear, plain] = [new LayerNorm(32, { isForLinear: true }), new LayerNorm(32)];
    const types = () => [forLinear, plain].map((layer) => layer.forward(input).dtype);
    expect(types()).toEqual(['float32', 'float32']);
    expect(autocast({ device: 'cpu', dtype: 'bfloat16' }, types)).toEqual(['bfloat16', 'float32']);
    expect(types()).toEqual(['float32', 'float32']);
  });
});
