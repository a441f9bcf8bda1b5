/** Labels broken into lines, where one would be wider than what it stands beside or over. */
import { textWidth } from './font.ts';

/** Of the labels that are broken: titles of panels and of axes. */
const [SIZE, WEIGHT] = [11, 600];

/**
 * The lines of a label: broken between words, and within a word that is too wide for a line after a hyphen,
 * underscore or slash. A piece that is wider by itself is a line of its own.
 * @param width in pixels
 */
export function brokenLabel(label: string, width: number): string[] {
  const isWide = (text: string): boolean => textWidth(text, SIZE, WEIGHT) > width;
  const pieces = label
    .split(/(?=\s)/)
    .flatMap((word) => (isWide(word.trim()) ? word.split(/(?<=[-_/])(?![-_/])/) : [word]));
  const lines: string[] = [];
  for (const piece of pieces) {
    const last = lines.at(-1);
    if (last !== undefined && !isWide(last + piece)) lines[lines.length - 1] = last + piece;
    else lines.push(piece.trimStart());
  }
  return lines;
}
