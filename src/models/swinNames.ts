/** The names of Swin transformers in timm's and torchvision's checkpoints, as microsoft's. */

/** What follows from a block's geometry, saved as buffers upstream. */
const derived = ['relative_position_index', 'attn_mask'];

const mergingTensors = ['reduction.weight', 'norm.weight', 'norm.bias'];

/**
 * Whether names of `layers` are timm's from 0.9 on: there the first stage has no patch merging, which
 * microsoft's has, and the head is `head.fc`.
 */
export function isNewTimmSwin(all: ReadonlySet<string>): boolean {
  if (all.has('head.fc.weight')) return true;
  const hasMerging = (stage: number): boolean =>
    mergingTensors.some((tensor) => all.has(`layers.${stage}.downsample.${tensor}`));
  return hasMerging(1) && !hasMerging(0);
}

/**
 * How a name of a Swin checkpoint reads in a network with the names of microsoft/Swin-Transformer.
 * - timm from 0.9 on: a stage begins with its patch merging (`layers.1.downsample` is microsoft's
 *   `layers.0.downsample`), the head is `head.fc`;
 * - torchvision: `features.0` are the patches, `features.1`, `features.3`, … the stages, and between them
 *   the patch mergings.
 *
 * @param all All names of the file: those of patch mergings alone do not tell the first two apart.
 */
export function readSwinName(
  name: string,
  all: ReadonlySet<string>,
): { name: string } | { ignored: string } {
  if (derived.some((buffer) => name.endsWith(`.${buffer}`))) {
    return { ignored: 'it follows from the window and the image size' };
  }
  if (name.startsWith('features.')) return { name: fromTorchvision(name) };
  if (name.startsWith('head.fc.')) return { name: name.replace('head.fc.', 'head.') };
  const merging = /^layers\.(\d+)\.downsample\.(.+)$/.exec(name);
  if (merging && isNewTimmSwin(all)) {
    return { name: `layers.${Number(merging[1]) - 1}.downsample.${merging[2]}` };
  }
  return { name };
}

const torchvisionPerceptron: Record<string, string> = { '0': 'fc1', '3': 'fc2' };

function fromTorchvision(name: string): string {
  const [, number = '', ...rest] = name.split('.');
  const position = Number(number);
  if (position === 0) {
    const [layer, ...members] = rest;
    const part = layer === '0' ? 'proj' : layer === '2' ? 'norm' : undefined;
    return part === undefined ? name : ['patch_embed', part, ...members].join('.');
  }
  const stage = Math.floor((position - 1) / 2);
  if (position % 2 === 0) return ['layers', stage, 'downsample', ...rest].join('.');
  const [block, module, layer = '', ...members] = rest;
  const part = module === 'mlp' ? (torchvisionPerceptron[layer] ?? layer) : layer;
  return ['layers', stage, 'blocks', block, module, part, ...members].join('.');
}
