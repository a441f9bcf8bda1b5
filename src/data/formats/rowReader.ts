/** Blocks of rows of an array of pictures, as raw bytes. */
import { open } from 'node:fs/promises';
import { BadImageError, unreadable } from '../images/badImage.ts';
import type { ImageShape } from './arrayImage.ts';
import { datasetOf, hdf5ImageShape, openHdf5 } from './hdf5.ts';
import { readRows } from './hdf5Image.ts';
import { npyImageShape, readNpyHeader } from './npy.ts';

export interface RowReader {
  /** Rows. */
  count: number;
  rowBytes: number;
  /** Shape and type of a row, as a text. */
  description: string;
  /** Bytes of rows `start` to `end`, not included. @throws BadImageError for damaged data. */
  read(start: number, end: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** @param array name in an HDF5 file; undefined for an .npy file. @throws BadImageError */
export async function openRows(file: string, array: string | undefined): Promise<RowReader> {
  return array === undefined ? openNpyRows(file) : openHdf5Rows(file, array);
}

async function openNpyRows(path: string): Promise<RowReader> {
  const file = await open(path, 'r').catch((error: unknown) => {
    throw unreadable(error);
  });
  try {
    const header = await readNpyHeader(file);
    const facts = factsOf(npyImageShape(header));
    return {
      ...facts,
      read: async (start, end) => {
        const length = (end - start) * facts.rowBytes;
        const at = header.offset + start * facts.rowBytes;
        const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, at);
        if (bytesRead === length) return buffer;
        throw new BadImageError('truncated: the array ends too early');
      },
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function openHdf5Rows(path: string, array: string): Promise<RowReader> {
  const file = await openHdf5(path);
  const dataset = datasetOf(file, array);
  if (!dataset) {
    file.close();
    throw new BadImageError(`no array "${array}" in this HDF5 file`);
  }
  return {
    ...factsOf(hdf5ImageShape(dataset)),
    read: async (start, end) => readRows(dataset, start, end),
    close: async () => {
      file.close();
    },
  };
}

function factsOf(shape: ImageShape): Pick<RowReader, 'count' | 'rowBytes' | 'description'> {
  const { count, width, height, channels, channelsFirst, type, littleEndian } = shape;
  const rowBytes = width * height * channels * (type === 'uint8' ? 1 : 2);
  const layout = [width, height, channels, channelsFirst, type, type === 'uint16' && !littleEndian];
  return { count, rowBytes, description: JSON.stringify(layout) };
}
