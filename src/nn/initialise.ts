/**
 * Fills tensors in place with initial values, by the formulas of `torch.nn.init`. Every random one draws
 * from the generator that it is given and from nothing else: on one LibTorch, equal generators give equal
 * weights, and the same as PyTorch's with that seed.
 */
import {
  type Generator,
  noGrad,
  ops,
  scope,
  type Tensor,
  tensor as tensorOf,
} from '../tensor/index.ts';

/** Inputs and outputs that one weight tensor [outputs, inputs, ...kernel] connects. */
function fans(weight: Tensor): { fanIn: number; fanOut: number } {
  const [outputs, inputs, ...kernel] = weight.shape;
  if (outputs === undefined || inputs === undefined) {
    throw new Error(`Fans need two dimensions or more; the shape is [${weight.shape}].`);
  }
  const field = kernel.reduce((product, size) => product * size, 1);
  return { fanIn: inputs * field, fanOut: outputs * field };
}

/** Runs in-place operators on what may be a parameter. */
function filling(body: () => void): void {
  noGrad(() => scope(body));
}

export function zeros_(tensor: Tensor): void {
  filling(() => ops.zero_(tensor));
}

export function ones_(tensor: Tensor): void {
  filling(() => ops.fill_(tensor, 1));
}

export interface NormalOptions {
  mean?: number;
  /** Standard deviation. */
  std?: number;
  generator: Generator;
}

/** N(mean, std²). */
export function normal_(tensor: Tensor, { mean = 0, std = 1, generator }: NormalOptions): void {
  filling(() => ops.normal_(tensor, mean, std, { generator }));
}

/** Uniform on [low, high). */
export function uniform_(
  tensor: Tensor,
  { low, high, generator }: { low: number; high: number; generator: Generator },
): void {
  filling(() => ops.uniform_(tensor, low, high, { generator }));
}

export interface KaimingOptions {
  /** Whether activations (`fan_in`) or gradients (`fan_out`) keep their variance. */
  mode?: 'fan_in' | 'fan_out';
  /** What follows the layer; a leaky ReLU has the slope `negativeSlope`. */
  nonlinearity?: 'linear' | 'relu' | 'leaky_relu';
  /** Slope below zero of the leaky ReLU. */
  negativeSlope?: number;
  generator: Generator;
}

function kaimingDeviation(weight: Tensor, options: KaimingOptions): number {
  const { mode = 'fan_in', nonlinearity = 'leaky_relu', negativeSlope = 0 } = options;
  const { fanIn, fanOut } = fans(weight);
  const squaredGain = { linear: 1, relu: 2, leaky_relu: 2 / (1 + negativeSlope ** 2) };
  return Math.sqrt(squaredGain[nonlinearity]) / Math.sqrt(mode === 'fan_in' ? fanIn : fanOut);
}

/** N(0, gain² / fan) (He et al. 2015), as `kaiming_normal_`. */
export function kaimingNormal_(weight: Tensor, options: KaimingOptions): void {
  normal_(weight, { std: kaimingDeviation(weight, options), generator: options.generator });
}

/** Uniform with the variance gain² / fan (He et al. 2015), as `kaiming_uniform_`. */
export function kaimingUniform_(weight: Tensor, options: KaimingOptions): void {
  const bound = Math.sqrt(3) * kaimingDeviation(weight, options);
  uniform_(weight, { low: -bound, high: bound, generator: options.generator });
}

export interface TruncatedNormalOptions extends NormalOptions {
  /** Bounds of the values themselves, not multiples of `std`; -2 and 2 as in PyTorch and timm. */
  low?: number;
  high?: number;
}

/**
 * N(mean, std²) conditioned on [low, high], by inverting the distribution function, as
 * `trunc_normal_`. The vision transformers' std of 0.02 leaves the default bounds a formality.
 */
export function truncatedNormal_(tensor: Tensor, options: TruncatedNormalOptions): void {
  const { mean = 0, std = 1, low = -2, high = 2, generator } = options;
  if (mean < low - 2 * std || mean > high + 2 * std) {
    throw new Error(`A mean of ${mean} lies over two deviations outside [${low}, ${high}].`);
  }
  filling(() => {
    // In units of erf, where the normal distribution function is (1 + erf(z / √2)) / 2.
    const scores = [(low - mean) / std, (high - mean) / std].map((z) => z / Math.SQRT2);
    const bounds = ops.erf(tensorOf(scores, { dtype: 'float64' })).toArray();
    ops.uniform_(tensor, bounds[0], bounds[1], { generator });
    // A draw of exactly -1, one in 16.7 million, would become the lower bound itself: for the vision
    // transformers a weight a hundred deviations out, about one in every model. PyTorch lets it.
    ops.clamp_(tensor, -1 + 2 ** -24, 1 - 2 ** -24);
    ops.erfinv_(tensor);
    ops.mul_(tensor, std * Math.SQRT2);
    ops.add_(tensor, mean);
    ops.clamp_(tensor, low, high);
  });
}

/** A layer with a weight [outputs, inputs, ...kernel] and perhaps a bias. */
export interface Weighted {
  readonly weight: Tensor;
  readonly bias: Tensor | undefined;
}

/**
 * PyTorch's own default of `nn.Linear` and `nn.Conv2d`: weight and bias uniform within 1 / √(fan in).
 */
export function linearDefault_({ weight, bias }: Weighted, generator: Generator): void {
  kaimingUniform_(weight, { negativeSlope: Math.sqrt(5), generator });
  if (bias) {
    const bound = 1 / Math.sqrt(fans(weight).fanIn);
    uniform_(bias, { low: -bound, high: bound, generator });
  }
}
