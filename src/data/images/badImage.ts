import { errorCode } from '../../util/index.ts';

/** Why a file is no usable image, in words for a user. */
export class BadImageError extends Error {}

const readFault = 'cannot be read: ';

/** The error of a file whose bytes cannot be had. */
export function unreadable(error: unknown): BadImageError {
  const code = errorCode(error) ?? String(error);
  return new BadImageError(`${readFault}${code === 'ENOENT' ? 'no such file' : code}`);
}

/** True of the reason for a file whose bytes could not be had, which says nothing of the bytes. */
export function isReadFault(reason: unknown): boolean {
  return typeof reason === 'string' && reason.startsWith(readFault);
}

/** @throws BadImageError for more pixels than are allowed, before any is decoded. */
export function checkPixelCount(width: number, height: number, maxPixels: number): void {
  if (width * height <= maxPixels) return;
  const millions = (count: number): string => (count / 1e6).toFixed(0);
  throw new BadImageError(
    `${width} × ${height} = ${millions(width * height)} million pixels, more than the ${millions(maxPixels)} million allowed`,
  );
}
