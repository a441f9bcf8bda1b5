/**
 * From the names in a checkpoint file to ours. Ours are upstream's: torchvision and timm for ResNets and
 * Inception, facebookresearch/deit and timm for DeiT, microsoft/Swin-Transformer for Swin; so only what
 * wrappers put in front has to go, and where families differ a model reads their names itself.
 */
import { WorkError } from '../util/index.ts';
import type { ImageModel } from './model.ts';

/** What wrappers put in front: data parallel training, a compiled module, a network with heads of its own. */
const wrapperPrefixes = ['module.', '_orig_mod.', 'backbone.'];

export interface CheckpointNames {
  /** Name in the model to name in the file, for every tensor of the file that the model may take. */
  toFile: Map<string, string>;
  /** Tensors of the file that the model is right to leave out, and why. */
  ignored: { name: string; reason: string }[];
}

/** A name without what wrappers put in front: `module.backbone.conv1.weight` to `conv1.weight`. */
export function stripWrapperPrefixes(name: string): string {
  for (let rest = name; ; ) {
    const prefix = wrapperPrefixes.find((candidate) => rest.startsWith(candidate));
    if (prefix === undefined) return rest;
    rest = rest.slice(prefix.length);
  }
}

/**
 * How the names of a file read in `model`. Names that the model does not have are kept, so that the
 * caller can report them as unexpected.
 * @throws WorkError when two tensors of the file would be the same tensor of the model.
 */
export function mapCheckpointNames(
  model: ImageModel,
  fileNames: Iterable<string>,
): CheckpointNames {
  const toFile = new Map<string, string>();
  const ignored: CheckpointNames['ignored'] = [];
  const stripped = new Map([...fileNames].map((name) => [name, stripWrapperPrefixes(name)]));
  const all = new Set(stripped.values());
  for (const [fileName, bareName] of stripped) {
    const read = model.readCheckpointName(bareName, all);
    if ('ignored' in read) {
      ignored.push({ name: fileName, reason: read.ignored });
      continue;
    }
    const other = toFile.get(read.name);
    if (other !== undefined) {
      throw new WorkError({
        where: `checkpoint for ${model.id}`,
        expected: `one tensor for ${read.name}`,
        got: `both ${other} and ${fileName}`,
        hint: 'save the network alone',
      });
    }
    toFile.set(read.name, fileName);
  }
  return { toFile, ignored };
}

/**
 * Whether a checkpoint may lack this tensor: the batch count of batch norm, which PyTorch before 0.4.1
 * did not save and which nothing computes with. It then stays 0, as in PyTorch.
 */
export function isOptionalInCheckpoint(name: string): boolean {
  return name.endsWith('.num_batches_tracked');
}
