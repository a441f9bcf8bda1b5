/** Our names as the families of published checkpoints have them. */

type Rename = (name: string) => string;

const resnetChildren = ['conv1', 'bn1', '', '', 'layer1', 'layer2', 'layer3', 'layer4', '', 'fc'];

/** What `nn.Sequential(*list(resnet.children())[:9])` makes of a ResNet's names. */
export const resnetAsChildren: Rename = (name) => {
  const [child = '', ...rest] = name.split('.');
  return [resnetChildren.indexOf(child), ...rest].join('.');
};

const inceptionChildren = [
  ...['Conv2d_1a_3x3', 'Conv2d_2a_3x3', 'Conv2d_2b_3x3', 'maxpool1', 'Conv2d_3b_1x1'],
  ...['Conv2d_4a_3x3', 'maxpool2', 'Mixed_5b', 'Mixed_5c', 'Mixed_5d', 'Mixed_6a', 'Mixed_6b'],
  ...['Mixed_6c', 'Mixed_6d', 'Mixed_6e', 'AuxLogits', 'Mixed_7a', 'Mixed_7b', 'Mixed_7c'],
  ...['avgpool', 'dropout', 'fc'],
];

/** The same of Inception v3, without the children named in `without`. */
export function inceptionAsChildren(without: readonly string[] = []): Rename {
  const children = inceptionChildren.filter((child) => !without.includes(child));
  return (name) => {
    const [child = '', ...rest] = name.split('.');
    return [children.indexOf(child), ...rest].join('.');
  };
}

/** timm's names of a Swin transformer, from 0.9 on. */
export const swinAsTimm: Rename = (name) =>
  name
    .replace(/^layers\.(\d)\.downsample/, (_, stage) => `layers.${Number(stage) + 1}.downsample`)
    .replace(/^head\./, 'head.fc.');

/** torchvision's names of a Swin transformer. */
export const swinAsTorchvision: Rename = (name) =>
  name
    .replace('patch_embed.proj', 'features.0.0')
    .replace('patch_embed.norm', 'features.0.2')
    .replace(/^layers\.(\d)\.blocks/, (_, stage) => `features.${2 * Number(stage) + 1}`)
    .replace(/^layers\.(\d)\.downsample/, (_, stage) => `features.${2 * Number(stage) + 2}`)
    .replace('.mlp.fc1.', '.mlp.0.')
    .replace('.mlp.fc2.', '.mlp.3.');
