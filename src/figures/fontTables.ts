/** Tables of a TrueType font. https://learn.microsoft.com/typography/opentype/spec/ */

/** The tables of a font by name. @throws Error for one that it has not: of the bundled font a defect */
export function tablesOf(file: Buffer): (name: string) => Buffer {
  const tables = new Map<string, Buffer>();
  for (let at = 12; at < 12 + 16 * file.readUInt16BE(4); at += 16) {
    const [offset, length] = [file.readUInt32BE(at + 8), file.readUInt32BE(at + 12)];
    tables.set(file.toString('latin1', at, at + 4), file.subarray(offset, offset + length));
  }
  return (name) => {
    const table = tables.get(name);
    if (!table) throw new Error(`the font has no table ${name}`);
    return table;
  };
}

/** Characters of the basic plane and their glyphs (cmap, format 4). */
export function* charactersOf(cmap: Buffer): Generator<[code: number, glyph: number]> {
  const subtables = Array.from({ length: cmap.readUInt16BE(2) }, (_, at) =>
    cmap.readUInt32BE(8 + 8 * at),
  );
  const start = subtables.find((offset) => cmap.readUInt16BE(offset) === 4);
  if (start === undefined) throw new Error('the font has no cmap of format 4');
  const twice = cmap.readUInt16BE(start + 6);
  for (let segment = 0; segment < twice; segment += 2) {
    const last = cmap.readUInt16BE(start + 14 + segment);
    const first = cmap.readUInt16BE(start + 16 + twice + segment);
    const delta = cmap.readUInt16BE(start + 16 + 2 * twice + segment);
    const place = start + 16 + 3 * twice + segment;
    const range = cmap.readUInt16BE(place);
    for (let code = first; code <= last && code < 0xffff; code++) {
      const found = range === 0 ? code : cmap.readUInt16BE(place + range + 2 * (code - first));
      const glyph = found === 0 ? 0 : (found + delta) & 0xffff;
      if (glyph !== 0) yield [code, glyph];
    }
  }
}
