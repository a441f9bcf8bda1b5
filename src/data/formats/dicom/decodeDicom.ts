/** One frame of a DICOM file as an 8-bit RGB picture. */
import { BadImageError, checkPixelCount } from '../../images/badImage.ts';
import { type ImageReference, refuseSelections } from '../../images/reference.ts';
import type { RgbImage } from '../../images/rows.ts';
import { greyImage } from '../grey.ts';
import { colourPixels, palettePixels } from './colour.ts';
import { readDicomHeader, readDicomScaling } from './header.ts';
import { readFrame } from './pixels.ts';
import { dicomLevels } from './scale.ts';

/**
 * Grey values go through the modality and VOI transformations of the file (`scale.ts`), colours to RGB.
 * @throws BadImageError
 */
export async function decodeDicom(
  bytes: Uint8Array,
  reference: ImageReference,
  maxPixels: number,
): Promise<RgbImage> {
  refuseSelections(reference, ['frame', 'window'], 'a DICOM file');
  const header = readDicomHeader(bytes);
  const { rows, columns, frames, photometric, samplesPerPixel, bitsStored } = header;
  checkPixelCount(columns, rows, maxPixels);
  if (reference.frame === undefined && frames > 1) {
    throw new BadImageError(
      `a DICOM file of ${frames} frames: name one after the file name, #frame=0 to #frame=${frames - 1}`,
    );
  }
  const frame = reference.frame ?? 0;
  if (frame >= frames) throw new BadImageError(`no frame ${frame} among ${frames}`);
  const { samples, isRgb } = await readFrame(header, frame);
  const source = { format: 'dicom', channels: samplesPerPixel, bits: bitsStored };
  if (samplesPerPixel === 3) {
    const data = colourPixels(samples, isRgb ? { ...header, photometric: 'RGB' } : header);
    return { width: columns, height: rows, data, source };
  }
  if (photometric === 'PALETTE COLOR') {
    return { width: columns, height: rows, data: palettePixels(samples, header), source };
  }
  if (photometric !== 'MONOCHROME1' && photometric !== 'MONOCHROME2') {
    throw new BadImageError(
      `a DICOM file of one sample a pixel and photometric interpretation ${photometric}`,
    );
  }
  const scaling = readDicomScaling(header, frame);
  const levels = dicomLevels(samples, header, scaling, reference.window);
  return { ...greyImage(levels, columns, rows), source };
}
