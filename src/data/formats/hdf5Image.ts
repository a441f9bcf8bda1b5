/** Rows of arrays in HDF5 files, as pictures. */
import { stat } from 'node:fs/promises';
import type { Dataset, File } from 'h5wasm/node';
import { BadImageError, checkPixelCount, unreadable } from '../images/badImage.ts';
import { type ImageReference, refuseSelections } from '../images/reference.ts';
import type { RgbImage } from '../images/rows.ts';
import { arrayImage, type ImageShape } from './arrayImage.ts';
import { datasetOf, hdf5ImageShape, hdf5Reason, openHdf5 } from './hdf5.ts';

/** An array that is being read, with the rows that were read last. */
interface OpenArray {
  key: string;
  file: File;
  dataset: Dataset;
  shape: ImageShape;
  rowBytes: number;
  /** Rows that are read at once: those that are compressed together. */
  blockRows: number;
  block?: { start: number; bytes: Uint8Array };
}

/** Rows that are compressed together are kept up to this size, for the next one that is asked for. */
const longestBlock = 64 << 20;

/** Arrays kept open: those of the three splits of a data set. */
const mostOpen = 3;

const opened: OpenArray[] = [];

/** @throws BadImageError */
export async function decodeHdf5(reference: ImageReference, maxPixels: number): Promise<RgbImage> {
  refuseSelections(reference, ['array', 'row'], 'an HDF5 file');
  const { file, array, row } = reference;
  if (array === undefined || row === undefined) {
    throw new BadImageError('an HDF5 file: name a picture, for example #array=x&row=0');
  }
  const open = await openArray(file, array);
  checkPixelCount(open.shape.width, open.shape.height, maxPixels);
  if (row >= open.shape.count) {
    throw new BadImageError(`no row ${row} among ${open.shape.count} of ${array}`);
  }
  return arrayImage(readRow(open, row), open.shape);
}

/** Bytes of rows `start` to `end`, not included. @throws BadImageError for damaged data. */
export function readRows(dataset: Dataset, start: number, end: number): Uint8Array {
  try {
    const rest = (dataset.shape ?? []).slice(1).map((): [] => []);
    const value = dataset.slice([[start, end], ...rest]);
    if (ArrayBuffer.isView(value)) {
      return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    }
  } catch (error) {
    throw new BadImageError(`truncated or damaged (${hdf5Reason(error)})`);
  }
  throw new BadImageError('an array that is not of numbers');
}

async function openArray(path: string, array: string): Promise<OpenArray> {
  const { size, mtimeMs } = await stat(path).catch((error: unknown) => {
    throw unreadable(error);
  });
  const key = JSON.stringify([path, array, size, mtimeMs]);
  const known = opened.find((each) => each.key === key);
  if (known) return known;
  const file = await openHdf5(path).catch((error: unknown) => {
    throw new BadImageError(`truncated or damaged (${hdf5Reason(error)})`);
  });
  const dataset = datasetOf(file, array);
  if (!dataset) {
    file.close();
    throw new BadImageError(`no array "${array}" in this HDF5 file`);
  }
  const shape = hdf5ImageShape(dataset);
  const rowBytes = shape.width * shape.height * shape.channels * (shape.type === 'uint8' ? 1 : 2);
  const chunkRows = dataset.metadata.chunks?.[0] ?? 1;
  const blockRows = chunkRows * rowBytes <= longestBlock ? chunkRows : 1;
  const result: OpenArray = { key, file, dataset, shape, rowBytes, blockRows };
  opened.push(result);
  if (opened.length > mostOpen) opened.shift()?.file.close();
  return result;
}

function readRow(open: OpenArray, row: number): Uint8Array {
  const { dataset, shape, rowBytes, blockRows } = open;
  const start = row - (row % blockRows);
  if (open.block?.start !== start) {
    const end = Math.min(start + blockRows, shape.count);
    // The library reuses its memory: what is kept must be a copy.
    open.block = { start, bytes: readRows(dataset, start, end).slice() };
  }
  const offset = (row - start) * rowBytes;
  return open.block.bytes.subarray(offset, offset + rowBytes);
}
