/**
 * A small RGB picture that shapes are painted into. Colours are floats in [0, 1]; a mask says how
 * much of a colour each pixel takes, which gives soft edges without supersampling.
 */

export type Colour = readonly [red: number, green: number, blue: number];

/** One number per pixel, row by row: a mask, a height or a distance, by its use. */
export type Field = Float32Array;

export class Raster {
  readonly size: number;
  /** Shape [size, size, 3], values in [0, 1]. */
  readonly pixels: Float32Array;

  constructor(size: number, background: Colour) {
    this.size = size;
    this.pixels = new Float32Array(size * size * 3);
    for (let index = 0; index < this.pixels.length; index++) {
      this.pixels[index] = background[index % 3] ?? 0;
    }
  }

  /** Mixes `colour` in by `mask` times `opacity`. */
  paint(mask: Field, colour: Colour, opacity = 1): this {
    for (let pixel = 0; pixel < mask.length; pixel++) {
      const value = mask[pixel] ?? 0;
      if (value <= 0) continue;
      const share = Math.min(1, value * opacity);
      for (let channel = 0; channel < 3; channel++) {
        const index = pixel * 3 + channel;
        const old = this.pixels[index] ?? 0;
        this.pixels[index] = old + share * ((colour[channel] ?? 0) - old);
      }
    }
    return this;
  }

  /** Multiplies every pixel by 1 + `strength` * (field - 0.5): light and shade. */
  shade(field: Field, strength: number): this {
    for (let index = 0; index < this.pixels.length; index++) {
      const factor = 1 + strength * ((field[Math.floor(index / 3)] ?? 0.5) - 0.5);
      this.pixels[index] = (this.pixels[index] ?? 0) * factor;
    }
    return this;
  }

  /** 8-bit RGB, row by row, as an image encoder takes it. */
  toBytes(): Uint8Array {
    return Uint8Array.from(this.pixels, (value) =>
      Math.round(255 * Math.min(1, Math.max(0, value))),
    );
  }
}

/** Fills a field from each pixel's centre, in pixels from the upper left. */
export function fieldOf(size: number, value: (x: number, y: number) => number): Field {
  const field = new Float32Array(size * size);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) field[y * size + x] = value(x + 0.5, y + 0.5);
  }
  return field;
}

/** The product of two masks. */
export function within(mask: Field, other: Field): Field {
  return mask.map((value, index) => value * (other[index] ?? 0));
}

/** 1 where `distance` is well below 0, 0 well above, and linear over `softness` pixels between. */
export function edge(distance: number, softness = 1): number {
  return Math.min(1, Math.max(0, 0.5 - distance / softness));
}

/** Hue in turns, saturation and lightness in [0, 1] to RGB. */
export function hsl(hue: number, saturation: number, lightness: number): Colour {
  const amplitude = saturation * Math.min(lightness, 1 - lightness);
  const channel = (offset: number) => {
    const position = (((offset + hue * 12) % 12) + 12) % 12;
    return lightness - amplitude * Math.max(-1, Math.min(position - 3, 9 - position, 1));
  };
  return [channel(0), channel(8), channel(4)];
}

/** A colour a little off the given one. */
export function vary(
  colour: Colour,
  amount: number,
  random: { uniform: (low: number, high: number) => number },
): Colour {
  const shift = random.uniform(-amount, amount);
  // Lightness varies more than hue.
  const moved = (value: number) =>
    Math.min(1, Math.max(0, value + shift + random.uniform(-amount, amount) / 4));
  return [moved(colour[0]), moved(colour[1]), moved(colour[2])];
}
