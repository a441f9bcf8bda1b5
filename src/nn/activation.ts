/** Activations without parameters, as functions. */
import { fastGelu, hasFastGelu, ops, type Tensor } from '../tensor/index.ts';

/** max(x, 0). */
export function relu(input: Tensor): Tensor {
  return ops.relu(input);
}

/** x · Φ(x) with the exact error function (Hendrycks and Gimpel 2016), `torch.nn.GELU()`. */
export function gelu(input: Tensor): Tensor {
  return hasFastGelu() ? fastGelu(input) : ops.gelu(input);
}

/** exp(x) normalised to sum 1 along `dimension`. */
export function softmax(input: Tensor, dimension: number): Tensor {
  return ops.softmax(input, dimension);
}
