/**
 * Synthetic pictures that look like fundus photographs, graded like diabetic retinopathy by the
 * number and kind of lesions. They are drawings: they teach nothing about any retina.
 */

import type { RandomStream } from '../../util/index.ts';
import { type Colour, type Field, Raster, vary, within } from './raster.ts';
import {
  branches,
  disc,
  inside,
  lines,
  noise,
  outlineDistance,
  type Point,
  roughOutline,
  union,
  wander,
} from './shapes.ts';

/** Grades in order of severity; a label is a position in this list. */
export const fundusGrades: readonly string[] = ['none', 'mild', 'moderate', 'severe'];

/** Lesions expected at each grade: small red dots, bright deposits, dark blots, new vessels. */
const expected: readonly { dots: number; deposits: number; blots: number; tufts: number }[] = [
  { dots: 0, deposits: 0, blots: 0, tufts: 0 },
  { dots: 5, deposits: 0, blots: 0, tufts: 0 },
  { dots: 6, deposits: 5, blots: 2, tufts: 0 },
  { dots: 8, deposits: 9, blots: 7, tufts: 2 },
];

const vesselColour: Colour = [0.42, 0.1, 0.06];
const depositColour: Colour = [0.98, 0.88, 0.45];

/** One picture of the given grade, `size` pixels square: a pure function of the stream. */
export function paintFundus(random: RandomStream, grade: number, size: number): Raster {
  const lesions = expected[grade];
  if (lesions === undefined) throw new RangeError(`no fundus grade ${grade}`);
  const unit = size / 64;
  const centre = near(random, { x: size / 2, y: size / 2 }, unit);
  const radius = random.uniform(28, 31) * unit;
  const eye = disc(size, centre, radius, 1.5 * unit);
  const picture = new Raster(size, [0.02, 0.02, 0.02]);
  picture.paint(eye, vary([0.78, 0.36, 0.15], 0.12, random));
  picture.paint(within(eye, noise(random, size, size / 4, 4)), [0.62, 0.2, 0.1], 0.5);

  const side = random.next() < 0.5 ? -1 : 1;
  const nerve = near(random, { x: centre.x + side * 14 * unit, y: centre.y }, 2 * unit);
  const macula = { x: centre.x - side * 8 * unit, y: centre.y + 2 * unit };
  picture.paint(within(eye, disc(size, macula, 5 * unit, 9 * unit)), [0.4, 0.13, 0.07], 0.5);
  picture.paint(within(eye, disc(size, nerve, 4.5 * unit, 3 * unit)), [0.98, 0.83, 0.55], 0.9);
  const vessels = lines(size, vesselTrees(random, nerve, side, unit), unit);
  picture.paint(within(eye, vessels), vesselColour, random.uniform(0.5, 0.85));

  paintLesions(picture, random, { lesions, eye, centre, radius, unit });
  picture.shade(noise(random, size, size / 1.5, 1), random.uniform(0.1, 0.7));
  return picture.shade(noise(random, size, 1.5, 1), random.uniform(0.05, 0.2));
}

function vesselTrees(random: RandomStream, nerve: Point, side: number, unit: number) {
  return [-1.1, -0.55, 0.55, 1.1].flatMap((tilt) => {
    const away = side < 0 ? tilt : Math.PI - tilt;
    return branches(random, nerve, away + 0.15 * random.normal(), {
      length: random.uniform(13, 18) * unit,
      width: random.uniform(1.3, 2) * unit,
      bend: 0.09,
      depth: 3,
      spread: 0.45,
    });
  });
}

function paintLesions(
  picture: Raster,
  random: RandomStream,
  options: {
    lesions: { dots: number; deposits: number; blots: number; tufts: number };
    eye: Field;
    centre: Point;
    radius: number;
    unit: number;
  },
): void {
  const { lesions, eye, centre, radius, unit } = options;
  const { size } = picture;
  const place = () => {
    const [angle, share] = [random.uniform(0, 2 * Math.PI), Math.sqrt(random.uniform(0.02, 0.75))];
    return {
      x: centre.x + radius * share * Math.cos(angle),
      y: centre.y + radius * share * Math.sin(angle),
    };
  };
  const several = (mean: number, mask: () => Field) =>
    within(eye, union(size, Array.from({ length: countAround(random, mean) }, mask)));

  const dots = several(lesions.dots, () => disc(size, place(), random.uniform(0.7, 1.3) * unit));
  picture.paint(dots, vary([0.38, 0.03, 0.03], 0.05, random), 0.85);
  const blots = several(lesions.blots, () =>
    patch(random, size, place(), random.uniform(1.8, 3.4) * unit),
  );
  picture.paint(blots, vary([0.33, 0.04, 0.04], 0.05, random), 0.85);
  const deposits = several(lesions.deposits, () => {
    const middle = place();
    const specks = Array.from({ length: 2 + random.integer(4) }, () =>
      disc(size, near(random, middle, 1.8 * unit), random.uniform(0.5, 1.2) * unit),
    );
    return union(size, specks);
  });
  picture.paint(deposits, vary(depositColour, 0.06, random), 0.9);
  const tufts = several(lesions.tufts, () => {
    const root = place();
    const twigs = Array.from({ length: 7 }, () =>
      wander(random, root, random.uniform(0, 2 * Math.PI), {
        length: 7 * unit,
        width: 0.9 * unit,
        bend: 0.5,
      }),
    );
    return lines(size, twigs.flat());
  });
  picture.paint(tufts, vesselColour, 0.85);
  // Every eye has a few pale flecks and dark specks that mean nothing.
  const flecks = several(2, () => disc(size, place(), random.uniform(0.6, 1.4) * unit, 2 * unit));
  picture.paint(flecks, vary([0.9, 0.6, 0.35], 0.1, random), 0.5);
}

function patch(random: RandomStream, size: number, centre: Point, radius: number): Field {
  const outline = roughOutline(random, 0.2);
  return inside(outlineDistance(size, centre, radius, { outline, aspect: random.uniform(0.5, 1) }));
}

/** A count near `mean`: never 0 unless the mean is. */
function countAround(random: RandomStream, mean: number): number {
  return mean === 0 ? 0 : Math.max(1, Math.round(mean * random.uniform(0.5, 1.5)));
}

function near(random: RandomStream, point: Point, distance: number): Point {
  return { x: point.x + distance * random.normal(), y: point.y + distance * random.normal() };
}
