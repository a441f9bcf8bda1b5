export { gelu, relu, softmax } from './activation.ts';
export { type Attention, selfAttention } from './attention.ts';
export { Conv2d, type ConvolutionOptions } from './convolution.ts';
export { Dropout } from './dropout.ts';
export { Linear } from './linear.ts';
export { Layer, Module, type Placement, Sequential } from './module.ts';
export { BatchNorm2d, LayerNorm } from './normalisation.ts';
export { asPair, type Pair } from './pair.ts';
export { globalAveragePool, MaxPool2d, type PoolingOptions } from './pooling.ts';
