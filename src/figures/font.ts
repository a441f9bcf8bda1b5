/**
 * The bundled font, Inter (SIL Open Font License): its files, and widths of text read from their tables, so
 * that room for labels is measured and not guessed. Kerning is left out: it moves a label by less than a
 * hundredth. Tables: https://learn.microsoft.com/typography/opentype/spec/ (cmap 4, hhea, hmtx, head).
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** Absolute paths of the font's files, regular and semi-bold. */
export const fontFiles = {
  regular: require.resolve('@expo-google-fonts/inter/400Regular/Inter_400Regular.ttf'),
  semiBold: require.resolve('@expo-google-fonts/inter/600SemiBold/Inter_600SemiBold.ttf'),
};

/** Widths of characters in units of the font's size. */
class FontWidths {
  readonly #advances = new Map<number, number>();
  readonly #other: number;

  constructor(file: Buffer) {
    const tables = new Map<string, number>();
    for (let at = 12; at < 12 + 16 * file.readUInt16BE(4); at += 16) {
      tables.set(file.toString('latin1', at, at + 4), file.readUInt32BE(at + 8));
    }
    const table = (name: string): number => {
      const offset = tables.get(name);
      if (offset === undefined) throw new Error(`the font has no table ${name}`);
      return offset;
    };
    const unitsPerEm = file.readUInt16BE(table('head') + 18);
    const metrics = file.readUInt16BE(table('hhea') + 34);
    const advance = (glyph: number): number =>
      file.readUInt16BE(table('hmtx') + 4 * Math.min(glyph, metrics - 1)) / unitsPerEm;
    for (const [code, glyph] of charactersOf(file, table('cmap'))) {
      this.#advances.set(code, advance(glyph));
    }
    this.#other = advance(0);
  }

  width(text: string): number {
    let sum = 0;
    for (const character of text) {
      sum += this.#advances.get(character.codePointAt(0) ?? 0) ?? this.#other;
    }
    return sum;
  }
}

/** Characters of the basic plane and their glyphs (cmap, format 4). */
function* charactersOf(file: Buffer, cmap: number): Generator<[code: number, glyph: number]> {
  const subtables = Array.from(
    { length: file.readUInt16BE(cmap + 2) },
    (_, at) => cmap + file.readUInt32BE(cmap + 8 + 8 * at),
  );
  const start = subtables.find((offset) => file.readUInt16BE(offset) === 4);
  if (start === undefined) throw new Error('the font has no cmap of format 4');
  const twice = file.readUInt16BE(start + 6);
  for (let segment = 0; segment < twice; segment += 2) {
    const last = file.readUInt16BE(start + 14 + segment);
    const first = file.readUInt16BE(start + 16 + twice + segment);
    const delta = file.readUInt16BE(start + 16 + 2 * twice + segment);
    const place = start + 16 + 3 * twice + segment;
    const range = file.readUInt16BE(place);
    for (let code = first; code <= last && code < 0xffff; code++) {
      const found = range === 0 ? code : file.readUInt16BE(place + range + 2 * (code - first));
      const glyph = found === 0 ? 0 : (found + delta) & 0xffff;
      if (glyph !== 0) yield [code, glyph];
    }
  }
}

const read = new Map<string, FontWidths>();

function widthsOf(path: string): FontWidths {
  const known = read.get(path);
  if (known) return known;
  const widths = new FontWidths(readFileSync(path));
  read.set(path, widths);
  return widths;
}

/** Width of one line of text in pixels. @param weight as CSS has it; 600 and more is the semi-bold file. */
export function textWidth(
  text: string,
  size: number,
  weight: string | number | undefined = 400,
): number {
  const bold = weight === 'bold' || Number(weight) >= 600;
  return size * widthsOf(bold ? fontFiles.semiBold : fontFiles.regular).width(text);
}
