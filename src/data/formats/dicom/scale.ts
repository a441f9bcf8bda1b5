/** Stored values of a DICOM picture as grey levels (PS3.3 C.11.1 and C.11.2; PS3.4 N.2). */
import { greyLevels, rangeOf } from '../grey.ts';
import type { DicomHeader, DicomScaling } from './header.ts';
import { lookUp } from './lookupTable.ts';

type Stored = Pick<DicomHeader, 'bitsStored' | 'signed' | 'photometric'>;

/**
 * Through the modality table or slope, then the VOI table or window, to levels of 0 to 255. Where the
 * file names neither table nor window, pictures of up to 8 bits stay as they are, and others are
 * stretched from their lowest to their highest value, padding left aside.
 * @param window in place of the file's own, in units of the modality (Hounsfield for CT).
 */
export function dicomLevels(
  stored: ArrayLike<number>,
  header: Stored,
  scaling: DicomScaling,
  window?: readonly [number, number],
): Uint8Array {
  // A value is scaled once, not in each of its pixels: mammograms have twenty million of them.
  const low = lowestStored(header);
  const table = new Uint8Array(2 ** header.bitsStored);
  for (let index = 0; index < stored.length; index++) table[(stored[index] as number) - low] = 1;
  const present: number[] = [];
  for (let index = 0; index < table.length; index++) if (table[index]) present.push(index + low);
  const brightness = brightnessOf(present, header, scaling, window);
  present.forEach((value, index) => {
    const level = brightness[index] ?? 0;
    table[value - low] = header.photometric === 'MONOCHROME1' ? 255 - level : level;
  });
  const levels = new Uint8Array(stored.length);
  for (let index = 0; index < levels.length; index++) {
    levels[index] = table[(stored[index] as number) - low] as number;
  }
  return levels;
}

function lowestStored({ bitsStored, signed }: Stored): number {
  return signed ? -(2 ** (bitsStored - 1)) : 0;
}

/** @param stored the values that occur. */
function brightnessOf(
  stored: readonly number[],
  header: Stored,
  scaling: DicomScaling,
  window: readonly [number, number] | undefined,
): Uint8ClampedArray {
  const { voiTable, modalityTable, rescaled } = scaling;
  const values = Float64Array.from(stored, (value) => modalityOf(scaling, value));
  if (window) return greyLevels(values, window[0], window[1]);
  if (voiTable) {
    const looked = values.map((value) => lookUp(voiTable, value));
    return greyLevels(looked, 0, 2 ** voiTable.bits - 1);
  }
  if (scaling.window) return windowed(values, scaling.window);
  if (header.bitsStored <= 8 && !rescaled && !modalityTable) {
    const low = lowestStored(header);
    return greyLevels(values, low, low + 2 ** header.bitsStored - 1);
  }
  const shown = values.filter((_, index) => stored[index] !== scaling.padding);
  return greyLevels(values, ...rangeOf(shown));
}

function windowed(
  values: Float64Array,
  { centre, width, shape }: NonNullable<DicomScaling['window']>,
): Uint8ClampedArray {
  if (shape === 'SIGMOID') {
    const soft = values.map((value) => 255 / (1 + Math.exp((-4 * (value - centre)) / width)));
    return new Uint8ClampedArray(soft);
  }
  if (shape === 'LINEAR_EXACT') {
    return greyLevels(values, centre - width / 2, centre + width / 2);
  }
  return greyLevels(values, centre - 0.5 - (width - 1) / 2, centre - 0.5 + (width - 1) / 2);
}

function modalityOf({ modalityTable, slope, intercept }: DicomScaling, value: number): number {
  return modalityTable ? lookUp(modalityTable, value) : value * slope + intercept;
}
