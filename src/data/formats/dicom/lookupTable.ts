/** Lookup tables of DICOM files: modality, VOI and palette (PS3.3 C.11.1.1, C.11.2.1, C.7.6.3.1.5). */
import type { DataSet as DicomDataSet } from 'dicom-parser';
import { BadImageError } from '../../images/badImage.ts';

export interface LookupTable {
  /** The input value of the first entry; lower ones take it, too. */
  first: number;
  /** Bits of an output value. */
  bits: number;
  values: Uint16Array;
}

/**
 * @param signed whether input values are, which decides about the descriptor where the file does not.
 * @throws BadImageError where entries are missing.
 */
export function readLookupTable(
  dataSet: DicomDataSet,
  signed: boolean,
  descriptorTag = 'x00283002',
  dataTag = 'x00283006',
): LookupTable {
  const descriptor = dataSet.elements[descriptorTag];
  const data = dataSet.elements[dataTag];
  if (!descriptor || !data || descriptor.length < 6) {
    throw new BadImageError('a DICOM file with a lookup table that lacks its parts');
  }
  // 65,536 entries do not fit into 16 bits and are written as 0.
  const count = dataSet.uint16(descriptorTag, 0) || 65_536;
  const isSigned = descriptor.vr === 'SS' || (descriptor.vr === undefined && signed);
  const first = isSigned
    ? dataSet.int16(descriptorTag, 1)
    : (dataSet.uint16(descriptorTag, 1) ?? 0);
  const bits = dataSet.uint16(descriptorTag, 2) ?? 16;
  const values = new Uint16Array(count);
  if (data.length >= count * 2) {
    for (let index = 0; index < count; index++) values[index] = dataSet.uint16(dataTag, index) ?? 0;
  } else if (data.length >= count) {
    const { byteArray } = dataSet;
    values.set(byteArray.subarray(data.dataOffset, data.dataOffset + count));
  } else {
    throw new BadImageError(`a DICOM file with a lookup table cut off before entry ${count}`);
  }
  return { first: first ?? 0, bits, values };
}

/** The entry of a value; values outside take the first or last one. */
export function lookUp({ first, values }: LookupTable, value: number): number {
  const index = Math.min(Math.max(Math.round(value) - first, 0), values.length - 1);
  return values[index] as number;
}
