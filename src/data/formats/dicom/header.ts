/** What a DICOM file says of its pixels: PS3.3 C.7.6.3 (image pixel), C.11.1 (modality), C.11.2 (VOI). */
import { inflateRawSync } from 'node:zlib';
import dicomParser, { type DataSet as DicomDataSet } from 'dicom-parser';
import { BadImageError } from '../../images/badImage.ts';
import { type LookupTable, readLookupTable } from './lookupTable.ts';

export interface DicomWindow {
  centre: number;
  width: number;
  /** LINEAR, LINEAR_EXACT or SIGMOID. */
  shape: string;
}

export interface DicomHeader {
  /** The parsed file, for its pixel data. */
  dataSet: DicomDataSet;
  syntax: string;
  rows: number;
  columns: number;
  samplesPerPixel: number;
  /** MONOCHROME2, RGB, … */
  photometric: string;
  /** Colours one plane after another, not pixel by pixel. */
  planar: boolean;
  bitsAllocated: number;
  bitsStored: number;
  highBit: number;
  signed: boolean;
  frames: number;
}

/** How stored values of one frame become grey levels. */
export interface DicomScaling {
  slope: number;
  intercept: number;
  /** True where the file names a slope or intercept. */
  rescaled: boolean;
  modalityTable?: LookupTable;
  window?: DicomWindow;
  voiTable?: LookupTable;
  /** Stored value of what is no part of the picture. */
  padding?: number;
}

const tags = {
  samplesPerPixel: 'x00280002',
  photometric: 'x00280004',
  planar: 'x00280006',
  frames: 'x00280008',
  rows: 'x00280010',
  columns: 'x00280011',
  bitsAllocated: 'x00280100',
  bitsStored: 'x00280101',
  highBit: 'x00280102',
  signed: 'x00280103',
  padding: 'x00280120',
  windowCentre: 'x00281050',
  windowWidth: 'x00281051',
  intercept: 'x00281052',
  slope: 'x00281053',
  voiFunction: 'x00281056',
  modalitySequence: 'x00283000',
  voiSequence: 'x00283010',
  frameVoi: 'x00289132',
  frameModality: 'x00289145',
  sharedGroups: 'x52009229',
  frameGroups: 'x52009230',
  pixelData: 'x7fe00010',
  floatPixelData: 'x7fe00008',
  doublePixelData: 'x7fe00009',
} as const;

/** Without these there is no picture. */
const required = [
  ['rows', 'Rows (0028,0010)'],
  ['columns', 'Columns (0028,0011)'],
  ['bitsAllocated', 'Bits Allocated (0028,0100)'],
  ['photometric', 'Photometric Interpretation (0028,0004)'],
  ['pixelData', 'Pixel Data (7FE0,0010)'],
] as const;

/** Implicit VR little endian: what a file without a preamble is written in. */
const defaultSyntax = '1.2.840.10008.1.2';

/** Inflating stops here: a file of this size is no single picture. */
const longestInflated = 2 ** 31 - 1;

/** @throws BadImageError for bytes that are no DICOM file, or one without a picture. */
export function readDicomHeader(bytes: Uint8Array): DicomHeader {
  const dataSet = parse(bytes);
  const missing = required.filter(([key]) => dataSet.elements[tags[key]] === undefined);
  if (missing.length > 0) {
    const float = dataSet.elements[tags.floatPixelData] ?? dataSet.elements[tags.doublePixelData];
    const names = missing.map(([, name]) => name).join(', ');
    throw new BadImageError(
      float ? 'a DICOM file of floating-point pixels' : `a DICOM file without ${names}`,
    );
  }
  const number = (tag: string): number | undefined => {
    const element = dataSet.elements[tag];
    return element && element.length >= 2 ? dataSet.uint16(tag) : undefined;
  };
  const bitsAllocated = number(tags.bitsAllocated) ?? 0;
  const bitsStored = number(tags.bitsStored) ?? bitsAllocated;
  const header = {
    dataSet,
    syntax: dataSet.string('x00020010') ?? defaultSyntax,
    rows: number(tags.rows) ?? 0,
    columns: number(tags.columns) ?? 0,
    samplesPerPixel: number(tags.samplesPerPixel) ?? 1,
    photometric: dataSet.string(tags.photometric)?.toUpperCase() ?? '',
    planar: number(tags.planar) === 1,
    bitsAllocated,
    bitsStored,
    highBit: number(tags.highBit) ?? bitsStored - 1,
    signed: number(tags.signed) === 1,
    frames: Math.max(1, dataSet.intString(tags.frames) ?? 1),
  };
  checkHeader(header);
  return header;
}

/** @param frame counted from 0; a multi-frame file may scale each by itself. @throws BadImageError */
export function readDicomScaling(
  { dataSet, signed }: Pick<DicomHeader, 'dataSet' | 'signed'>,
  frame: number,
): DicomScaling {
  const [shared] = itemsOf(dataSet, tags.sharedGroups);
  const own = itemsOf(dataSet, tags.frameGroups)[frame];
  // The frame's own values come first, then those of all frames, then those of the file.
  const places = (tag: string): DicomDataSet[] =>
    [own, shared].flatMap((group) => (group ? itemsOf(group, tag).slice(0, 1) : []));
  const modality = [...places(tags.frameModality), dataSet];
  const voi = [...places(tags.frameVoi), dataSet];
  const slope = firstNumber(modality, tags.slope);
  const intercept = firstNumber(modality, tags.intercept);
  const centre = firstNumber(voi, tags.windowCentre);
  const width = firstNumber(voi, tags.windowWidth);
  const shape = voi.map((place) => place.string(tags.voiFunction)).find(Boolean) ?? 'LINEAR';
  const [modalityItem] = itemsOf(dataSet, tags.modalitySequence);
  const [voiItem] = itemsOf(dataSet, tags.voiSequence);
  const padding = dataSet.elements[tags.padding] && wordOf(dataSet, tags.padding, signed);
  if (slope === 0) throw new BadImageError('a DICOM file with Rescale Slope (0028,1053) 0');
  return {
    slope: slope ?? 1,
    intercept: intercept ?? 0,
    rescaled: slope !== undefined || intercept !== undefined,
    ...(modalityItem ? { modalityTable: readLookupTable(modalityItem, signed) } : {}),
    ...(centre !== undefined && width !== undefined && width > 0
      ? { window: { centre, width, shape } }
      : {}),
    ...(voiItem ? { voiTable: readLookupTable(voiItem, signed) } : {}),
    ...(padding === undefined ? {} : { padding }),
  };
}

function parse(bytes: Uint8Array): DicomDataSet {
  const named = Buffer.from(bytes.buffer, bytes.byteOffset + 128, 4).toString('latin1') === 'DICM';
  try {
    return dicomParser.parseDicom(bytes, {
      ...(named ? {} : { TransferSyntaxUID: syntaxWithoutPreamble(bytes) }),
      inflater: (all: Uint8Array, position: number) => {
        const rest = inflateRawSync(all.subarray(position), { maxOutputLength: longestInflated });
        return Buffer.concat([all.subarray(0, position), rest]);
      },
    });
  } catch (error) {
    // The parser throws texts, and objects that carry what it had read so far.
    const text = error instanceof Error ? error.message : messageOf(error);
    throw new BadImageError(`a damaged DICOM file (${text.replace(/^dicomParser\.\w+: /, '')})`);
  }
}

function messageOf(error: unknown): string {
  if (typeof error === 'string') return error;
  const inner = typeof error === 'object' && error !== null && 'exception' in error;
  return inner ? messageOf(error.exception) : 'it cannot be read to its end';
}

/** Old files begin with their first element: a value representation in letters tells explicit ones. */
function syntaxWithoutPreamble(bytes: Uint8Array): string {
  const letters = Buffer.from(bytes.subarray(4, 6)).toString('latin1');
  return /^[A-Z]{2}$/.test(letters) ? `${defaultSyntax}.1` : defaultSyntax;
}

type Checked = Omit<DicomHeader, 'dataSet'>;

function checkHeader(header: Checked): void {
  const { rows, columns, bitsAllocated, bitsStored, highBit, samplesPerPixel } = header;
  const wrong = (what: string): never => {
    throw new BadImageError(`a DICOM file with ${what}`);
  };
  if (rows === 0 || columns === 0) wrong(`${columns} columns and ${rows} rows`);
  if (bitsAllocated !== 8 && bitsAllocated !== 16)
    wrong(`${bitsAllocated} bits allocated to a sample`);
  if (bitsStored < 1 || bitsStored > bitsAllocated || highBit >= bitsAllocated) {
    wrong(`${bitsStored} bits stored up to bit ${highBit}, of ${bitsAllocated} allocated`);
  }
  if (highBit + 1 < bitsStored) wrong(`${bitsStored} bits stored below bit ${highBit}`);
  if (samplesPerPixel !== 1 && samplesPerPixel !== 3) wrong(`${samplesPerPixel} samples a pixel`);
}

/** The items of a sequence; none where the tag is absent. */
function itemsOf(dataSet: DicomDataSet, tag: string): DicomDataSet[] {
  const items = dataSet.elements[tag]?.items ?? [];
  return items.flatMap((item) => (item.dataSet ? [item.dataSet] : []));
}

/** The first number of the first place that has the tag; absent and empty values count as none. */
function firstNumber(places: readonly DicomDataSet[], tag: string): number | undefined {
  for (const place of places) {
    const value = place.elements[tag] ? place.floatString(tag) : undefined;
    if (value !== undefined && Number.isFinite(value)) return value;
  }
  return undefined;
}

function wordOf(dataSet: DicomDataSet, tag: string, signed: boolean): number | undefined {
  return signed ? dataSet.int16(tag) : dataSet.uint16(tag);
}
