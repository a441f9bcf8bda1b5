import { getThreadCount, libtorchConfiguration, ops, type Tensor } from '../tensor/index.ts';

/**
 * Whether products of batches of float32 matrices go through oneDNN's grouped convolution. LibTorch
 * without MKL computes `bmm` as one BLAS call after another, each shared out among the threads: on two
 * threads no faster than on one, and several times slower where other processes compete for a core. The
 * grouped convolution is the same arithmetic with the batch shared out among the threads.
 */
let batchesAreSlow: boolean | undefined;

function hasSlowBatches(): boolean {
  if (batchesAreSlow === undefined) {
    const configuration = libtorchConfiguration();
    batchesAreSlow =
      process.arch === 'x64' &&
      configuration.includes('USE_MKLDNN=ON') &&
      !configuration.includes('BLAS_INFO=mkl');
  }
  return batchesAreSlow;
}

/**
 * Products of matrices, batch by batch, by whichever kernel is the faster: [N, I, K] and [N, K, J], both
 * contiguous, to [N, I, J].
 */
export function batchedProduct(left: Tensor, right: Tensor): Tensor {
  // Under autocast one of them may be float32 yet: the product is one of 16 bits.
  const isFloat = left.dtype === 'float32' && right.dtype === 'float32';
  if (left.device === 'cpu' && isFloat && getThreadCount() > 1 && hasSlowBatches()) {
    return productByConvolution(left, right);
  }
  return ops.bmm(left, right);
}

/** A batch is a group of a 1×1 convolution: its K rows are channels, its J columns pixels. */
function productByConvolution(left: Tensor, right: Tensor): Tensor {
  const [batches = 0, rows = 0, inner = 0] = left.shape;
  const columns = right.shape[2] ?? 0;
  const image = ops.reshape(right, [1, batches * inner, columns, 1]);
  const kernel = ops.reshape(left, [batches * rows, inner, 1, 1]);
  const product = ops.conv2d(image, kernel, undefined, 1, 0, 1, batches);
  return ops.reshape(product, [batches, rows, columns]);
}
