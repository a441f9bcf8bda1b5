/**
 * Names of networks whose children were put one after another into an `nn.Sequential`, as RadImageNet's
 * checkpoints are: `0.weight` is `conv1.weight`, `4.0.conv1.weight` is `layer1.0.conv1.weight`. A child is
 * counted whether it has tensors or not.
 * https://github.com/BMEII-AI/RadImageNet/blob/main/pytorch_example.ipynb
 */

/** The children of torchvision's ResNets. */
const resnetChildren = [
  'conv1',
  'bn1',
  'relu',
  'maxpool',
  'layer1',
  'layer2',
  'layer3',
  'layer4',
  'avgpool',
  'fc',
];

/** The children of torchvision's Inception v3; in early versions the poolings were no modules. */
const inceptionChildren = [
  'Conv2d_1a_3x3',
  'Conv2d_2a_3x3',
  'Conv2d_2b_3x3',
  'maxpool1',
  'Conv2d_3b_1x1',
  'Conv2d_4a_3x3',
  'maxpool2',
  'Mixed_5b',
  'Mixed_5c',
  'Mixed_5d',
  'Mixed_6a',
  'Mixed_6b',
  'Mixed_6c',
  'Mixed_6d',
  'Mixed_6e',
  'AuxLogits',
  'Mixed_7a',
  'Mixed_7b',
  'Mixed_7c',
  'avgpool',
  'dropout',
  'fc',
];

/** The name with its first part, the number of a child, replaced by the child's name. */
function nameChild(name: string, children: readonly string[]): string {
  const [number = '', ...rest] = name.split('.');
  const child = /^\d+$/.test(number) ? children[Number(number)] : undefined;
  return child === undefined ? name : [child, ...rest].join('.');
}

/** Whether the names are of a ResNet's children. */
export function isResNetChildren(all: ReadonlySet<string>): boolean {
  return all.has('4.0.conv1.weight');
}

/** Whether the names are of Inception v3's children. */
export function isInceptionChildren(all: ReadonlySet<string>): boolean {
  return ['5', '7'].some((mixed) => all.has(`${mixed}.branch5x5_1.conv.weight`));
}

/** A ResNet's name, under which its child's stood in a file of the names `all`. */
export function readResNetName(name: string, all: ReadonlySet<string>): string {
  return isResNetChildren(all) ? nameChild(name, resnetChildren) : name;
}

/** Inception v3's name, likewise; networks without poolings or auxiliary head have fewer children. */
export function readInceptionName(name: string, all: ReadonlySet<string>): string {
  if (!isInceptionChildren(all)) return name;
  const hasPools = !all.has('5.branch5x5_1.conv.weight');
  const hasAuxiliary = all.has(`${hasPools ? 15 : 13}.conv0.conv.weight`);
  const children = inceptionChildren.filter(
    (child) =>
      (hasPools || !child.startsWith('maxpool')) && (hasAuxiliary || child !== 'AuxLogits'),
  );
  return nameChild(name, children);
}
