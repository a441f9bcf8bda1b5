/** Which tensors of a checkpoint belong to which of a model's. */
import {
  adaptCheckpointTensor,
  type FirstConvolution,
  type ImageModel,
  isOptionalInCheckpoint,
  mapCheckpointNames,
} from '../models/index.ts';
import { fromTypedArray, scope, type Tensor } from '../tensor/index.ts';
import type { StoredTensor, WeightFile } from './stored.ts';

export interface ShapeMismatch {
  name: string;
  /** The model's shape. */
  expected: readonly number[];
  /** The file's shape. */
  got: readonly number[];
}

/** How a checkpoint fits a model. Names are the model's, save those of `unexpected` and `ignored`. */
export interface MatchReport {
  /** Tensors of the model that the file has in the right shape, adapted ones included. */
  matched: string[];
  /** Tensors of the model that the file does not have, the head's included. */
  missing: string[];
  /** Tensors of the file that the model does not have, by the file's names. */
  unexpected: string[];
  wrongShape: ShapeMismatch[];
  /** Whether the head cannot come from the file: some tensor of it is missing or of another shape. */
  headReplaced: boolean;
  /** Matched tensors that are converted to the model's image size or channels. */
  adapted: ShapeMismatch[];
  /** Tensors of the file that the model is right to leave out, by the file's names, and why. */
  ignored: { name: string; reason: string }[];
  /** Tensors of the model that checkpoints may lack: batch counters, which then start at 0. */
  optional: string[];
}

export interface MatchOptions {
  /** How a first convolution of three channels serves one: see `adaptCheckpointTensor`. Default 'sum'. */
  firstConvolution?: FirstConvolution;
}

export function sameShape(left: readonly number[], right: readonly number[]): boolean {
  return left.length === right.length && left.every((size, axis) => size === right[axis]);
}

/**
 * A stored tensor as the model takes it: 16-bit floats as float32, other sizes adapted where that is
 * sound. Made in the caller's scope.
 */
export function toModelTensor(
  model: ImageModel,
  name: string,
  stored: StoredTensor,
  options: MatchOptions,
): Tensor {
  return scope(() => {
    const tensor = fromTypedArray(stored.bytes, stored.shape, { dtype: stored.dtype });
    const isHalf = stored.dtype === 'float16' || stored.dtype === 'bfloat16';
    const full = isHalf ? tensor.to({ dtype: 'float32' }) : tensor;
    return adaptCheckpointTensor(model, name, full, options);
  });
}

/** Whether a tensor of another shape can be adapted to the model. */
function isAdaptable(
  model: ImageModel,
  name: string,
  stored: StoredTensor,
  wanted: readonly number[],
  options: MatchOptions,
): boolean {
  return scope(() => sameShape(toModelTensor(model, name, stored, options).shape, wanted));
}

/**
 * Compares a checkpoint with a model by name and shape; values are not looked at. Nothing is thrown for
 * what does not fit: `loadWeights` decides.
 * @throws WorkError when two tensors of the file would be the same tensor of the model.
 */
export function matchWeights(
  model: ImageModel,
  file: WeightFile,
  options: MatchOptions = {},
): MatchReport {
  const { toFile, ignored } = mapCheckpointNames(model, file.tensors.keys());
  const report: MatchReport = {
    matched: [],
    missing: [],
    unexpected: [],
    wrongShape: [],
    headReplaced: false,
    adapted: [],
    ignored,
    optional: [],
  };
  const state = model.state();
  for (const [name, { shape }] of state) {
    const stored = file.tensors.get(toFile.get(name) ?? '');
    if (!stored) {
      (isOptionalInCheckpoint(name) ? report.optional : report.missing).push(name);
    } else if (sameShape(stored.shape, shape)) {
      report.matched.push(name);
    } else {
      const mismatch = { name, expected: shape, got: stored.shape };
      const fits = isAdaptable(model, name, stored, shape, options);
      if (fits) report.matched.push(name);
      (fits ? report.adapted : report.wrongShape).push(mismatch);
    }
  }
  for (const [name, fileName] of toFile) if (!state.has(name)) report.unexpected.push(fileName);
  const misfits = [...report.missing, ...report.wrongShape.map(({ name }) => name)];
  report.headReplaced = misfits.some((name) => model.isHead(name));
  return report;
}
