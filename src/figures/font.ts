/**
 * The bundled font, Inter (SIL Open Font License): its files, and widths of text read from their tables, so
 * that room for labels is measured and not guessed. Kerning is left out: it moves a label by less than a
 * hundredth.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fontSubset } from './fontSubset.ts';
import { charactersOf, tablesOf } from './fontTables.ts';

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
    const table = tablesOf(file);
    const unitsPerEm = table('head').readUInt16BE(18);
    const metrics = table('hhea').readUInt16BE(34);
    const widths = table('hmtx');
    const advance = (glyph: number): number =>
      widths.readUInt16BE(4 * Math.min(glyph, metrics - 1)) / unitsPerEm;
    for (const [code, glyph] of charactersOf(table('cmap'))) {
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

const read = new Map<string, FontWidths>();

function widthsOf(path: string): FontWidths {
  const known = read.get(path);
  if (known) return known;
  const widths = new FontWidths(readFileSync(path));
  read.set(path, widths);
  return widths;
}

/** The bundled font of some characters alone, regular and semi-bold: files for a page that carries them. */
export function fontOfCharacters(
  characters: Iterable<string>,
): Record<'regular' | 'semiBold', Buffer> {
  const all = [...characters];
  return {
    regular: fontSubset(readFileSync(fontFiles.regular), all),
    semiBold: fontSubset(readFileSync(fontFiles.semiBold), all),
  };
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
