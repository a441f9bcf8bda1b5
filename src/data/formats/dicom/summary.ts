/** A few facts from the head of a DICOM file, without its pixels. */
import { open } from 'node:fs/promises';
import dicomParser from 'dicom-parser';

export interface DicomSummary {
  /** Series Description (0008,103E). */
  description: string;
  rows: number;
  columns: number;
  bitsAllocated: number;
}

/** Everything before the pixels fits in here, icons and overlays apart. */
const headLength = 1 << 16;

/** `undefined` for a file that cannot be read as DICOM: decoding it says why. */
export async function dicomSummary(path: string): Promise<DicomSummary | undefined> {
  try {
    const file = await open(path, 'r');
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(headLength), 0, headLength, 0);
      const head = buffer.subarray(0, bytesRead);
      const dataSet = dicomParser.parseDicom(head, { untilTag: 'x7fe00010' });
      return {
        description: dataSet.string('x0008103e') ?? '',
        rows: dataSet.uint16('x00280010') ?? 0,
        columns: dataSet.uint16('x00280011') ?? 0,
        bitsAllocated: dataSet.uint16('x00280100') ?? 0,
      };
    } finally {
      await file.close();
    }
  } catch {
    return undefined;
  }
}
