import { readFileSync } from 'node:fs';
import sharp, { type Sharp } from 'sharp';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { decodeImage } from '../../src/data/images/decode.ts';
import { jpegAddon } from '../../src/data/images/jpegAddon.ts';
import { decodePicture } from '../../src/data/images/picture.ts';
import { readPlainJpeg } from '../../src/data/images/plainJpeg.ts';
import { imageOf, type RgbImage } from '../../src/data/images/rows.ts';
import { goldenPath, messageOf, picture, temporaryFolder, writeText } from './pictures.ts';

const folder = temporaryFolder();
const most = 1_000_000;

function image(width: number, height: number): Sharp {
  return sharp(picture(width, height, width), { raw: { width, height, channels: 3 } });
}

/** Read a few rows at a time, as a resize does. */
function read(bytes: Uint8Array, step = 5): RgbImage | undefined {
  return readPlainJpeg(bytes, most, (rows) => {
    const { width, height, source } = rows;
    const data = new Uint8Array(width * height * 3);
    for (let row = 0; row < height; row += step) {
      rows.read(data.subarray(row * width * 3), width * 3, Math.min(step, height - row));
    }
    return { width, height, data, source };
  });
}

async function readWithSharp(bytes: Buffer): Promise<RgbImage> {
  const { width, height, data, source } = await decodePicture(bytes, most);
  return { width, height, data: new Uint8Array(data), source };
}

const inFolder = (name: string, bytes: Uint8Array): string => writeText(`${folder}/${name}`, bytes);

// Where the library's headers were missing at set-up there is nothing to test but that all works without.
describe.skipIf(!jpegAddon())('plain JPEG files', () => {
  it.each([
    ['4:2:0', image(37, 21).jpeg({ quality: 90 })],
    ['4:4:4', image(37, 21).jpeg({ quality: 90, chromaSubsampling: '4:4:4' })],
    ['4:2:0, progressive', image(50, 33).jpeg({ progressive: true })],
    ['of poor quality', image(64, 48).jpeg({ quality: 12 })],
    ['grey', image(41, 30).toColourspace('b-w').jpeg()],
    ['grey, progressive', image(41, 30).toColourspace('b-w').jpeg({ progressive: true })],
    ['upright by EXIF', image(23, 31).withMetadata({ orientation: 1 }).jpeg()],
    ['one pixel', image(1, 1).jpeg()],
    ['one row', image(300, 1).jpeg()],
    ['one column', image(1, 300).jpeg()],
    ['of optimised tables', image(90, 70).jpeg({ mozjpeg: true })],
  ])('have the pixels that sharp gives: %s', async (_, file) => {
    const bytes = await file.toBuffer();
    expect(read(bytes)).toEqual(await readWithSharp(bytes));
    expect(read(bytes, 1)).toEqual(read(bytes, 1000));
  });

  it.each(['rgb', 'grey', 'progressive', 'profile', 'half'])(
    'of the golden files are read here: %s.jpg',
    (name) => {
      expect(read(readFileSync(goldenPath(`images/${name}.jpg`)))).toBeDefined();
    },
  );

  it.each(['cmyk.jpg', 'turned.jpg', 'mirrored.jpg', 'png-named.jpg', 'rgb.png'])(
    'are told from others: %s',
    (name) => {
      expect(read(readFileSync(goldenPath(`images/${name}`)))).toBeUndefined();
    },
  );

  it('are refused for too many pixels before any is decoded', async () => {
    const bytes = await image(40, 30).jpeg().toBuffer();
    const use = vi.fn(imageOf);
    expect(() => readPlainJpeg(bytes, 1199, use)).toThrow('40 × 30');
    expect(use).not.toHaveBeenCalled();
    expect(readPlainJpeg(bytes, 1200, use)?.width).toBe(40);
  });

  it('are left to sharp where they are cut anywhere, which says what it said', async () => {
    const bytes = await image(60, 40).jpeg({ quality: 90 }).toBuffer();
    const scan = bytes.indexOf(Buffer.of(0xff, 0xda));
    expect(read(bytes)).toBeDefined();
    for (let length = 2; length < bytes.length; length += length < scan ? 7 : 61) {
      expect(read(bytes.subarray(0, length)), `${length} bytes`).toBeUndefined();
    }
    expect(read(bytes.subarray(0, bytes.length - 2))).toBeUndefined();
    const cut = inFolder('cut.jpg', bytes.subarray(0, bytes.length - 300));
    expect(await messageOf(() => decodeImage(cut))).toMatch(/^truncated or damaged/);
  });

  it('are left to sharp where one has a defect that sharp puts up with', async () => {
    const bytes = await image(60, 40).jpeg({ quality: 90 }).toBuffer();
    const end = bytes.length - 2;
    // Bytes that are no part of the picture, between its data and the marker of the end.
    const padded = Buffer.concat([bytes.subarray(0, end), Buffer.alloc(9, 7), bytes.subarray(end)]);
    expect(read(padded)).toBeUndefined();
    const decoded = await decodeImage(inFolder('padded.jpg', padded));
    expect(decoded.data).toEqual(read(bytes)?.data);
  });

  it('with any bytes changed give what sharp gives, or are left to it', async () => {
    const bytes = await image(48, 40).jpeg({ quality: 80 }).toBuffer();
    let readHere = 0;
    for (let round = 0; round < 300; round++) {
      const changed = Buffer.from(bytes);
      for (let each = 0; each <= round % 3; each++) {
        changed[(round * 7919 + each * 104_729) % bytes.length] = (round * 31 + each * 17) % 256;
      }
      const here = read(changed);
      if (!here) continue;
      readHere++;
      expect(here, `round ${round}`).toEqual(await readWithSharp(changed));
    }
    // Both must have been seen: with none read there would be nothing compared.
    expect(readHere).toBeGreaterThan(20);
    expect(readHere).toBeLessThan(280);
  });

  it('let go of a file whose reader fails, so that the next one is read', async () => {
    const bytes = await image(48, 40).jpeg().toBuffer();
    const fail = (): never => {
      throw new RangeError('of the reader');
    };
    expect(() => readPlainJpeg(bytes, most, fail)).toThrow('of the reader');
    expect(read(bytes)).toBeDefined();
  });

  it('are not taken for read where rows are left over', async () => {
    const bytes = await image(48, 40).jpeg().toBuffer();
    expect(readPlainJpeg(bytes, most, ({ width }) => width)).toBeUndefined();
  });

  it('have an addon that writes nowhere but where there is room', async () => {
    const bytes = await image(16, 8).jpeg().toBuffer();
    const addon = jpegAddon();
    expect(addon?.begin(bytes, 16, 9)).toBe(false);
    expect(() => addon?.read(new Uint8Array(48), 48, 1)).toThrow('a file that was begun');
    expect(addon?.begin(bytes, 16, 8)).toBe(true);
    expect(() => addon?.read(new Uint8Array(47), 48, 1)).toThrow('room for the rows');
    expect(() => addon?.read(new Uint8Array(400), 47, 8)).toThrow('room for the rows');
    expect(() => addon?.read(new Uint8Array(1000), 48, 9)).toThrow('no more rows than there are');
    expect(addon?.read(new Uint8Array(48 * 8), 48, 8)).toBe(true);
    expect(addon?.end()).toBe(true);
    expect(addon?.end()).toBe(false);
  });
});

describe('without the addon', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
    vi.resetModules();
  });

  it.each(['', '/nowhere/jpeg.node'])('sharp decodes the same: %j', async (addon) => {
    vi.stubEnv('CARRYOVER_JPEG_ADDON', addon);
    vi.resetModules();
    const without = await import('../../src/data/images/decode.ts');
    const { jpegAddon: missing } = await import('../../src/data/images/jpegAddon.ts');
    expect(missing()).toBeUndefined();
    for (const name of ['rgb.jpg', 'grey.jpg', 'progressive.jpg', 'half.jpg']) {
      const path = goldenPath(`images/${name}`);
      const [here, there] = [await decodeImage(path), await without.decodeImage(path)];
      expect(there).toEqual(here);
    }
  });
});
