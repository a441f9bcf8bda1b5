/**
 * A font with some of its characters alone, for a page that carries it: the outlines of these and what they are
 * made of, without kerning and alternatives. The bundled font has no hints, so outlines stand by themselves.
 * https://learn.microsoft.com/typography/opentype/spec/
 */
import { charactersOf, tablesOf } from './fontTables.ts';

/** Copied as they are: what a browser wants of a font, with names and licence. */
const copied = ['OS/2', 'name'];

/**
 * The font of some characters.
 * @param file a TrueType font
 * @param characters those that it has not are left out, and a reader's own font shows them
 */
export function fontSubset(file: Buffer, characters: Iterable<string>): Buffer {
  const table = tablesOf(file);
  const all = new Map(charactersOf(table('cmap')));
  const codes = [...new Set(characters)]
    .flatMap((character) => character.codePointAt(0) ?? [])
    .filter((code) => all.has(code))
    .sort((a, b) => a - b);
  const outlines = outlinesOf(table);
  const used = closure([0, ...codes.map((code) => all.get(code) ?? 0)], outlines);
  const places = new Map(used.map((glyph, place) => [glyph, place]));
  const placeOf = (glyph: number): number => places.get(glyph) ?? 0;

  const glyphs = used.map((glyph) => replaced(outlines(glyph), placeOf));
  const ends = [0];
  for (const { length } of glyphs) ends.push((ends.at(-1) ?? 0) + length);
  const head = Buffer.from(table('head'));
  head.writeInt16BE(1, 50); // long offsets in loca
  const hhea = Buffer.from(table('hhea'));
  const metrics = hhea.readUInt16BE(34);
  hhea.writeUInt16BE(used.length, 34);
  const maxp = Buffer.from(table('maxp'));
  maxp.writeUInt16BE(used.length, 4);
  const post = Buffer.from(table('post').subarray(0, 32));
  post.writeUInt32BE(0x00030000, 0); // without names of glyphs
  return fontOf({
    ...Object.fromEntries(copied.map((name) => [name, table(name)])),
    cmap: cmapOf(codes.map((code) => [code, placeOf(all.get(code) ?? 0)])),
    glyf: Buffer.concat(glyphs),
    head,
    hhea,
    hmtx: Buffer.concat(used.map((glyph) => metricOf(table('hmtx'), metrics, glyph))),
    loca: Buffer.concat(ends.map((end) => words(4, end))),
    maxp,
    post,
  });
}

/** The outline of a glyph; nothing for one without, such as a space. */
function outlinesOf(table: (name: string) => Buffer): (glyph: number) => Buffer {
  const [loca, glyf] = [table('loca'), table('glyf')];
  const isLong = table('head').readInt16BE(50) === 1;
  const offset = (glyph: number): number =>
    isLong ? loca.readUInt32BE(4 * glyph) : 2 * loca.readUInt16BE(2 * glyph);
  return (glyph) => glyf.subarray(offset(glyph), offset(glyph + 1));
}

/** Places of the glyph numbers in an outline that is made of others. */
function* componentsOf(outline: Buffer): Generator<number> {
  if (outline.length === 0 || outline.readInt16BE(0) >= 0) return;
  let at = 10;
  for (let flags = 0x20; flags & 0x20; ) {
    flags = outline.readUInt16BE(at);
    yield at + 2;
    const scale = flags & 0x8 ? 2 : flags & 0x40 ? 4 : flags & 0x80 ? 8 : 0;
    at += 4 + (flags & 0x1 ? 4 : 2) + scale;
  }
}

/** The glyphs and those that they are made of, in order. */
function closure(glyphs: readonly number[], outlines: (glyph: number) => Buffer): number[] {
  const found = new Set<number>();
  const left = [...glyphs];
  for (let glyph = left.pop(); glyph !== undefined; glyph = left.pop()) {
    if (found.has(glyph)) continue;
    found.add(glyph);
    const outline = outlines(glyph);
    for (const at of componentsOf(outline)) left.push(outline.readUInt16BE(at));
  }
  return [...found].sort((a, b) => a - b);
}

/** An outline with the glyphs that it is made of at their new places, on a boundary of four bytes. */
function replaced(outline: Buffer, placeOf: (glyph: number) => number): Buffer {
  const copy = padded(outline);
  for (const at of componentsOf(outline)) copy.writeUInt16BE(placeOf(outline.readUInt16BE(at)), at);
  return copy;
}

/** Advance and left side of a glyph; beyond the last advance there are sides alone. */
function metricOf(hmtx: Buffer, metrics: number, glyph: number): Buffer {
  const advance = hmtx.readUInt16BE(4 * Math.min(glyph, metrics - 1));
  const side = glyph < metrics ? 4 * glyph + 2 : 4 * metrics + 2 * (glyph - metrics);
  return Buffer.concat([words(2, advance), hmtx.subarray(side, side + 2)]);
}

/** Format 4, a segment a run of characters whose glyphs follow each other. */
function cmapOf(pairs: readonly (readonly [code: number, glyph: number])[]): Buffer {
  const segments: { first: number; last: number; delta: number }[] = [];
  for (const [code, glyph] of pairs) {
    const segment = segments.at(-1);
    if (segment && code === segment.last + 1 && glyph - code === segment.delta) segment.last = code;
    else segments.push({ first: code, last: code, delta: glyph - code });
  }
  segments.push({ first: 0xffff, last: 0xffff, delta: 1 });
  const each = (of: (segment: (typeof segments)[number]) => number): Buffer =>
    words(2, ...segments.map((segment) => of(segment) & 0xffff));
  const body = Buffer.concat([
    words(2, 2 * segments.length, ...searched(segments.length, 2)),
    each(({ last }) => last),
    words(2, 0),
    each(({ first }) => first),
    each(({ delta }) => delta),
    each(() => 0),
  ]);
  // One subtable, of Windows and Unicode, 12 bytes from here.
  const head = Buffer.concat([words(2, 0, 1, 3, 1), words(4, 12)]);
  return Buffer.concat([head, words(2, 4, body.length + 6, 0), body]);
}

function words(size: 2 | 4, ...values: readonly number[]): Buffer {
  const buffer = Buffer.alloc(size * values.length);
  for (const [at, value] of values.entries()) buffer.writeUIntBE(value, at * size, size);
  return buffer;
}

/** A copy, filled up with zeros to a boundary of four bytes. */
function padded(bytes: Buffer): Buffer {
  const copy = Buffer.alloc(4 * Math.ceil(bytes.length / 4));
  bytes.copy(copy);
  return copy;
}

/** What a font says of lists that are searched by halves: range, steps and rest, of entries of `size` bytes. */
function searched(count: number, size: number): [range: number, steps: number, rest: number] {
  const steps = Math.floor(Math.log2(count));
  return [size * 2 ** steps, steps, size * (count - 2 ** steps)];
}

/** A font file of tables: their directory in the order of their names, with sums that check them. */
function fontOf(tables: Readonly<Record<string, Buffer>>): Buffer {
  const names = Object.keys(tables).sort();
  const top = [words(4, 0x00010000), words(2, names.length, ...searched(names.length, 16))];
  const bodies: Buffer[] = [];
  let offset = 12 + 16 * names.length;
  let headAt = 0;
  for (const name of names) {
    const table = tables[name] ?? Buffer.alloc(0);
    const body = padded(table);
    if (name === 'head') {
      body.writeUInt32BE(0, 8);
      headAt = offset;
    }
    top.push(Buffer.from(name.padEnd(4), 'latin1'), words(4, sumOf(body), offset, table.length));
    bodies.push(body);
    offset += body.length;
  }
  const font = Buffer.concat([...top, ...bodies]);
  font.writeUInt32BE((0xb1b0afba - sumOf(font)) >>> 0, headAt + 8);
  return font;
}

function sumOf(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 4) sum = (sum + bytes.readUInt32BE(at)) >>> 0;
  return sum;
}
