/** One row of an array of pictures, [N, H, W], [N, H, W, C] or [N, C, H, W], as a picture. */
import { BadImageError } from '../images/badImage.ts';
import type { RgbImage } from '../images/rows.ts';

export interface ImageShape {
  /** How many pictures. */
  count: number;
  height: number;
  width: number;
  /** 1: grey; 3: red, green, blue; 4: and alpha, which is dropped. */
  channels: number;
  channelsFirst: boolean;
  /** 16-bit numbers give their upper byte, as 16-bit picture files do. */
  type: 'uint8' | 'uint16';
  littleEndian: boolean;
}

/**
 * What an array's shape and type mean as pictures.
 * @param type undefined for one that pictures cannot have. @param typeName as the file calls it.
 * @throws BadImageError
 */
export function imageShape(
  shape: readonly number[],
  type: ImageShape['type'] | undefined,
  typeName: string,
  littleEndian: boolean,
): ImageShape {
  const text = `[${shape.join(', ')}]`;
  if (type === undefined) {
    throw new BadImageError(
      `numbers of type ${typeName}, where uint8 (or uint16) was expected: scale and convert them first`,
    );
  }
  const [count = 0, second = 0, third = 0, fourth] = shape;
  const common = { count, type, littleEndian };
  if (shape.length === 3) {
    return { ...common, height: second, width: third, channels: 1, channelsFirst: false };
  }
  const isChannels = (size: number | undefined): boolean => size === 1 || size === 3 || size === 4;
  if (shape.length === 4 && isChannels(fourth)) {
    const channels = fourth ?? 1;
    return { ...common, height: second, width: third, channels, channelsFirst: false };
  }
  if (shape.length === 4 && isChannels(second)) {
    return { ...common, height: third, width: fourth ?? 0, channels: second, channelsFirst: true };
  }
  const volumes = shape.length === 4 || shape.length === 5 ? ' (volumes are not read)' : '';
  throw new BadImageError(
    `an array of shape ${text}, where [N, H, W], [N, H, W, 3] or [N, 3, H, W] was expected${volumes}`,
  );
}

/** @param bytes one row, all of it. */
export function arrayImage(bytes: Uint8Array, shape: ImageShape): RgbImage {
  const { height, width, channels, channelsFirst, type, littleEndian } = shape;
  const pixels = width * height;
  const data = new Uint8Array(pixels * 3);
  const [itemSize, upper] = type === 'uint8' ? [1, 0] : [2, littleEndian ? 1 : 0];
  const [pixelStep, channelStep] = channelsFirst ? [1, pixels] : [channels, 1];
  for (let pixel = 0; pixel < pixels; pixel++) {
    for (let channel = 0; channel < 3; channel++) {
      const source = pixel * pixelStep + (channels === 1 ? 0 : channel) * channelStep;
      data[pixel * 3 + channel] = bytes[source * itemSize + upper] as number;
    }
  }
  const source = { format: 'array', channels, bits: type === 'uint8' ? 8 : 16 };
  return { width, height, data, source };
}
