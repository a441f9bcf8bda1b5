/** Training losses, averaged over what they are taken over. */
import { noGrad, ops, type Tensor } from '../tensor/index.ts';

/** ATen's codes of a loss's reduction. */
const MEAN = 1;
const SUM = 2;
/** PyTorch's label for "leave this sample out". */
const IGNORED_LABEL = -100;

/**
 * Softmax cross-entropy, averaged over samples, as `torch.nn.functional.cross_entropy`.
 *
 * @param logits [B, K] float
 * @param labels [B] int64, each in 0 … K - 1
 * @param options `labelSmoothing` ε in [0, 1): the target is (1 - ε) · one-hot + ε / K
 */
export function crossEntropy(
  logits: Tensor,
  labels: Tensor,
  { labelSmoothing = 0 }: { labelSmoothing?: number } = {},
): Tensor {
  return ops.crossEntropyLoss(logits, labels, undefined, MEAN, IGNORED_LABEL, labelSmoothing);
}

/**
 * Sigmoid cross-entropy of independent labels, averaged over all elements, or over those that `mask`
 * lets count; 0 where it lets none.
 *
 * @param logits [B, K] float
 * @param targets [B, K] float in [0, 1]
 * @param mask [B, K] float, 1 where the label is known and 0 where it is not
 */
export function binaryCrossEntropyWithLogits(
  logits: Tensor,
  targets: Tensor,
  mask?: Tensor,
): Tensor {
  if (!mask) {
    return ops.binaryCrossEntropyWithLogits(logits, targets, undefined, undefined, MEAN);
  }
  const total = ops.binaryCrossEntropyWithLogits(logits, targets, mask, undefined, SUM);
  const counted = noGrad(() => ops.clamp(ops.sum(mask), 1));
  return ops.div(total, counted);
}
