/**
 * Where a picture is: a file, or a part of one that holds several. The part is written after the
 * file's name, as in `scan.nii.gz#slice=12`, `cine.dcm#frame=3` or `data.h5#array=x&row=7`, so that a
 * picture has one name wherever a path is asked for.
 */
import { BadImageError } from './badImage.ts';

export interface ImageReference {
  file: string;
  /** Name of an array in an HDF5 file. */
  array?: string;
  /** Position along an array's first axis. */
  row?: number;
  /** The axis of a volume that slices are counted along, from 0; by default the third. */
  axis?: number;
  slice?: number | 'middle';
  /** Frame of a DICOM file, from 0. */
  frame?: number;
  /** The values that become black and white. */
  window?: readonly [number, number];
}

const selection = /#(?:(?:array|row|axis|slice|frame|window)=[^&#]*(?:&|$))+$/;

/** The file part of a reference. */
export function fileOf(reference: string): string {
  return reference.replace(selection, '');
}

/** The part after the file's name, with its `#`; empty for a whole file. */
export function selectionOf(reference: string): string {
  return reference.slice(fileOf(reference).length);
}

/** @throws BadImageError for a selection that cannot be understood. */
export function parseReference(reference: string): ImageReference {
  const file = fileOf(reference);
  const result: ImageReference = { file };
  for (const part of reference.slice(file.length + 1).split('&')) {
    if (part === '') continue;
    const [key = '', value = ''] = part.split('=', 2);
    if (key === 'array') result.array = decodeURIComponent(value);
    else if (key === 'slice' && value === 'middle') result.slice = value;
    else if (key === 'window') result.window = windowOf(value, part);
    else if (key === 'row' || key === 'axis' || key === 'slice' || key === 'frame') {
      if (!/^\d{1,15}$/.test(value)) throw misread(part, 'a whole number from 0');
      result[key] = Number(value);
    }
  }
  if (result.axis !== undefined && result.axis > 2) throw misread(`axis=${result.axis}`, '0 to 2');
  return result;
}

/** Names a row of an array: of an .npy file, or of a named array in an HDF5 file. */
export function rowReference(file: string, row: number, array?: string): string {
  const named = array === undefined ? '' : `array=${encodeURIComponent(array)}&`;
  return `${file}#${named}row=${row}`;
}

/** @throws BadImageError where the reference selects something that this type of file does not have. */
export function refuseSelections(
  reference: ImageReference,
  known: readonly (keyof ImageReference)[],
  type: string,
): void {
  const allowed: readonly string[] = ['file', ...known];
  const stranger = Object.keys(reference).find((key) => !allowed.includes(key));
  if (stranger === undefined) return;
  const hint = known.length > 0 ? `; it knows ${known.join(', ')}` : '';
  throw new BadImageError(`${type}, of which no "${stranger}" can be selected${hint}`);
}

function windowOf(value: string, part: string): [number, number] {
  const match = /^(-?\d+(?:\.\d+)?):(-?\d+(?:\.\d+)?)$/.exec(value);
  const [low, high] = [Number(match?.[1]), Number(match?.[2])];
  if (!match || !(high > low)) throw misread(part, 'two rising numbers, for example -160:240');
  return [low, high];
}

function misread(part: string, expected: string): BadImageError {
  return new BadImageError(`"${part}" after the file name, where ${expected} was expected`);
}
