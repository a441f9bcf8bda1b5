export { gelu, relu, softmax } from './activation.ts';
export { type Attention, selfAttention } from './attention.ts';
export { batchedProduct } from './batched.ts';
export { clipGradientNorm } from './clipping.ts';
export { Conv2d, type ConvolutionOptions } from './convolution.ts';
export { Dropout } from './dropout.ts';
export * as initialise from './initialise.ts';
export { Linear } from './linear.ts';
export { binaryCrossEntropyWithLogits, crossEntropy } from './losses.ts';
export { Layer, Module, type Placement, Sequential } from './module.ts';
export { BatchNorm2d, LayerNorm } from './normalisation.ts';
export {
  Adam,
  type AdamKernels,
  AdamW,
  decayGroups,
  type OptimiserOptions,
  type ParameterGroup,
} from './optimiser.ts';
export { asPair, type Pair } from './pair.ts';
export { globalAveragePool, MaxPool2d, type PoolingOptions } from './pooling.ts';
export {
  type ScheduleOptions,
  type ScheduleState,
  type Verdict,
  WarmupPlateau,
} from './schedule.ts';
