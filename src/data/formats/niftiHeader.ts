/** Headers of NIfTI-1 and NIfTI-2 files (nifti.nimh.nih.gov: nifti1.h, nifti2.h). */
import { BadImageError } from '../images/badImage.ts';

export interface NiftiHeader {
  littleEndian: boolean;
  /** Voxels along x, y, z. */
  size: [number, number, number];
  /** NIfTI's code of the voxels' type. */
  datatype: number;
  /** Bytes before the first voxel. */
  offset: number;
  slope: number;
  intercept: number;
  /** The values that are meant as black and white; absent where the file names none. */
  window?: [number, number];
}

/** Bytes of the longer header. */
export const niftiHeaderBytes = 540;

/** True where the bytes are a header, in either byte order. */
export function looksLikeNifti(head: Buffer): boolean {
  if (head.length < 348) return false;
  const magic = head.toString('latin1', 344, 347);
  const isFirst = head.readInt32LE(0) === 348 || head.readInt32BE(0) === 348;
  if (isFirst) return magic === 'n+1' || magic === 'ni1';
  return head.toString('latin1', 4, 7) === 'n+2' || head.toString('latin1', 4, 7) === 'ni2';
}

/** @throws BadImageError for a header of another kind of file, or of more than a volume. */
export function parseNiftiHeader(head: Buffer): NiftiHeader {
  if (!looksLikeNifti(head)) throw new BadImageError('a gzip file that holds no NIfTI volume');
  const second = head.toString('latin1', 4, 6) === 'n+' || head.toString('latin1', 4, 6) === 'ni';
  if (second && head.length < niftiHeaderBytes) throw new BadImageError('a NIfTI header cut off');
  const pair = head.toString('latin1', second ? 4 : 344, second ? 6 : 346) === 'ni';
  if (pair) {
    throw new BadImageError('the header of a NIfTI pair: save header and image as one .nii file');
  }
  const littleEndian = head.readInt32LE(0) === (second ? 540 : 348);
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const small = (at: number): number => view.getInt16(at, littleEndian);
  const large = (at: number): number => Number(view.getBigInt64(at, littleEndian));
  const single = (at: number): number => view.getFloat32(at, littleEndian);
  const double = (at: number): number => view.getFloat64(at, littleEndian);
  const [dimension, real] = second ? [large, double] : [small, single];
  const [start, step] = second ? [16, 8] : [40, 2];
  const dims = Array.from({ length: 8 }, (_, index) => dimension(start + index * step));
  const [high, low] = second ? [192, 200] : [124, 128];
  const window: [number, number] = [real(low), real(high)];
  return {
    littleEndian,
    size: sizeOf(dims),
    datatype: small(second ? 12 : 70),
    offset: second ? large(168) : single(108),
    ...scaleOf(real(second ? 176 : 112), real(second ? 184 : 116)),
    ...(Number.isFinite(window[0]) && window[1] > window[0] ? { window } : {}),
  };
}

/** A slope of 0 means that the voxels are the values. */
function scaleOf(slope: number, intercept: number): { slope: number; intercept: number } {
  if (slope === 0 || !Number.isFinite(slope)) return { slope: 1, intercept: 0 };
  return { slope, intercept: Number.isFinite(intercept) ? intercept : 0 };
}

function sizeOf(dims: readonly number[]): [number, number, number] {
  const [rank = 0, ...lengths] = dims;
  const size = lengths.slice(0, Math.max(rank, 0));
  if (rank < 2 || rank > 7 || size.some((length) => !(length >= 1))) {
    throw new BadImageError(`a NIfTI file of size [${size.join(', ')}]`);
  }
  const [x = 1, y = 1, z = 1, ...more] = size;
  if (more.some((length) => length > 1)) {
    throw new BadImageError(
      `a NIfTI series of size [${size.join(', ')}]: save each volume as a file of its own`,
    );
  }
  return [x, y, z];
}
