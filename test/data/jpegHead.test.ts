import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { readJpegHead } from '../../src/data/images/jpegHead.ts';
import { picture } from './pictures.ts';

const image = sharp(picture(37, 21, 3), { raw: { width: 37, height: 21, channels: 3 } });

describe('the head of a JPEG file', () => {
  it.each([
    ['colour', image.clone().jpeg(), 3, true],
    ['grey', image.clone().toColourspace('b-w').jpeg(), 1, true],
    ['progressive', image.clone().jpeg({ progressive: true }), 3, true],
    ['with EXIF and a profile', image.clone().withMetadata({ orientation: 1 }).jpeg(), 3, true],
    ['turned', image.clone().withMetadata({ orientation: 6 }).jpeg(), 3, false],
  ] as const)('gives size and channels: %s', async (_, file, channels, isUpright) => {
    const bytes = await file.toBuffer();
    const head = { width: 37, height: 21, channels, isUpright };
    expect(readJpegHead(bytes)).toEqual(head);
    const filled = Buffer.concat([bytes.subarray(0, 2), Buffer.of(0xff, 0xff), bytes.subarray(2)]);
    expect(readJpegHead(filled)).toEqual(head);
  });

  it('takes a picture for upright only where its EXIF surely says nothing else', async () => {
    const plain = await image.clone().jpeg().toBuffer();
    const isUpright = (tiff: number[], where = 2, name = 'Exif\0\0'): boolean | undefined => {
      const content = Buffer.from([...Buffer.from(name), ...tiff]);
      const length = content.length + 2;
      const segment = Buffer.of(0xff, 0xe1, length >> 8, length & 255);
      const parts = [plain.subarray(0, where), segment, content, plain.subarray(where)];
      return readJpegHead(Buffer.concat(parts))?.isUpright;
    };
    const little = (...entry: number[]): number[] => [73, 73, 42, 0, 8, 0, 0, 0, 1, 0, ...entry];
    const big = (...entry: number[]): number[] => [77, 77, 0, 42, 0, 0, 0, 8, 0, 1, ...entry];
    expect(isUpright(little(0x12, 1, 3, 0, 1, 0, 0, 0, 1, 0, 0, 0))).toBe(true);
    expect(isUpright(little(0x12, 1, 3, 0, 1, 0, 0, 0, 8, 0, 0, 0))).toBe(false);
    expect(isUpright(big(1, 0x12, 0, 3, 0, 0, 0, 1, 0, 1, 0, 0))).toBe(true);
    expect(isUpright(big(1, 0x12, 0, 3, 0, 0, 0, 1, 0, 3, 0, 0))).toBe(false);
    // Another tag alone; an orientation of an unusual type; cut off; no TIFF; no EXIF.
    expect(isUpright(big(1, 0x0f, 0, 3, 0, 0, 0, 1, 0, 3, 0, 0))).toBe(true);
    expect(isUpright(big(1, 0x12, 0, 4, 0, 0, 0, 1, 0, 0, 0, 1))).toBe(false);
    expect(isUpright(big(1, 0x12, 0, 3))).toBe(false);
    expect(isUpright([1, 2, 3])).toBe(false);
    expect(isUpright(big(1, 0x12, 0, 3, 0, 0, 0, 1, 0, 3, 0, 0), 2, 'XMP\0\0\0')).toBe(true);
    // Behind the frame header, where it counts too.
    const tables = plain.indexOf(Buffer.of(0xff, 0xda));
    expect(isUpright(big(1, 0x12, 0, 3, 0, 0, 0, 1, 0, 3, 0, 0), tables)).toBe(false);
  });

  it('says nothing of what it does not know', async () => {
    const bytes = await image.clone().jpeg().toBuffer();
    const inks = await image.clone().toColourspace('cmyk').jpeg().toBuffer();
    expect(readJpegHead(inks)).toBeUndefined();
    expect(readJpegHead(await image.clone().png().toBuffer())).toBeUndefined();
    const frame = bytes.indexOf(Buffer.of(0xff, 0xc0));
    for (let length = 0; length < frame + 10; length++) {
      expect(readJpegHead(bytes.subarray(0, length))).toBeUndefined();
    }
    const scan = bytes.indexOf(Buffer.of(0xff, 0xda));
    expect(readJpegHead(bytes.subarray(0, scan))?.isUpright).toBe(false);
    const deep = Buffer.from(bytes);
    deep[frame + 4] = 12;
    expect(readJpegHead(deep)).toBeUndefined();
  });
});
