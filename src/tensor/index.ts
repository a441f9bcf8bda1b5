import './allocator.ts';

export { hasProcessorAdam, type ProcessorAdamStep, processorAdam } from './adam.ts';
export { findCandidates } from './candidates.ts';
export { convolution, hasConvolution } from './convolution.ts';
export { fromTypedArray, tensor } from './creation.ts';
export {
  type DType,
  elementSize,
  halfToNumber,
  type MemoryFormat,
  type TypedArray,
  typedArrayOver,
} from './dtype.ts';
export { ownKernels } from './extensions.ts';
export { fastGelu, hasFastGelu } from './gelu.ts';
export { Generator, getRandomState, manualSeed, setRandomState } from './generator.ts';
export { describeGpu, type GpuFacts, gpuHasBFloat16, physicalGpu, readFacts } from './gpus.ts';
export { centredGram } from './gram.ts';
export {
  availableCores,
  cpuCapability,
  cudaDeviceCount,
  getThreadCount,
  libtorchConfiguration,
  libtorchCuda,
  libtorchVersion,
  processorHasBFloat16,
  returnFreedMemory,
  setDeterministic,
  setThreadCount,
  synchronize,
} from './machine.ts';
export {
  type AutocastOptions,
  autocast,
  autocastDType,
  backward,
  clearGradients,
  enableGrad,
  gradients,
  gradientsOf,
  inferenceMode,
  noGrad,
} from './modes.ts';
export { type FusedAdamStep, fusedAdam, multiplyAll_ } from './newer.ts';
export {
  hasNormalisation,
  mixedLayerNorm,
  trainingBatchNorm,
} from './normalisation.ts';
export * as ops from './operators.generated.ts';
export { processor } from './processor.ts';
export {
  type Device,
  DisposedTensorError,
  keep,
  liveTensors,
  type Scalar,
  scope,
  Tensor,
} from './tensor.ts';
