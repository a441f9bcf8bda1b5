/** The network that a run starts from: built, initialised, placed. */
import { createModel, type ImageModel } from '../models/index.ts';
import { parseInit, type RunConfig } from '../results/index.ts';
import { scope } from '../tensor/index.ts';
import { initialise } from '../transfer/index.ts';
import { readWeights } from '../weights/index.ts';

export interface NetworkOptions {
  /** Outputs of the head. */
  outputs: number;
  /** Pixels of a side. */
  size: number;
  device: string;
}

/** An uninitialised network in its place. */
export function buildNetwork(
  config: RunConfig,
  { outputs, size, device }: NetworkOptions,
): ImageModel {
  const model = createModel(config.model, {
    classes: outputs,
    imageSize: size,
    inputChannels: config.training.inputChannels,
  });
  if (device !== 'cpu') model.to({ device });
  return model;
}

/**
 * Initialises it on the CPU as the configuration says.
 * @returns what was done, for the record, and how the checkpoint was taken, for people.
 */
export async function initialiseNetwork(
  model: ImageModel,
  config: RunConfig,
): Promise<{ record: Record<string, unknown>; summary: string | undefined }> {
  const weights =
    config.init === 'ri' || config.weights === undefined
      ? undefined
      : await readWeights(config.weights);
  const { norm, tokens, kaiming, firstConv } = config.initOptions;
  const report = scope(() =>
    initialise(model, {
      ...parseInit(config.init),
      weights,
      seed: config.seed,
      norm,
      tokens,
      kaiming,
      firstConvolution: firstConv,
    }),
  );
  // By number: the names are many, and follow from the model and the options.
  const tensors = Object.entries(report.tensors).map(([what, names]) => [what, names.length]);
  const { checkpoint } = report;
  return {
    record: { ...report, tensors: Object.fromEntries(tensors) },
    summary: checkpoint && `weights of ${checkpoint.path}: ${checkpoint.summary}`,
  };
}

/** Trainable numbers. */
export function countParameters(model: ImageModel): number {
  return [...model.namedParameters().values()].reduce((sum, { elementCount }) => {
    return sum + elementCount;
  }, 0);
}
