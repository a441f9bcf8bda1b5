export {
  adaptCheckpointTensor,
  type FirstConvolution,
  resizeBiasTable,
  resizePositionEmbedding,
  toOneChannel,
} from './adapt.ts';
export { collectTaps } from './collect.ts';
export { type InceptionPools, InceptionV3 } from './inception.ts';
export {
  type GeneratorSource,
  initialiseHead,
  initialiseRandom,
  type RandomScheme,
} from './initialise.ts';
export {
  type EmbeddingKind,
  ImageModel,
  type ModelOptions,
  type ModuleGroup,
  type Observer,
  owns,
  type RunOptions,
  type Segment,
  type SegmentResult,
  type Tap,
} from './model.ts';
export {
  type CheckpointNames,
  isOptionalInCheckpoint,
  mapCheckpointNames,
  stripWrapperPrefixes,
} from './names.ts';
export { type RecognisedCheckpoint, recogniseCheckpoint } from './recognise.ts';
export { createModel, describeModel, type ModelDescription, modelIds } from './registry.ts';
export { type TensorRole, tensorRoles } from './roles.ts';
