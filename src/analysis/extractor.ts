/**
 * The two networks whose last pooling, 2,048 features, FID is measured with. Images are resized to 299
 * pixels without a crop and brought from 0…1 to −1…1, as both were trained (torchvision's
 * `transform_input=True` comes to the same).
 */
import { InceptionV3, mapCheckpointNames } from '../models/index.ts';
import { type Device, inferenceMode, scope, type Tensor } from '../tensor/index.ts';
import { hashFile, nearestNames, RequestError, WorkError } from '../util/index.ts';
import { loadWeights, readWeights, type WeightFile } from '../weights/index.ts';

/**
 * `fid-inception`: the TensorFlow graph of 2015-12-05 in its published PyTorch form
 * (`pt_inception-2015-12-05-6726825d.pth`), with which published FIDs are computed. `torchvision`:
 * torchvision's Inception v3. Their numbers cannot be compared.
 */
export type ExtractorName = 'fid-inception' | 'torchvision';

export const extractorNames: readonly ExtractorName[] = ['fid-inception', 'torchvision'];

export const EXTRACTOR_SIZE = 299;
export const EXTRACTOR_FEATURES = 2048;
export const EXTRACTOR_NORM = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] } as const;

/** Outputs of the TensorFlow graph's head, by which its weights are told from torchvision's. */
const FID_CLASSES = 1008;
const TORCHVISION_CLASSES = 1000;

export interface Extractor {
  name: ExtractorName;
  weights: { path: string; sha256: string };
  /** [B, 3, 299, 299] to [B, 2048]. */
  features(images: Tensor): Tensor;
  dispose(): void;
}

/** @throws RequestError for an unknown name, with the nearest. */
export function parseExtractor(name: string): ExtractorName {
  const found = extractorNames.find((known) => known === name);
  if (found) return found;
  const near = nearestNames(name, extractorNames);
  throw new RequestError({
    where: '--extractor',
    expected: extractorNames.join(' or '),
    got: `"${name}"`,
    hint: near.length > 0 ? `did you mean ${near.join(' or ')}?` : undefined,
  });
}

/** @throws RequestError for a file that cannot be read; WorkError for weights of another network. */
export async function openExtractor(
  name: ExtractorName,
  path: string,
  device: Device,
): Promise<Extractor> {
  const file = await readWeights(path);
  const isFid = name === 'fid-inception';
  const model = new InceptionV3(
    {
      id: 'inception_v3',
      family: 'cnn',
      classes: isFid ? FID_CLASSES : TORCHVISION_CLASSES,
      inputChannels: 3,
      inputSize: EXTRACTOR_SIZE,
    },
    isFid ? 'fid' : 'torchvision',
  ).to({ memoryFormat: 'channelsLast' });
  try {
    requireHead(name, model, file);
    loadWeights(model, file);
    model.eval().to({ device });
  } catch (error) {
    model.dispose();
    throw error;
  }
  return {
    name,
    weights: { path, sha256: await hashFile(path) },
    features: (images) => scope(() => inferenceMode(() => model.features(images.to({ device })))),
    dispose: () => model.dispose(),
  };
}

/** The two networks have the same names and differ in how they pool: the head tells which it is. */
function requireHead(name: ExtractorName, model: InceptionV3, file: WeightFile): void {
  const { toFile } = mapCheckpointNames(model, file.tensors.keys());
  const outputs = file.tensors.get(toFile.get('fc.weight') ?? '')?.shape[0];
  if (outputs === undefined || outputs === model.classes) return;
  const other = extractorNames.find((known) => known !== name);
  const isOther = outputs === (name === 'torchvision' ? FID_CLASSES : TORCHVISION_CLASSES);
  throw new WorkError({
    where: file.path,
    expected: `the weights of ${name}, whose head has ${model.classes} outputs`,
    got: `a head of ${outputs} outputs`,
    hint: isOther ? `these look like those of --extractor ${other}` : 'name the published file',
  });
}
