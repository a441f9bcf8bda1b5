import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { BadImageError, decodeImage } from '../../src/data/images/decode.ts';
import {
  bytesOf,
  goldenPath,
  largestDifference,
  messageOf,
  picture,
  readGolden,
  temporaryFolder,
  writePicture,
  writeText,
} from './pictures.ts';

interface Golden {
  files: Record<string, { width: number; height: number; pixels: string }>;
}

const golden = readGolden<Golden>('decode').files;
const folder = temporaryFolder();
const inFolder = (name: string): string => join(folder, name);

describe('decoding', () => {
  it.each(Object.keys(golden))('equals Pillow: %s', async (name) => {
    const expected = golden[name];
    const image = await decodeImage(goldenPath(`images/${name}`));
    expect([image.width, image.height]).toEqual([expected?.width, expected?.height]);
    expect(largestDifference(image.data, bytesOf(expected?.pixels ?? ''))).toBe(0);
  });

  it('takes the upper byte of 16-bit colour', async () => {
    const pixels = picture(9, 7, 3);
    const deep = Uint16Array.from(pixels, (value, index) => value * 256 + (index % 256));
    await sharp(deep, { raw: { width: 9, height: 7, channels: 3 } })
      .toColourspace('rgb16')
      .png()
      .toFile(inFolder('deep.png'));
    expect((await sharp(inFolder('deep.png')).metadata()).depth).toBe('ushort');
    expect(largestDifference((await decodeImage(inFolder('deep.png'))).data, pixels)).toBe(0);
  });
});

describe('bad images', () => {
  const reason = async (name: string, maxPixels?: number): Promise<string> => {
    await expect(decodeImage(inFolder(name), maxPixels)).rejects.toBeInstanceOf(BadImageError);
    return messageOf(() => decodeImage(inFolder(name), maxPixels));
  };

  it('says what is wrong with each', async () => {
    writeText(inFolder('zero.jpg'), '');
    writeText(inFolder('page.png'), '<html>Not found</html>');
    writeText(
      inFolder('drawing.png'),
      '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
    );
    const jpeg = readFileSync(goldenPath('images/rgb.jpg'));
    const png = readFileSync(goldenPath('images/rgb.png'));
    writeText(inFolder('cut.jpg'), jpeg.subarray(0, jpeg.length - 200));
    writeText(inFolder('cut.png'), png.subarray(0, png.length - 200));
    writeText(inFolder('head.png'), png.subarray(0, 12));
    expect(await reason('zero.jpg')).toBe('empty file (0 bytes)');
    expect(await reason('page.png')).toContain('it begins with "<html>Not fo"');
    expect(await reason('drawing.png')).toBe('a file of type svg');
    expect(await reason('cut.jpg')).toMatch(/^truncated or damaged/);
    expect(await reason('cut.png')).toMatch(/^truncated or damaged/);
    expect(await reason('head.png')).toMatch(/^(truncated or damaged|no image)/);
    expect(await reason('absent.png')).toBe('cannot be read: no such file');
    expect(await reason('.')).toBe('cannot be read: EISDIR');
    const float = goldenPath('images/float.tif');
    expect(await messageOf(() => decodeImage(float))).toContain('pixels of type float');
  });

  it('refuses an enormous image before decoding it', async () => {
    await writePicture(inFolder('large.png'), { width: 60, height: 50 });
    expect(await reason('large.png', 2999)).toContain('60 × 50 = 0 million pixels');
    expect((await decodeImage(inFolder('large.png'), 3000)).width).toBe(60);
    const bytes = Buffer.from(readFileSync(goldenPath('images/rgb.png')));
    // The size in a PNG's header, which alone must be read, and the header's checksum.
    bytes.writeUInt32BE(60000, 16);
    bytes.writeUInt32BE(60000, 20);
    bytes.writeUInt32BE(crc32(bytes.subarray(12, 29)), 29);
    writeText(inFolder('huge.png'), bytes);
    expect(await reason('huge.png')).toBe(
      '60000 × 60000 = 3600 million pixels, more than the 179 million allowed',
    );
  });
});
