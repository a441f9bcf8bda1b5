/** What type of picture a file is, told by its first bytes. */
import { looksLikeNifti } from '../formats/niftiHeader.ts';
import { npyMagic } from '../formats/npy.ts';

/** Bytes from a file's start that are enough to tell. */
export const headBytes = 352;

/** `picture`: JPEG, PNG, GIF, TIFF (also big), WebP or AVIF. `gzip`: perhaps a NIfTI volume. */
export type FileType = 'picture' | 'dicom' | 'nifti' | 'gzip' | 'npy' | 'hdf5' | 'unknown';

/** @param head the file's first {@link headBytes} bytes, or all of a shorter one. */
export function fileTypeOf(head: Buffer): FileType {
  const hex = head.toString('hex', 0, 16);
  const text = head.toString('latin1', 0, 16);
  if (isPicture(hex, text)) return 'picture';
  if (head.toString('latin1', 128, 132) === 'DICM' || isBareDicom(head)) return 'dicom';
  if (hex.startsWith('1f8b')) return 'gzip';
  if (text.startsWith(npyMagic)) return 'npy';
  if (hex.startsWith('894844460d0a1a0a')) return 'hdf5';
  return looksLikeNifti(head) ? 'nifti' : 'unknown';
}

function isPicture(hex: string, text: string): boolean {
  return (
    hex.startsWith('ffd8ff') ||
    hex.startsWith('89504e470d0a1a0a') ||
    text.startsWith('GIF8') ||
    /^(49492a00|4d4d002a|49492b00|4d4d002b)/.test(hex) ||
    (text.startsWith('RIFF') && text.slice(8, 12) === 'WEBP') ||
    /^ftyp(avif|avis)$/.test(text.slice(4, 12))
  );
}

/**
 * A DICOM file without preamble begins with an element of group 0002 or 0008, in little-endian order:
 * the group's length, the character set, the image type or the class.
 */
function isBareDicom(head: Buffer): boolean {
  if (head.length < 132) return false;
  const group = head.readUInt16LE(0);
  const element = head.readUInt16LE(2);
  if (group === 2) return element <= 2;
  return group === 8 && [0x0, 0x1, 0x5, 0x8, 0x12, 0x16].includes(element);
}
