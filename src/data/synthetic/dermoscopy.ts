/**
 * Synthetic pictures that look like dermoscopy: one lesion on skin, told apart by border and by
 * the structures inside it, in the columns of ISIC 2019. They are drawings: they teach nothing
 * about any skin.
 */

import type { RandomStream } from '../../util/index.ts';
import { type Colour, type Field, Raster, vary, within } from './raster.ts';
import {
  branches,
  disc,
  inside,
  lines,
  net,
  noise,
  outlineDistance,
  type Point,
  roughOutline,
  scatter,
  union,
  wander,
} from './shapes.ts';

/** Classes that are drawn, by their column in the ISIC 2019 ground truth. */
export const dermoscopyClasses = ['MEL', 'NV', 'BCC', 'BKL', 'VASC'] as const;

interface Lesion {
  picture: Raster;
  random: RandomStream;
  centre: Point;
  radius: number;
  mask: Field;
  colour: Colour;
}

/** How rough each class's border is, and what is inside. */
const kinds: Record<
  (typeof dermoscopyClasses)[number],
  { roughness: number; fill: (lesion: Lesion) => void }
> = {
  MEL: { roughness: 0.13, fill: fillMelanoma },
  NV: { roughness: 0.05, fill: fillNaevus },
  BCC: { roughness: 0.08, fill: fillCarcinoma },
  BKL: { roughness: 0.08, fill: fillKeratosis },
  VASC: { roughness: 0.07, fill: fillVascular },
};

/** One picture of class `label`, `size` pixels square: a pure function of the stream. */
export function paintDermoscopy(random: RandomStream, label: number, size: number): Raster {
  const name = dermoscopyClasses[label];
  if (name === undefined) throw new RangeError(`no dermoscopy class ${label}`);
  const { roughness, fill } = kinds[name];
  const unit = size / 64;
  const picture = new Raster(size, vary([0.85, 0.66, 0.56], 0.1, random));
  picture.paint(noise(random, size, size / 5, 4), [0.78, 0.52, 0.44], 0.5);
  const centre = {
    x: size / 2 + 4 * unit * random.normal(),
    y: size / 2 + 4 * unit * random.normal(),
  };
  const radius = random.uniform(17, 26) * unit;
  const distance = outlineDistance(size, centre, radius, {
    outline: roughOutline(random, roughness, 8),
    aspect: random.uniform(0.7, 1),
    angle: random.uniform(0, Math.PI),
  });
  const mask = inside(distance, random.uniform(2, 6) * unit);
  // Any lesion may be any brown: colour alone does not tell the class.
  const colour = vary([0.5, 0.32, 0.23], 0.16, random);
  picture.paint(mask, colour, random.uniform(0.6, 0.9));
  picture.paint(within(mask, noise(random, size, size / 6, 3)), [0.4, 0.25, 0.2], 0.4);
  fill({ picture, random, centre, radius, mask, colour });
  paintHairs(picture, random);
  picture.shade(noise(random, size, size / 1.5, 1), random.uniform(0.1, 0.6));
  return picture.shade(noise(random, size, 1.5, 1), random.uniform(0.05, 0.2));
}

// A pigment network that breaks off, a blue-white veil, and clumps of dark globules.
function fillMelanoma({ picture, random, centre, radius, mask, colour }: Lesion): void {
  const { size } = picture;
  const patchy = noise(random, size, size / 5, 2).map((value) => (value > 0.5 ? 1 : 0));
  picture.paint(within(within(mask, patchy), network(random, size)), darker(colour), 0.7);
  const veil = disc(size, inLesion(random, centre, radius), radius * 0.4, radius * 0.5);
  picture.paint(within(mask, veil), vary([0.55, 0.58, 0.68], 0.05, random), 0.5);
  const globules = Array.from({ length: 3 + random.integer(5) }, () =>
    disc(size, inLesion(random, centre, radius), (size / 64) * random.uniform(1, 2.2)),
  );
  picture.paint(within(mask, union(size, globules)), darker(colour), 0.8);
}

// An even pigment network over the whole lesion.
function fillNaevus({ picture, random, mask, colour }: Lesion): void {
  picture.paint(within(mask, network(random, picture.size)), darker(colour), 0.65);
}

// Thin branching vessels on a pale, shining lesion.
function fillCarcinoma({ picture, random, centre, radius, mask }: Lesion): void {
  const { size } = picture;
  const trees = Array.from({ length: 2 + random.integer(2) }, () => {
    const side = random.uniform(0, 2 * Math.PI);
    const start = {
      x: centre.x + 0.9 * radius * Math.cos(side),
      y: centre.y + 0.9 * radius * Math.sin(side),
    };
    return branches(random, start, side + Math.PI + 0.4 * random.normal(), {
      length: radius * 0.6,
      width: (size / 64) * random.uniform(1.2, 1.8),
      bend: 0.15,
      depth: 2,
      spread: 0.6,
    });
  });
  picture.paint(
    within(mask, lines(size, trees.flat())),
    vary([0.32, 0.13, 0.11], 0.06, random),
    0.8,
  );
}

// Small pale cysts, evenly strewn.
function fillKeratosis({ picture, random, mask }: Lesion): void {
  const { size } = picture;
  const unit = size / 64;
  const centres = scatter(random, size, random.uniform(6, 9) * unit, 0.9);
  const cysts = centres
    .filter(() => random.next() < 0.75)
    .map((centre) => disc(size, centre, random.uniform(0.8, 1.6) * unit));
  const colour = vary([0.86, 0.74, 0.6], 0.08, random);
  picture.paint(within(mask, union(size, cysts)), colour, 0.75);
}

// Red lacunae side by side.
function fillVascular({ picture, random, centre, radius, mask }: Lesion): void {
  const { size } = picture;
  const lacunae = Array.from({ length: 5 + random.integer(5) }, () =>
    disc(size, inLesion(random, centre, radius), radius * random.uniform(0.14, 0.26), size / 32),
  );
  picture.paint(within(mask, union(size, lacunae)), vary([0.3, 0.12, 0.12], 0.06, random), 0.8);
}

function network(random: RandomStream, size: number): Field {
  const unit = size / 64;
  const points = scatter(random, size, random.uniform(5, 8) * unit, 0.8);
  return net(size, points, random.uniform(1, 1.8) * unit);
}

function paintHairs(picture: Raster, random: RandomStream): void {
  const { size } = picture;
  const unit = size / 64;
  const count = random.next() < 0.5 ? 0 : 1 + random.integer(4);
  const hairs = Array.from({ length: count }, () => {
    const start = { x: random.uniform(0, size), y: random.uniform(0, size) };
    const options = { length: random.uniform(20, 60) * unit, width: 0.9 * unit, bend: 0.04 };
    return wander(random, start, random.uniform(0, 2 * Math.PI), options);
  });
  picture.paint(lines(size, hairs.flat()), vary([0.16, 0.1, 0.08], 0.05, random), 0.75);
}

function inLesion(random: RandomStream, centre: Point, radius: number): Point {
  const [angle, share] = [random.uniform(0, 2 * Math.PI), Math.sqrt(random.uniform(0, 0.7))];
  return {
    x: centre.x + radius * share * Math.cos(angle),
    y: centre.y + radius * share * Math.sin(angle),
  };
}

function darker([red, green, blue]: Colour): Colour {
  return [red * 0.5, green * 0.45, blue * 0.45];
}
