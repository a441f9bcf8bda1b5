/** Zip archives made and unpacked by hand, for tests. */
import { crc32 } from 'node:zlib';

export interface ZipRecord {
  name: string;
  bytes: Uint8Array;
  /** What the table of contents says in place of the truth. */
  claim?: { size?: number; crc32?: number; method?: number; offset?: number };
}

/** A zip archive of stored records. */
export function makeZip(records: readonly ZipRecord[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, bytes, claim = {} } of records) {
    const nameBytes = Buffer.from(name);
    const size = claim.size ?? bytes.byteLength;
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(nameBytes.length, 26);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(0x800, 8);
    entry.writeUInt16LE(claim.method ?? 0, 10);
    entry.writeUInt32LE(claim.crc32 ?? crc32(bytes), 16);
    entry.writeUInt32LE(size, 20);
    entry.writeUInt32LE(size, 24);
    entry.writeUInt16LE(nameBytes.length, 28);
    entry.writeUInt32LE(claim.offset ?? offset, 42);
    parts.push(local, nameBytes, Buffer.from(bytes));
    directory.push(entry, nameBytes);
    offset += 30 + nameBytes.length + bytes.byteLength;
  }
  const table = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(records.length, 8);
  end.writeUInt16LE(records.length, 10);
  end.writeUInt32LE(table.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, table, end]);
}

/** The records of an archive that `makeZip` or torch.save wrote. */
export function unpackZip(archive: Buffer): ZipRecord[] {
  const end = archive.lastIndexOf(Buffer.from('504b0506', 'hex'));
  const records: ZipRecord[] = [];
  let cursor = archive.readUInt32LE(end + 16);
  for (let count = archive.readUInt16LE(end + 10); count > 0; count--) {
    const size = archive.readUInt32LE(cursor + 24);
    const nameLength = archive.readUInt16LE(cursor + 28);
    const extraLength = archive.readUInt16LE(cursor + 30);
    const local = archive.readUInt32LE(cursor + 42);
    const start = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
    const name = archive.toString('utf8', cursor + 46, cursor + 46 + nameLength);
    records.push({ name, bytes: archive.subarray(start, start + size) });
    cursor += 46 + nameLength + extraLength;
  }
  return records;
}
