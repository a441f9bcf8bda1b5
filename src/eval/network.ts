/** Networks as checkpoint files have them, ready to be run over images. */
import {
  createModel,
  describeModel,
  type FirstConvolution,
  type ImageModel,
  mapCheckpointNames,
} from '../models/index.ts';
import { hashFile, RequestError, WorkError } from '../util/index.ts';
import { loadWeights, type MatchReport, readWeights, type WeightFile } from '../weights/index.ts';

export interface NetworkRequest {
  /** A checkpoint of any supported format. */
  weights: string;
  /** The network's id; without it, the one that the file names (carryover's own do). */
  model?: string;
  /** Pixels of a side; by default the model's own. */
  imageSize?: number;
  /** By default what the file's first convolution has, 1 or 3. */
  inputChannels?: 1 | 3;
  /** How a first convolution of three channels serves one. Default 'sum'. */
  firstConvolution?: FirstConvolution;
  /** Whether the head is wanted; without it, a file that has none will do. */
  needsHead?: boolean;
}

export interface OpenedNetwork {
  /** In evaluation mode, on the CPU; its owner disposes of it. */
  model: ImageModel;
  /** Outputs of the file's head; absent where it has none that fits, and the network's is all zero then. */
  classes?: number;
  weights: { path: string; sha256: string };
  /** How the file fitted. */
  report: MatchReport;
}

/**
 * Builds the network that a checkpoint is of, with as many outputs as its head has, and loads it.
 * @throws RequestError for an unknown model or none; WorkError for a file that does not fit it, that has
 *   NaN or infinity, or that lacks a head where one is needed.
 */
export async function openNetwork(request: NetworkRequest): Promise<OpenedNetwork> {
  // An unknown model is said before a large file is read.
  if (request.model !== undefined) describeModel(request.model);
  const { weights: path, imageSize, firstConvolution, needsHead = false } = request;
  const file = await readWeights(path);
  const id = request.model ?? modelNamedBy(file);
  const { inputChannels = channelsOf(file, id) } = request;
  const classes = headOutputs(file, id);
  const model = createModel(id, { classes: classes ?? 1, inputChannels, imageSize });
  try {
    const options = { allowHeadMismatch: true, firstConvolution };
    const report = loadWeights(model, file, options);
    if (report.headReplaced && needsHead) throw headless(path, model, report);
    return {
      model: model.eval(),
      ...(report.headReplaced ? {} : { classes: model.classes }),
      weights: { path, sha256: await hashFile(path) },
      report,
    };
  } catch (error) {
    model.dispose();
    throw error;
  }
}

function modelNamedBy({ path, metadata }: WeightFile): string {
  const { model } = metadata;
  if (model !== undefined) return model;
  throw new RequestError({
    where: path,
    expected: '--model, the network that the checkpoint is of',
    got: 'none, and the file does not name it',
    hint: 'for example --model resnet50; carryover models lists them',
  });
}

/** Runs `body` with a network of that id, to see names and shapes. */
function probe<T>(id: string, body: (model: ImageModel) => T): T {
  const model = createModel(id, { classes: 1 });
  try {
    return body(model);
  } finally {
    model.dispose();
  }
}

/** The file's shape of one of the model's tensors. */
function storedShape(file: WeightFile, model: ImageModel, name: string): readonly number[] {
  const { toFile } = mapCheckpointNames(model, file.tensors.keys());
  return file.tensors.get(toFile.get(name) ?? '')?.shape ?? [];
}

function channelsOf(file: WeightFile, id: string): 1 | 3 {
  return probe(id, (model) => storedShape(file, model, model.firstConvolution)[1]) === 1 ? 1 : 3;
}

/** Outputs of the file's head; `undefined` where it has none. */
function headOutputs(file: WeightFile, id: string): number | undefined {
  return probe(id, (model) => {
    const outputs = storedShape(file, model, `${model.headPrefix}weight`)[0];
    return outputs !== undefined && outputs > 0 ? outputs : undefined;
  });
}

function headless(path: string, model: ImageModel, report: MatchReport): WorkError {
  const missing = report.missing.filter((name) => model.isHead(name));
  const wrong = report.wrongShape.filter(({ name }) => model.isHead(name));
  const shapes = wrong.map(({ name, got }) => `${name} of shape [${got.join(', ')}]`);
  return new WorkError({
    where: path,
    expected: `a head for ${model.id}, to compute logits with`,
    got: [...missing.map((name) => `no ${name}`), ...shapes].join(', '),
    hint: 'leave --logits out, or name a checkpoint with its head',
  });
}
