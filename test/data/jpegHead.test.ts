import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { readJpegHead } from '../../src/data/images/jpegHead.ts';
import { picture } from './pictures.ts';

const image = sharp(picture(37, 21, 3), { raw: { width: 37, height: 21, channels: 3 } });

describe('the head of a JPEG file', () => {
  it.each([
    ['colour', image.clone().jpeg(), 3],
    ['grey', image.clone().toColourspace('b-w').jpeg(), 1],
    ['progressive', image.clone().jpeg({ progressive: true }), 3],
    ['with EXIF and a profile', image.clone().withMetadata({ orientation: 6 }).jpeg(), 3],
  ] as const)('gives size and channels: %s', async (_, file, channels) => {
    const bytes = await file.toBuffer();
    expect(readJpegHead(bytes)).toEqual({ width: 37, height: 21, channels });
    const filled = Buffer.concat([bytes.subarray(0, 2), Buffer.of(0xff, 0xff), bytes.subarray(2)]);
    expect(readJpegHead(filled)).toEqual({ width: 37, height: 21, channels });
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
    const deep = Buffer.from(bytes);
    deep[frame + 4] = 12;
    expect(readJpegHead(deep)).toBeUndefined();
  });
});
