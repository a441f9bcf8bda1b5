import {
  autocastDType,
  hasNormalisation,
  mixedLayerNorm,
  noGrad,
  ops,
  type Tensor,
  trainingBatchNorm,
} from '../tensor/index.ts';
import { RequestError } from '../util/index.ts';
import { Layer } from './module.ts';

/**
 * Batch normalisation over [B, C, H, W], as `torch.nn.BatchNorm2d`. In training it normalises by the
 * batch's mean and biased variance and moves the running statistics by
 * `running = (1 - momentum) · running + momentum · batch`, with the unbiased variance; in evaluation it
 * normalises by the running statistics. A new layer is the identity: weight 1, bias 0, mean 0, variance 1.
 */
export class BatchNorm2d extends Layer {
  readonly weight: Tensor;
  readonly bias: Tensor;
  readonly runningMean: Tensor;
  readonly runningVariance: Tensor;
  /** Training batches seen: an int64 scalar that PyTorch saves with the layer. */
  readonly batchesTracked: Tensor;
  readonly #epsilon: number;
  readonly #momentum: number;

  constructor(
    channels: number,
    { epsilon = 1e-5, momentum = 0.1 }: { epsilon?: number; momentum?: number } = {},
  ) {
    super();
    this.weight = this.parameter('weight', ops.ones([channels]));
    this.bias = this.parameter('bias', ops.zeros([channels]));
    this.runningMean = this.buffer('running_mean', ops.zeros([channels]));
    this.runningVariance = this.buffer('running_var', ops.ones([channels]));
    this.batchesTracked = this.buffer('num_batches_tracked', ops.zeros([], { dtype: 'int64' }));
    this.#epsilon = epsilon;
    this.#momentum = momentum;
  }

  /**
   * [B, C, H, W] to the same shape.
   * @throws RequestError in training for one value a channel, which has no variance.
   */
  override forward(input: Tensor): Tensor {
    return this.#apply(input, undefined, false);
  }

  /**
   * ReLU of the normalised input, to which a shortcut may be added first: [B, C, H, W] to the same shape.
   * @throws RequestError as `forward`
   */
  activate(input: Tensor, shortcut?: Tensor): Tensor {
    return this.#apply(input, shortcut, true);
  }

  #apply(input: Tensor, shortcut: Tensor | undefined, relu: boolean): Tensor {
    const { weight, bias, runningMean, runningVariance, training } = this;
    const [momentum, epsilon] = [this.#momentum, this.#epsilon];
    if (training) {
      requireSeveral(input);
      noGrad(() => ops.add_(this.batchesTracked, 1));
    }
    if (training && hasNormalisation()) {
      const running = { runningMean, runningVariance, momentum };
      return trainingBatchNorm({ input, shortcut, weight, bias, ...running, epsilon, relu });
    }
    const normalised = ops.batchNorm(
      input,
      weight,
      bias,
      runningMean,
      runningVariance,
      training,
      momentum,
      epsilon,
      true,
    );
    // In its own memory: batch norm's derivative does not read its result.
    const sum = shortcut ? ops.add_(normalised, shortcut) : normalised;
    return relu ? ops.relu_(sum) : sum;
  }
}

/** The running variance would be a division by zero, as in PyTorch, which refuses this, too. */
function requireSeveral({ shape: [batch = 0, , height = 0, width = 0] }: Tensor): void {
  if (batch * height * width > 1) return;
  throw new RequestError({
    where: 'batch normalisation in training',
    expected: 'more than one value in each channel',
    got: `a batch of ${batch} image of ${height} × ${width} pixels at that depth`,
    hint: 'raise batchSize or size, or train on more images',
  });
}

/**
 * Normalises the last dimension to mean 0 and (biased) variance 1, then scales and shifts, as
 * `torch.nn.LayerNorm`. PyTorch's default epsilon is 1e-5; the vision transformers use 1e-6.
 */
export class LayerNorm extends Layer {
  readonly weight: Tensor;
  readonly bias: Tensor;
  readonly #features: number;
  readonly #epsilon: number;
  readonly #isForLinear: boolean;

  /** @param isForLinear its result goes to linear layers alone: under autocast it is in their type at once */
  constructor(
    features: number,
    { epsilon = 1e-5, isForLinear = false }: { epsilon?: number; isForLinear?: boolean } = {},
  ) {
    super();
    this.weight = this.parameter('weight', ops.ones([features]));
    this.bias = this.parameter('bias', ops.zeros([features]));
    this.#features = features;
    this.#epsilon = epsilon;
    this.#isForLinear = isForLinear;
  }

  /** [..., features] to the same shape, in the type of the weights, or in that of the linear layers it is for. */
  override forward(input: Tensor): Tensor {
    const { weight, bias } = this;
    const dtype = (this.#isForLinear && autocastDType(input.device)) || weight.dtype;
    if (hasNormalisation()) return mixedLayerNorm(input, weight, bias, this.#epsilon, dtype);
    // LibTorch 1.13 mixes no types here.
    const full = input.dtype === weight.dtype ? input : input.to({ dtype: weight.dtype });
    return ops.layerNorm(full, [this.#features], weight, bias, this.#epsilon);
  }
}
