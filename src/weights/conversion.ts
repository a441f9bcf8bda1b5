/** What to do about checkpoints that hold more than weights, or hold them in an older form. */
import { basename } from 'node:path';

/** The two lines of Python that save a checkpoint's weights anew in the zip format. */
export function conversionLines(
  path: string,
  options: { load?: string; part?: string; trusting?: boolean } = {},
): string {
  const { load = 'torch.load', part = '', trusting = false } = options;
  const name = basename(path).replaceAll(/[\\']/g, '\\$&');
  const target = name.replace(/(\.(pth|pt|tar|bin))*$/, '-weights.pth');
  const full = trusting ? ', weights_only=False' : '';
  return `import torch; torch.save(${load}('${name}', map_location='cpu'${full})${part}, '${target}')`;
}

/** Classes of networks, which stand in a checkpoint where a whole model was saved. */
const networkClass = /^(torch\.nn\.modules|torchvision\.models|timm\.models|__main__)\./;

/** Plain settings and numbers that training scripts leave in a checkpoint besides the weights. */
const leftover =
  /^(argparse\.Namespace|numpy\.|_codecs\.encode|pathlib\.|datetime\.|omegaconf\.|yacs\.|easydict\.)/;

/** What to do about a checkpoint whose pickle refers to `globalName`, which is not on the allow-list. */
export function explainRefusal(path: string, globalName: string): string {
  if (networkClass.test(globalName)) {
    const lines = conversionLines(path, { part: '.state_dict()', trusting: true });
    return `a whole network was saved; if you trust the file, save its weights alone with Python: ${lines}`;
  }
  if (leftover.test(globalName)) {
    const lines = conversionLines(path, { part: "['model']", trusting: true });
    return `if you trust the file, save its weights alone with Python, under the key that holds them: ${lines}`;
  }
  if (globalName.startsWith('torch.')) return 'save plain, dense, real-valued tensors';
  return 'no code of a checkpoint is ever run, and this one asks for some: use it only if you know who made it and why';
}
