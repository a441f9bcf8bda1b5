/** Reads `.safetensors` files. */
import { WorkError } from '../util/index.ts';
import type { RegularFile } from './regularFile.ts';
import { largestHeader, parseSafetensorsHeader } from './safetensorsHeader.ts';
import type { OpenedWeights } from './stored.ts';

const lengthBytes = 8;

async function readHeaderLength(file: RegularFile): Promise<number> {
  if (file.size < lengthBytes) {
    throw new WorkError({
      where: file.path,
      expected: 'a safetensors file, at least 8 bytes',
      got: `${file.size}`,
      hint: 'copy or download it again',
    });
  }
  const bytes = Buffer.from(await file.read(0, lengthBytes));
  const length = bytes.readBigUInt64LE(0);
  if (length > BigInt(largestHeader)) {
    throw new WorkError({
      where: file.path,
      expected: `a safetensors header of at most ${largestHeader} bytes`,
      got: `${length}`,
      hint: 'the file is damaged or no safetensors file',
    });
  }
  if (Number(length) > file.size - lengthBytes) {
    throw new WorkError({
      where: file.path,
      expected: `a header of ${length} bytes`,
      got: `a file that ends after ${file.size} bytes`,
      hint: 'it is truncated: copy or download it again',
    });
  }
  return Number(length);
}

/** Reads and checks the header; values are read one by one. @throws WorkError */
export async function openSafetensors(file: RegularFile): Promise<OpenedWeights> {
  const headerLength = await readHeaderLength(file);
  const dataStart = lengthBytes + headerLength;
  const header = await file.read(lengthBytes, headerLength);
  const { tensors, metadata } = parseSafetensorsHeader(file.path, header, file.size - dataStart);
  return {
    path: file.path,
    format: 'safetensors',
    tensors,
    metadata,
    async read(name) {
      const place = tensors.get(name);
      return place && (await file.read(dataStart + place.begin, place.end - place.begin));
    },
  };
}
