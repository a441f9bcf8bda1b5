/** The members of a plain tar archive (POSIX.1-1988 "ustar", with pax headers passed over). */
import type { RegularFile } from './regularFile.ts';
import { damaged, failureOf } from './stateDict.ts';

const blockBytes = 512;

/** The archives that are read here have four members, and a pax header for each. */
const mostBlocks = 64;

export interface TarMember {
  /** Where its bytes begin in the file. */
  begin: number;
  byteCount: number;
}

function textOf(block: Buffer, start: number, length: number): string {
  const field = block.toString('latin1', start, start + length);
  const end = field.indexOf('\0');
  return end === -1 ? field : field.slice(0, end);
}

/** A number in octal digits, or `undefined`. */
function octalOf(block: Buffer, start: number, length: number): number | undefined {
  const digits = textOf(block, start, length).trim();
  return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : undefined;
}

/** Whether the header's own sum of bytes, counted with spaces in its place, is right. */
function hasValidSum(block: Buffer): boolean {
  let sum = 0;
  for (let index = 0; index < blockBytes; index++) {
    sum += index >= 148 && index < 156 ? 0x20 : (block[index] ?? 0);
  }
  return octalOf(block, 148, 8) === sum;
}

/** The regular members by name. @throws WorkError for an archive that is damaged or has too many. */
export async function readTarMembers(file: RegularFile): Promise<Map<string, TarMember>> {
  const fail = failureOf(file.path);
  const members = new Map<string, TarMember>();
  let position = 0;
  for (let count = 0; position + blockBytes <= file.size; count++) {
    if (count === mostBlocks) {
      throw fail('a PyTorch 0.1 checkpoint', 'a tar archive of many files');
    }
    const block = Buffer.from(await file.read(position, blockBytes));
    if (block.every((byte) => byte === 0)) break;
    const byteCount = octalOf(block, 124, 12);
    if (byteCount === undefined || !hasValidSum(block)) {
      throw fail('a tar archive', `no valid header at byte ${position}`, damaged);
    }
    const name = textOf(block, 0, 100);
    const begin = position + blockBytes;
    if (begin + byteCount > file.size) {
      throw fail(`${byteCount} bytes of ${JSON.stringify(name)}`, 'a file that ends', damaged);
    }
    // '0' or NUL: a regular file. What links, folders and pax headers say is not needed.
    if ([0, 0x30].includes(block[156] ?? -1)) members.set(name, { begin, byteCount });
    position = begin + Math.ceil(byteCount / blockBytes) * blockBytes;
  }
  return members;
}
