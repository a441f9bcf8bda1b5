/** The random choices for one image: a pure function of seed, epoch and the sample's position. */
import { RandomStream } from '../../util/index.ts';
import type { AugmentSettings } from './settings.ts';

export interface CropBox {
  top: number;
  left: number;
  height: number;
  width: number;
}

export type Adjustment = 'brightness' | 'contrast' | 'saturation' | 'hue';

/** Colour changes in the order in which they are applied, with their factors (hue: a shift). */
export type ColourChange = { adjustment: Adjustment; amount: number }[];

export interface ImageChange {
  crop: CropBox;
  flipHorizontal: boolean;
  flipVertical: boolean;
  colour: ColourChange;
}

/** Half to even, as Python rounds. */
export function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** The crop in the middle, where torchvision's `center_crop` puts it. */
export function centreCrop(resize: number, size: number): CropBox {
  const start = roundHalfEven((resize - size) / 2);
  return { top: start, left: start, height: size, width: size };
}

/** The changes of one image in one epoch. All draws are made in a fixed order. */
export function drawChange(
  settings: AugmentSettings,
  { resize, size }: { resize: number; size: number },
  { seed, epoch, index }: { seed: number; epoch: number; index: number },
): ImageChange {
  const random = new RandomStream('augment', seed, epoch, index);
  return {
    crop: drawCrop(settings, resize, size, random),
    flipHorizontal: random.next() < settings.horizontalFlip,
    flipVertical: random.next() < settings.verticalFlip,
    colour: drawColour(settings.colourJitter, random),
  };
}

function drawCrop(
  settings: AugmentSettings,
  resize: number,
  size: number,
  random: RandomStream,
): CropBox {
  switch (settings.crop) {
    case 'centre_crop':
      return centreCrop(resize, size);
    case 'random_crop': {
      const places = resize - size + 1;
      const top = random.integer(places);
      return { top, left: random.integer(places), height: size, width: size };
    }
    case 'random_resized_crop':
      return drawResizedCrop(settings, resize, random);
  }
}

/** torchvision's `RandomResizedCrop.get_params`, for a square picture. */
function drawResizedCrop(
  { scale, ratio }: AugmentSettings,
  resize: number,
  random: RandomStream,
): CropBox {
  for (let attempt = 0; attempt < 10; attempt++) {
    const area = resize * resize * random.uniform(scale[0], scale[1]);
    const aspect = Math.exp(random.uniform(Math.log(ratio[0]), Math.log(ratio[1])));
    const width = roundHalfEven(Math.sqrt(area * aspect));
    const height = roundHalfEven(Math.sqrt(area / aspect));
    if (width > 0 && width <= resize && height > 0 && height <= resize) {
      const top = random.integer(resize - height + 1);
      return { top, left: random.integer(resize - width + 1), height, width };
    }
  }
  // None fitted: the largest centred crop within the range of aspects.
  const width = ratio[1] < 1 ? roundHalfEven(resize * ratio[1]) : resize;
  const height = ratio[0] > 1 ? roundHalfEven(resize / ratio[0]) : resize;
  const top = Math.floor((resize - height) / 2);
  return { top, left: Math.floor((resize - width) / 2), height, width };
}

/** torchvision's `ColorJitter.get_params` under `RandomApply`: a random order, a factor for each. */
function drawColour(jitter: AugmentSettings['colourJitter'], random: RandomStream): ColourChange {
  if (jitter === false || random.next() >= jitter.probability) return [];
  const order = random.shuffle(['brightness', 'contrast', 'saturation', 'hue'] as const);
  const changes = order.map((adjustment) => {
    const strength = jitter[adjustment];
    const amount =
      adjustment === 'hue'
        ? random.uniform(-strength, strength)
        : random.uniform(Math.max(0, 1 - strength), 1 + strength);
    return { adjustment, amount, strength };
  });
  return changes
    .filter(({ strength }) => strength > 0)
    .map(({ adjustment, amount }) => ({ adjustment, amount }));
}
