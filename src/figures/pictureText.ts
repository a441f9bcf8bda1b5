/**
 * What a picture says of itself, so that one that has left its folder is still known: title and caption as
 * `<title>` and `<desc>` of an SVG (read aloud, shown by viewers), and as text of a PNG (W3C PNG
 * specification, third edition, 11.3.3: iTXt, the kind that may hold any letter).
 */
import { crc32 } from 'node:zlib';
import { escapeHtml } from '../util/index.ts';

export interface PictureText {
  title: string;
  description: string;
}

/**
 * The SVG with its text.
 * @param idPrefix put before the ids of the two elements
 */
export function describedSvg(
  svg: string,
  { title, description }: PictureText,
  idPrefix: string,
): string {
  const [titleId, textId] = [`${idPrefix}-title`, `${idPrefix}-desc`];
  return svg.replace(
    /<svg([^>]*)>/,
    (_all, attributes: string) =>
      `<svg${attributes} role="graphics-document" aria-labelledby="${titleId}" aria-describedby="${textId}">` +
      `<title id="${titleId}">${escapeHtml(title)}</title>` +
      `<desc id="${textId}">${escapeHtml(description)}</desc>`,
  );
}

/** Bytes of a PNG before its first chunk that is not the header: signature, and IHDR with its frame. */
const HEAD = 8 + 12 + 13;

/** The PNG with its text. */
export function describedPng(png: Buffer, { title, description }: PictureText): Buffer {
  return Buffer.concat([
    png.subarray(0, HEAD),
    textChunk('Title', title),
    textChunk('Description', description),
    png.subarray(HEAD),
  ]);
}

/** An iTXt chunk: keyword, not compressed, no language, no translated keyword, text. */
function textChunk(keyword: string, text: string): Buffer {
  const body = Buffer.concat([
    Buffer.from('iTXt', 'latin1'),
    Buffer.from(`${keyword}\0\0\0\0\0`, 'latin1'),
    Buffer.from(text, 'utf8'),
  ]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(body.length - 4);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}
