import { describe, expect, it } from 'vitest';
import { Conv2d, initialise, Linear } from '../../src/nn/index.ts';
import { Generator, ops, scope, type Tensor } from '../../src/tensor/index.ts';
import { expectGolden, type Packed, readGolden } from './golden.ts';

type Draw = Packed & { seed: number };
interface LayerDraw {
  seed: number;
  weight: Packed;
  bias: Packed;
}

const golden = readGolden<
  Record<
    | 'kaimingNormalFanOut'
    | 'kaimingNormalFanIn'
    | 'kaimingUniform'
    | 'kaimingUniformRelu'
    | 'truncatedNormal'
    | 'truncatedNormalTight',
    Draw
  > &
    Record<'linear' | 'convolution', LayerDraw>
>('initialise');

function check(draw: Draw, fill: (tensor: Tensor, generator: Generator) => void): void {
  scope(() => {
    using generator = new Generator(draw.seed);
    const tensor = ops.zeros(draw.shape);
    tensor.requiresGrad = true;
    fill(tensor, generator);
    expectGolden(tensor, draw);
  });
}

describe('initialisers draw what PyTorch draws', () => {
  it('kaiming normal', () => {
    check(golden.kaimingNormalFanOut, (tensor, generator) =>
      initialise.kaimingNormal_(tensor, { mode: 'fan_out', nonlinearity: 'relu', generator }),
    );
    check(golden.kaimingNormalFanIn, (tensor, generator) =>
      initialise.kaimingNormal_(tensor, { mode: 'fan_in', nonlinearity: 'linear', generator }),
    );
  });

  it('kaiming uniform', () => {
    check(golden.kaimingUniform, (tensor, generator) =>
      initialise.kaimingUniform_(tensor, { negativeSlope: Math.sqrt(5), generator }),
    );
    check(golden.kaimingUniformRelu, (tensor, generator) =>
      initialise.kaimingUniform_(tensor, { mode: 'fan_out', nonlinearity: 'relu', generator }),
    );
  });

  it('truncated normal', () => {
    check(golden.truncatedNormal, (tensor, generator) =>
      initialise.truncatedNormal_(tensor, { std: 0.02, generator }),
    );
    check(golden.truncatedNormalTight, (tensor, generator) =>
      initialise.truncatedNormal_(tensor, { mean: 0.5, std: 1, low: -0.25, high: 1, generator }),
    );
  });

  it('the default of linear layers and convolutions', () => {
    for (const [layer, draw] of [
      [new Linear(7, 5), golden.linear],
      [new Conv2d(3, 4, 3), golden.convolution],
    ] as const) {
      using generator = new Generator(draw.seed);
      initialise.linearDefault_(layer, generator);
      expectGolden(layer.weight, draw.weight);
      expectGolden(layer.bias, draw.bias);
      layer.dispose();
    }
  });
});

describe('properties of initialisers', () => {
  const deviation = (tensor: Tensor) =>
    Math.sqrt(ops.var(tensor, undefined, { correction: 1 }).item());

  it('kaiming keeps the stated variance, by fan out and fan in', () =>
    scope(() => {
      using generator = new Generator(1);
      const weight = ops.zeros([64, 32, 3, 3]);
      initialise.kaimingNormal_(weight, { mode: 'fan_out', nonlinearity: 'relu', generator });
      expect(deviation(weight)).toBeAllclose(Math.sqrt(2 / (64 * 9)), { relative: 0.02 });
      initialise.kaimingUniform_(weight, { nonlinearity: 'relu', generator });
      expect(deviation(weight)).toBeAllclose(Math.sqrt(2 / (32 * 9)), { relative: 0.02 });
    }));

  it('the truncated normal stays within its bounds, and far within wide ones', () =>
    scope(() => {
      using generator = new Generator(2);
      const tensor = ops.zeros([200_000]);
      initialise.truncatedNormal_(tensor, { std: 1, low: -0.5, high: 2, generator });
      expect(ops.min(tensor).item()).toBeGreaterThanOrEqual(-0.5);
      expect(ops.max(tensor).item()).toBeLessThanOrEqual(2);
      // So narrow that rounding alone would leave the bounds.
      initialise.truncatedNormal_(tensor, { std: 1, low: 1, high: 1 + 2 ** -22, generator });
      expect(ops.min(tensor).item()).toBeGreaterThanOrEqual(1);
      expect(ops.max(tensor).item()).toBeLessThanOrEqual(1 + 2 ** -22);
      // Of 200,000 uniform draws from this seed, number 96,765 is exactly -1.
      using rare = new Generator(84);
      initialise.truncatedNormal_(tensor, { std: 0.02, generator: rare });
      expect(ops.amax(ops.abs(tensor)).item()).toBeLessThan(0.02 * 6);
      expect(deviation(tensor)).toBeAllclose(0.02, { relative: 0.01 });
    }));

  it('equal seeds give equal values, others do not; the default generator is not touched', () =>
    scope(() => {
      const draw = (seed: number) => {
        using generator = new Generator(seed);
        const tensor = ops.zeros([20]);
        initialise.normal_(tensor, { generator });
        return tensor.toArray();
      };
      expect(draw(3)).toEqual(draw(3));
      expect(draw(3)).not.toEqual(draw(4));
    }));

  it('zeros and ones', () =>
    scope(() => {
      const layer = new Linear(2, 1);
      initialise.ones_(layer.weight);
      expect(layer.weight.toArray()).toEqual([1, 1]);
      initialise.zeros_(layer.weight);
      expect(layer.weight.toArray()).toEqual([0, 0]);
      expect(layer.weight.requiresGrad).toBe(true);
      layer.dispose();
    }));

  it('refuse what has no fans, and a mean far outside the bounds', () =>
    scope(() => {
      using generator = new Generator(0);
      expect(() => initialise.kaimingNormal_(ops.zeros([3]), { generator })).toThrow(/\[3\]/);
      expect(() => initialise.truncatedNormal_(ops.zeros([3]), { mean: 9, generator })).toThrow(
        /outside/,
      );
    }));
});
