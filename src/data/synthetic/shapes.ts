/** Masks of simple shapes and textures, all in pixels and all seeded by the stream that is passed. */

import type { RandomStream } from '../../util/index.ts';
import { edge, type Field, fieldOf } from './raster.ts';

export interface Point {
  x: number;
  y: number;
}

/** A straight piece of a line; `width` is its full width. */
export interface Segment {
  from: Point;
  to: Point;
  width: number;
}

/** A filled disc, drawn only near itself. */
export function disc(size: number, centre: Point, radius: number, softness = 1): Field {
  const mask = new Float32Array(size * size);
  const reach = radius + softness;
  for (let y = first(centre.y - reach); y < Math.min(size, centre.y + reach); y++) {
    for (let x = first(centre.x - reach); x < Math.min(size, centre.x + reach); x++) {
      const distance = length(x + 0.5 - centre.x, y + 0.5 - centre.y);
      mask[y * size + x] = edge(distance - radius, softness);
    }
  }
  return mask;
}

/** The outline of a disc. */
export function ring(size: number, centre: Point, radius: number, width: number): Field {
  return fieldOf(size, (x, y) =>
    edge(Math.abs(length(x - centre.x, y - centre.y) - radius) - width / 2),
  );
}

/** Several masks in one: the larger value of each pixel. */
export function union(size: number, masks: readonly Field[]): Field {
  const result = new Float32Array(size * size);
  for (const mask of masks) {
    for (let index = 0; index < result.length; index++) {
      result[index] = Math.max(result[index] ?? 0, mask[index] ?? 0);
    }
  }
  return result;
}

/** Lines, drawn only near themselves. */
export function lines(size: number, segments: readonly Segment[], softness = 1): Field {
  const mask = new Float32Array(size * size);
  for (const { from, to, width } of segments) {
    const reach = width / 2 + softness;
    const [left, right] = [Math.min(from.x, to.x) - reach, Math.max(from.x, to.x) + reach];
    const [top, bottom] = [Math.min(from.y, to.y) - reach, Math.max(from.y, to.y) + reach];
    const square = Math.max(1e-6, (to.x - from.x) ** 2 + (to.y - from.y) ** 2);
    for (let y = first(top); y < Math.min(size, bottom); y++) {
      for (let x = first(left); x < Math.min(size, right); x++) {
        const [dx, dy] = [x + 0.5 - from.x, y + 0.5 - from.y];
        const along = (dx * (to.x - from.x) + dy * (to.y - from.y)) / square;
        const share = Math.min(1, Math.max(0, along));
        const distance = length(dx - share * (to.x - from.x), dy - share * (to.y - from.y));
        const index = y * size + x;
        mask[index] = Math.max(mask[index] ?? 0, edge(distance - width / 2, softness));
      }
    }
  }
  return mask;
}

/** A line that bends at random, as segments that grow thinner from `width` to `width * taper`. */
export function wander(
  random: RandomStream,
  start: Point,
  heading: number,
  options: { length: number; width: number; bend: number; taper?: number },
): Segment[] {
  const step = 2;
  const count = Math.max(1, Math.round(options.length / step));
  const segments: Segment[] = [];
  let from = start;
  let direction = heading;
  let turn = 0;
  for (let index = 0; index < count; index++) {
    turn = 0.7 * turn + options.bend * random.normal();
    direction += turn;
    const to = { x: from.x + step * Math.cos(direction), y: from.y + step * Math.sin(direction) };
    const width = options.width * (1 - ((1 - (options.taper ?? 1)) * index) / count);
    segments.push({ from, to, width });
    from = to;
  }
  return segments;
}

/** A tree of wandering lines: each branch splits in two until `depth` is used up. */
export function branches(
  random: RandomStream,
  start: Point,
  heading: number,
  options: { length: number; width: number; bend: number; depth: number; spread: number },
): Segment[] {
  const stem = wander(random, start, heading, { ...options, taper: 0.75 });
  const end = stem.at(-1);
  if (options.depth === 0 || end === undefined) return stem;
  const direction = Math.atan2(end.to.y - end.from.y, end.to.x - end.from.x);
  const child = {
    ...options,
    depth: options.depth - 1,
    length: options.length * random.uniform(0.6, 0.9),
    width: options.width * 0.72,
  };
  return [-1, 1].reduce<Segment[]>((all, side) => {
    const angle = direction + side * options.spread * random.uniform(0.4, 1.2);
    return all.concat(branches(random, end.to, angle, child));
  }, stem);
}

/** How an outline departs from a circle: the share of its radius at each angle. */
export type Outline = (angle: number) => number;

/** A closed outline: waves round the circle, larger and finer with `roughness`. */
export function roughOutline(random: RandomStream, roughness: number, waves = 7): Outline {
  const parts = Array.from({ length: waves }, (_, index) => ({
    order: index + 2,
    height: (roughness * random.normal()) / (1 + 0.5 * index),
    phase: random.uniform(0, 2 * Math.PI),
  }));
  return (angle) =>
    parts.reduce((sum, part) => sum + part.height * Math.cos(part.order * angle + part.phase), 1);
}

/** The signed distance, roughly, to an outline squeezed by `aspect` and turned by `angle`. */
export function outlineDistance(
  size: number,
  centre: Point,
  radius: number,
  options: { outline: Outline; aspect?: number; angle?: number },
): Field {
  const { outline, aspect = 1, angle = 0 } = options;
  const [cosine, sine] = [Math.cos(angle), Math.sin(angle)];
  return fieldOf(size, (x, y) => {
    const [dx, dy] = [x - centre.x, y - centre.y];
    const [u, v] = [dx * cosine + dy * sine, (dy * cosine - dx * sine) / aspect];
    return length(u, v) - radius * outline(Math.atan2(v, u));
  });
}

/** A mask of everything inside: distances below 0. */
export function inside(distance: Field, softness = 1): Field {
  return distance.map((value) => edge(value, softness));
}

/** Smooth random values in [0, 1]: lattice noise summed over octaves, each twice as fine. */
export function noise(random: RandomStream, size: number, cell: number, octaves = 3): Field {
  const sum = new Float32Array(size * size);
  let weight = 1;
  let total = 0;
  let pitch = cell;
  for (let octave = 0; octave < octaves; octave++) {
    const layer = latticeNoise(random, size, Math.max(1, pitch));
    for (let index = 0; index < sum.length; index++) {
      sum[index] = (sum[index] ?? 0) + weight * (layer[index] ?? 0);
    }
    total += weight;
    weight /= 2;
    pitch /= 2;
  }
  return sum.map((value) => value / total);
}

function latticeNoise(random: RandomStream, size: number, pitch: number): Field {
  const width = Math.ceil(size / pitch) + 2;
  const lattice = Float32Array.from({ length: width * width }, () => random.next());
  const [shiftX, shiftY] = [random.next(), random.next()];
  const at = (column: number, row: number) => lattice[row * width + column] ?? 0;
  const smooth = (value: number) => value * value * (3 - 2 * value);
  return fieldOf(size, (x, y) => {
    const [u, v] = [x / pitch + shiftX, y / pitch + shiftY];
    const [column, row] = [Math.floor(u), Math.floor(v)];
    const [s, t] = [smooth(u - column), smooth(v - row)];
    const upper = at(column, row) * (1 - s) + at(column + 1, row) * s;
    const lower = at(column, row + 1) * (1 - s) + at(column + 1, row + 1) * s;
    return upper * (1 - t) + lower * t;
  });
}

/** Points on a jittered grid of `pitch` pixels, turned by a random angle, covering the picture. */
export function scatter(
  random: RandomStream,
  size: number,
  pitch: number,
  jitter: number,
): Point[] {
  const points: Point[] = [];
  const angle = random.uniform(0, Math.PI / 2);
  const [cosine, sine] = [Math.cos(angle), Math.sin(angle)];
  const reach = Math.ceil(size / pitch);
  for (let row = -reach; row <= reach; row++) {
    for (let column = -reach; column <= reach; column++) {
      const u = pitch * (column + jitter * random.uniform(-0.5, 0.5));
      const v = pitch * (row + jitter * random.uniform(-0.5, 0.5));
      const point = { x: size / 2 + u * cosine - v * sine, y: size / 2 + u * sine + v * cosine };
      const margin = pitch;
      if (Math.min(point.x, point.y) < -margin) continue;
      if (Math.max(point.x, point.y) > size + margin) continue;
      points.push(point);
    }
  }
  return points;
}

/** A net: the borders between the cells of the given points (Voronoi), `width` pixels wide. */
export function net(size: number, points: readonly Point[], width: number): Field {
  return fieldOf(size, (x, y) => {
    let [nearest, next] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
    for (const point of points) {
      const [dx, dy] = [x - point.x, y - point.y];
      const square = dx * dx + dy * dy;
      if (square < nearest) {
        next = nearest;
        nearest = square;
      } else if (square < next) {
        next = square;
      }
    }
    return edge((Math.sqrt(next) - Math.sqrt(nearest)) / 2 - width / 2);
  });
}

// Math.hypot guards against overflow, at ten times the cost.
function length(x: number, y: number): number {
  return Math.sqrt(x * x + y * y);
}

function first(position: number): number {
  return Math.max(0, Math.floor(position));
}
