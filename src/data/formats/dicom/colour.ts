/** Colour pictures of DICOM files as 8-bit RGB (PS3.3 C.7.6.3.1.2 and C.7.6.3.1.5). */
import { BadImageError } from '../../images/badImage.ts';
import type { DicomHeader } from './header.ts';
import { lookUp, readLookupTable } from './lookupTable.ts';

/** [rows * columns * 3] levels by pixel, from samples by pixel of up to 16 bits. */
export function colourPixels(samples: ArrayLike<number>, header: DicomHeader): Uint8Array {
  const { photometric, bitsStored } = header;
  const levels = Uint8Array.from(samples, (value) =>
    bitsStored > 8 ? value >> (bitsStored - 8) : value,
  );
  if (photometric === 'RGB' || photometric === 'YBR_RCT' || photometric === 'YBR_ICT') {
    return levels;
  }
  if (photometric === 'YBR_FULL' || photometric === 'YBR_FULL_422') return fromYbr(levels);
  throw new BadImageError(
    `a DICOM file of the photometric interpretation ${photometric}, where MONOCHROME1 or 2, PALETTE COLOR, RGB or YBR_FULL was expected`,
  );
}

/** Each stored value's colour in the file's palette. */
export function palettePixels(stored: ArrayLike<number>, header: DicomHeader): Uint8Array {
  const result = new Uint8Array(stored.length * 3);
  ['1', '2', '3'].forEach((colour, channel) => {
    const table = readLookupTable(
      header.dataSet,
      header.signed,
      `x0028110${colour}`,
      `x0028120${colour}`,
    );
    // Some writers say 16 bits and fill 8 of them.
    const wide = table.bits > 8 && table.values.some((value) => value > 255);
    for (let pixel = 0; pixel < stored.length; pixel++) {
      const value = lookUp(table, stored[pixel] as number);
      result[pixel * 3 + channel] = wide ? value >> 8 : value;
    }
  });
  return result;
}

/** Y, Cb, Cr of every other pixel in a row: Y1 Y2 Cb Cr to two pixels of three samples. */
export function spread422(data: Uint8Array, pixels: number): Uint8Array {
  const result = new Uint8Array(pixels * 3);
  for (let pixel = 0; pixel < pixels; pixel++) {
    const pair = (pixel >> 1) * 4;
    result[pixel * 3] = data[pair + (pixel & 1)] ?? 0;
    result[pixel * 3 + 1] = data[pair + 2] ?? 0;
    result[pixel * 3 + 2] = data[pair + 3] ?? 0;
  }
  return result;
}

function fromYbr(samples: Uint8Array): Uint8Array {
  const result = new Uint8ClampedArray(samples.length);
  for (let at = 0; at < samples.length; at += 3) {
    const y = samples[at] as number;
    const blue = (samples[at + 1] as number) - 128;
    const red = (samples[at + 2] as number) - 128;
    result[at] = y + 1.402 * red;
    result[at + 1] = y - (0.114 * 1.772 * blue + 0.299 * 1.402 * red) / 0.587;
    result[at + 2] = y + 1.772 * blue;
  }
  return new Uint8Array(result.buffer);
}
