/**
 * The official ImageNet-1k checkpoints of the networks, by public address.
 *
 * Addresses as their publishers state them:
 * - https://github.com/pytorch/vision/tree/main/torchvision/models (resnet.py, inception.py,
 *   swin_transformer.py);
 * - https://github.com/facebookresearch/deit/blob/main/README_deit.md;
 * - https://github.com/microsoft/Swin-Transformer/blob/main/README.md.
 *
 * torchvision's and DeiT's file names end in the first digits of the file's SHA-256, which PyTorch's own
 * downloader checks (`check_hash` of `torch.hub.load_state_dict_from_url`). None of the three states a whole
 * hash of these files.
 */
import { nearestNames, RequestError } from '../util/index.ts';

/** A published checkpoint. */
export interface WeightSource {
  model: string;
  /** Tells a model's checkpoints apart. */
  release: string;
  publisher: string;
  url: string;
  /** The whole SHA-256 in hexadecimal, where the publisher states it. */
  sha256?: string;
}

const torchvision = 'https://download.pytorch.org/models';
const deit = 'https://dl.fbaipublicfiles.com/deit';
const swin = 'https://github.com/SwinTransformer/storage/releases/download';

function source(model: string, release: string, publisher: string, url: string): WeightSource {
  return { model, release, publisher, url };
}

/** A model's first is its default: what the paper's authors had, not what is newest. */
const sources: readonly WeightSource[] = [
  source('resnet18', 'imagenet1k_v1', 'torchvision', `${torchvision}/resnet18-f37072fd.pth`),
  source('resnet50', 'imagenet1k_v1', 'torchvision', `${torchvision}/resnet50-0676ba61.pth`),
  source('resnet50', 'imagenet1k_v2', 'torchvision', `${torchvision}/resnet50-11ad3fa6.pth`),
  source('resnet152', 'imagenet1k_v1', 'torchvision', `${torchvision}/resnet152-394f9c45.pth`),
  source('resnet152', 'imagenet1k_v2', 'torchvision', `${torchvision}/resnet152-f82ba261.pth`),
  source(
    'inception_v3',
    'imagenet1k_v1',
    'torchvision',
    `${torchvision}/inception_v3_google-0cc3c7bd.pth`,
  ),
  source(
    'deit_tiny',
    'deit',
    'facebookresearch/deit',
    `${deit}/deit_tiny_patch16_224-a1311bcf.pth`,
  ),
  source(
    'deit_small',
    'deit',
    'facebookresearch/deit',
    `${deit}/deit_small_patch16_224-cd65a155.pth`,
  ),
  source(
    'deit_base',
    'deit',
    'facebookresearch/deit',
    `${deit}/deit_base_patch16_224-b5f2ef4d.pth`,
  ),
  source(
    'swin_tiny',
    'microsoft',
    'microsoft/Swin-Transformer',
    `${swin}/v1.0.0/swin_tiny_patch4_window7_224.pth`,
  ),
  source('swin_tiny', 'torchvision', 'torchvision', `${torchvision}/swin_t-704ceda3.pth`),
];

/** Every published checkpoint that is known here; a model's default comes first. */
export function weightSources(): readonly WeightSource[] {
  return sources;
}

/** `resnet50.imagenet1k_v2`: a source's name, which `findSource` takes. */
export function sourceName({ model, release }: WeightSource): string {
  return `${model}.${release}`;
}

/** The name of the published file. */
export function sourceFile({ url }: WeightSource): string {
  return url.slice(url.lastIndexOf('/') + 1);
}

/** The first digits of the file's SHA-256, where its name ends in them: `resnet50-0676ba61.pth`. */
export function hashPrefix(source: WeightSource): string | undefined {
  return /-([0-9a-f]{8,64})\.\w+$/.exec(sourceFile(source))?.[1];
}

/** The source of that name, or a model's default; `undefined` for any other text. */
export function sourceNamed(name: string): WeightSource | undefined {
  // A truncated network takes the whole one's checkpoint.
  const whole = name.replace(/:[1-9]\d*$/, '');
  return sources.find((source) => source.model === whole || sourceName(source) === whole);
}

/**
 * The source of that name, or a model's default.
 * @throws RequestError with the nearest names, or, for a model without published weights, a word on that.
 */
export function findSource(name: string, modelIds: readonly string[]): WeightSource {
  const found = sourceNamed(name);
  if (found) return found;
  const names = [...new Set(sources.map(({ model }) => model)), ...sources.map(sourceName)];
  if (modelIds.includes(name)) {
    throw new RequestError({
      where: `weights of ${name}`,
      expected: `a model with published weights: ${names.join(', ')}`,
      got: `${name}, which has none`,
      hint: 'it is a small network of this project, for tests and the demo: train it',
    });
  }
  const near = nearestNames(name, names);
  throw new RequestError({
    where: 'weights',
    expected: `one of ${names.join(', ')}`,
    got: `"${name}"`,
    hint: near.length > 0 ? `did you mean ${near.join(' or ')}?` : undefined,
  });
}
