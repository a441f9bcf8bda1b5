/**
 * From the names in a checkpoint file to ours. Ours are upstream's: torchvision and timm for ResNets and
 * Inception, facebookresearch/deit and timm for DeiT, microsoft/Swin-Transformer for Swin; so only what
 * wrappers put in front has to go, and where families differ a model reads their names itself.
 */
import { WorkError } from '../util/index.ts';
import { familyOf } from './families.ts';
import type { ImageModel } from './model.ts';

/** What wrappers put in front: data parallel training, a compiled module, a network with heads of its own. */
const wrapperPrefixes = ['module.', '_orig_mod.', 'backbone.'];

/** Under which training code keeps a network as its member; taken off where one of them holds a network. */
const memberPrefixes = ['model.', 'net.', 'network.', 'encoder.'];

/** A member may itself keep the network as a member: `model.encoder.conv1.weight`. */
const deepestMember = 3;

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
 * Each name of a file with its name in the network that the file holds: wrapper prefixes are taken off, and
 * `model.`, `net.`, `network.` or `encoder.` where the names under it, and only those, are of a network.
 * @throws WorkError when there are networks under several of these: which one is meant cannot be told.
 */
export function bareNames(fileNames: Iterable<string>): Map<string, string> {
  let bare = new Map([...fileNames].map((name) => [name, stripWrapperPrefixes(name)]));
  for (let depth = 0; depth < deepestMember; depth++) {
    const names = [...new Set(bare.values())];
    if (familyOf(new Set(names))) return bare;
    const without = (prefix: string): string[] =>
      names
        .filter((name) => name.startsWith(prefix))
        .map((name) => stripWrapperPrefixes(name.slice(prefix.length)));
    const present = memberPrefixes.filter((prefix) => without(prefix).length > 0);
    const holding = present.filter((prefix) => holdsNetwork(without(prefix)));
    if (holding.length > 1) {
      throw new WorkError({
        where: 'checkpoint',
        expected: 'one network',
        got: `one under each of ${holding.map((prefix) => `"${prefix}"`).join(' and ')}`,
        hint: 'save one of them alone',
      });
    }
    const [prefix] = holding;
    if (prefix === undefined) return bare;
    bare = new Map(
      [...bare].map(([fileName, name]) => [
        fileName,
        name.startsWith(prefix) ? stripWrapperPrefixes(name.slice(prefix.length)) : name,
      ]),
    );
  }
  return bare;
}

/** Whether these are a network's names, at once or under member prefixes of their own. */
function holdsNetwork(names: readonly string[], depth = 1): boolean {
  if (familyOf(new Set(names))) return true;
  if (depth === deepestMember) return false;
  return memberPrefixes.some((prefix) => {
    const inner = names.filter((name) => name.startsWith(prefix));
    const bare = inner.map((name) => stripWrapperPrefixes(name.slice(prefix.length)));
    return inner.length > 0 && holdsNetwork(bare, depth + 1);
  });
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
  const bare = bareNames(fileNames);
  const all = new Set(bare.values());
  for (const [fileName, bareName] of bare) {
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
