/**
 * The demo's source domain: pictures of ten textures and shapes, dark on light, in any hue, size
 * and position, over a cloudy ground. Colour says nothing of the class: a network has to learn form.
 */

import type { RandomStream } from '../../util/index.ts';
import { edge, type Field, fieldOf, hsl, Raster } from './raster.ts';
import {
  branches,
  disc,
  inside,
  lines,
  net,
  noise,
  outlineDistance,
  type Point,
  ring,
  roughOutline,
  scatter,
  union,
  wander,
} from './shapes.ts';

type Painter = (random: RandomStream, size: number) => Field;

/** The classes, in order of their labels, each with what paints its mask. */
const painters: Record<string, Painter> = {
  blob: (random, size) => outlined(random, size, 0.05),
  branches: (random, size) => {
    const unit = size / 64;
    const trees = Array.from({ length: 1 + random.integer(2) }, () => {
      const side = random.uniform(0, 2 * Math.PI);
      const start = around(size, side, 0.45);
      const options = { length: 17 * unit, width: random.uniform(1.4, 3.5) * unit, bend: 0.09 };
      return branches(random, start, side + Math.PI, { ...options, depth: 3, spread: 0.6 });
    });
    return lines(size, trees.flat());
  },
  checks: (random, size) => {
    const pitch = random.uniform(5, 11) * (size / 64);
    const wave = plane(random, size, pitch * 2);
    return fieldOf(size, (x, y) => {
      const [u, v] = wave(x, y);
      return edge(-Math.sin(u) * Math.sin(v) * pitch, 1.5);
    });
  },
  clouds: (random, size) => {
    const field = noise(random, size, random.uniform(10, 18) * (size / 64), 4);
    return field.map((value) => edge(0.5 - value, random.uniform(0.1, 0.3)));
  },
  curls: (random, size) => {
    const unit = size / 64;
    const hairs = Array.from({ length: 7 + random.integer(8) }, () => {
      const options = {
        length: random.uniform(18, 40) * unit,
        width: random.uniform(1, 1.8) * unit,
        bend: 0.12,
      };
      return wander(random, anywhere(random, size), random.uniform(0, 2 * Math.PI), options);
    });
    return lines(size, hairs.flat());
  },
  dots: (random, size) => {
    const pitch = random.uniform(6, 13) * (size / 64);
    const radius = pitch * random.uniform(0.16, 0.3);
    const centres = scatter(random, size, pitch, 0.8).filter(() => random.next() < 0.7);
    return union(
      size,
      centres.map((centre) => disc(size, centre, radius * random.uniform(0.6, 1.3))),
    );
  },
  net: (random, size) => {
    const unit = size / 64;
    const points = scatter(random, size, random.uniform(6, 13) * unit, 0.9);
    return net(size, points, random.uniform(1.2, 2.4) * unit);
  },
  rings: (random, size) => {
    const unit = size / 64;
    const count = 3 + random.integer(5);
    const masks = Array.from({ length: count }, () => {
      const radius = random.uniform(4, 11) * unit;
      return ring(size, anywhere(random, size), radius, random.uniform(1.5, 3) * unit);
    });
    return union(size, masks);
  },
  splash: (random, size) => outlined(random, size, 0.2),
  stripes: (random, size) => {
    const pitch = random.uniform(4, 10) * (size / 64);
    const wave = plane(random, size, pitch * 2);
    return fieldOf(size, (x, y) => edge(-Math.sin(wave(x, y)[0]) * pitch, 1.5));
  },
};

/** Class names of the source domain; a label is a position in this list. */
export const patternClasses: readonly string[] = Object.keys(painters);

/** One picture of class `label`, `size` pixels square: a pure function of the stream. */
export function paintPattern(random: RandomStream, label: number, size: number): Raster {
  const painter = painters[patternClasses[label] ?? ''];
  if (painter === undefined) throw new RangeError(`no pattern class ${label}`);
  const ground = hsl(random.next(), random.uniform(0.1, 0.7), random.uniform(0.55, 0.85));
  const ink = hsl(random.next(), random.uniform(0.1, 0.7), random.uniform(0.1, 0.35));
  const raster = new Raster(size, ground);
  const cloud = hsl(random.next(), random.uniform(0.1, 0.7), random.uniform(0.5, 0.8));
  raster.paint(noise(random, size, size / 3, 3), cloud, random.uniform(0.1, 0.4));
  raster.paint(painter(random, size), ink, random.uniform(0.7, 1));
  raster.shade(noise(random, size, size / 2, 2), random.uniform(0, 0.5));
  return raster.shade(noise(random, size, 2, 1), random.uniform(0.05, 0.2));
}

function outlined(random: RandomStream, size: number, roughness: number): Field {
  const centre = around(size, random.uniform(0, 2 * Math.PI), random.uniform(0, 0.15));
  const distance = outlineDistance(size, centre, size * random.uniform(0.18, 0.34), {
    outline: roughOutline(random, roughness, roughness > 0.1 ? 14 : 4),
    aspect: random.uniform(0.6, 1),
    angle: random.uniform(0, Math.PI),
  });
  return inside(distance, random.uniform(1, 4));
}

// Phases of two waves at right angles, turned and gently bent.
function plane(
  random: RandomStream,
  size: number,
  period: number,
): (x: number, y: number) => [number, number] {
  const angle = random.uniform(0, Math.PI);
  const [cosine, sine] = [Math.cos(angle), Math.sin(angle)];
  const bend = random.uniform(0, 2);
  const phase = random.uniform(0, 2 * Math.PI);
  const frequency = (2 * Math.PI) / period;
  return (x, y) => {
    const [u, v] = [x * cosine + y * sine, y * cosine - x * sine];
    return [
      frequency * u + bend * Math.sin((2 * Math.PI * v) / size) + phase,
      frequency * v + bend * Math.sin((2 * Math.PI * u) / size),
    ];
  };
}

function around(size: number, angle: number, distance: number): Point {
  return {
    x: size * (0.5 + distance * Math.cos(angle)),
    y: size * (0.5 + distance * Math.sin(angle)),
  };
}

function anywhere(random: RandomStream, size: number): Point {
  return { x: random.uniform(0, size), y: random.uniform(0, size) };
}
