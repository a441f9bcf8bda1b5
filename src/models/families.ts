/** Whose checkpoint a file is: told by its tensors' names alone. */
import {
  isInceptionChildren,
  isResNetChildren,
  readInceptionName,
  readResNetName,
} from './childNames.ts';
import { isNewTimmSwin, readSwinName } from './swinNames.ts';

export type Architecture = 'resnet' | 'inception' | 'vit' | 'swin';

/** A way in which published checkpoints name the tensors of a network. */
export interface CheckpointFamily {
  architecture: Architecture;
  /** Who publishes such checkpoints, for people. */
  name: string;
}

type Names = ReadonlySet<string>;

/** The first whose test holds is the file's. */
const families: readonly (CheckpointFamily & { holds: (names: Names) => boolean })[] = [
  {
    architecture: 'resnet',
    name: 'torchvision and timm',
    holds: (names) => names.has('layer1.0.conv1.weight'),
  },
  {
    architecture: 'resnet',
    name: 'RadImageNet (a Sequential of the children of torchvision’s network)',
    holds: isResNetChildren,
  },
  {
    architecture: 'inception',
    name: 'torchvision',
    holds: (names) => names.has('Conv2d_1a_3x3.conv.weight'),
  },
  {
    architecture: 'inception',
    name: 'RadImageNet (a Sequential of the children of torchvision’s network)',
    holds: isInceptionChildren,
  },
  {
    architecture: 'vit',
    name: 'facebookresearch/deit and timm, with a distillation token',
    holds: (names) => names.has('blocks.0.attn.qkv.weight') && names.has('dist_token'),
  },
  {
    architecture: 'vit',
    name: 'facebookresearch/deit and timm',
    holds: (names) => names.has('blocks.0.attn.qkv.weight'),
  },
  {
    architecture: 'swin',
    name: 'timm from 0.9 on',
    holds: (names) => names.has('layers.0.blocks.0.attn.qkv.weight') && isNewTimmSwin(names),
  },
  {
    architecture: 'swin',
    name: 'microsoft/Swin-Transformer and timm before 0.9',
    holds: (names) => names.has('layers.0.blocks.0.attn.qkv.weight'),
  },
  {
    architecture: 'swin',
    name: 'torchvision',
    holds: (names) => names.has('features.1.0.attn.relative_position_bias_table'),
  },
];

/**
 * The family of a file whose names, without what wrappers put in front, are `names`; `undefined` where they
 * are of no network that is known here.
 */
export function familyOf(names: Names): CheckpointFamily | undefined {
  return families.find(({ holds }) => holds(names));
}

/** A tensor's name in our networks, from its name in a file of that architecture. */
export function canonicalName(architecture: Architecture, name: string, all: Names): string {
  switch (architecture) {
    case 'resnet':
      return readResNetName(name, all);
    case 'inception':
      return readInceptionName(name, all);
    case 'vit':
      return name;
    case 'swin': {
      const read = readSwinName(name, all);
      return 'name' in read ? read.name : name;
    }
  }
}
