/** DICOM, NIfTI and HDF5 files made and read by other programs (scripts/golden/data_medical.py). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { npy, writeHdf5, writeMedmnist, writeNpz } from '../../scripts/format-copies/arraySets.ts';
import { type DicomPixels, dicomFile } from '../../scripts/format-copies/dicomWriter.ts';
import { readDicomHeader } from '../../src/data/formats/dicom/header.ts';
import { readFrame } from '../../src/data/formats/dicom/pixels.ts';
import { decodeImage } from '../../src/data/images/decode.ts';
import { openDataSet, parseDataArgument } from '../../src/data/index.ts';
import {
  bytesOf,
  goldenPath,
  largestDifference,
  messageOf,
  readGolden,
  temporaryFolder,
  writePicture,
  writeText,
} from './pictures.ts';

interface Golden {
  columns: number;
  rows: number;
  stored: Record<string, { values: number[] }>;
  levels: Record<string, string>;
  colours: Record<string, string>;
  frames: string[];
  hdf5: { pictures: string; deep: string };
  nifti: Record<string, Record<string, { size: [number, number]; levels: string }>>;
}

const golden = readGolden<Golden>('medical');
const made = (name: string): string => goldenPath(`medical/${name}`);
const folder = temporaryFolder();
const inFolder = (name: string): string => join(folder, name);

/** The red channel, which in grey pictures is all there is. */
const red = (data: Uint8Array): Uint8Array => data.filter((_, index) => index % 3 === 0);

describe('DICOM', () => {
  it.each(Object.keys(golden.stored))('stored values, as pydicom has them: %s', async (name) => {
    const { samples } = await readFrame(readDicomHeader(readFileSync(made(name))), 0);
    expect([...samples]).toEqual(golden.stored[name]?.values);
  });

  it.each(Object.keys(golden.levels))('grey levels, as pydicom scales them: %s', async (name) => {
    const image = await decodeImage(made(name));
    expect([image.width, image.height]).toEqual([golden.columns, golden.rows]);
    const expected = bytesOf(golden.levels[name] ?? '');
    expect(largestDifference(red(image.data), expected)).toBeLessThanOrEqual(1);
  });

  it.each(Object.keys(golden.colours))('colours, as pydicom has them: %s', async (name) => {
    const { data } = await decodeImage(made(name));
    const expected = bytesOf(golden.colours[name] ?? '');
    expect(largestDifference(data, expected)).toBeLessThanOrEqual(1);
  });

  it('a frame of several, when it is named', async () => {
    expect(await messageOf(() => decodeImage(made('cine.dcm')))).toContain(
      'a DICOM file of 3 frames: name one after the file name, #frame=0 to #frame=2',
    );
    const { data } = await decodeImage(`${made('cine.dcm')}#frame=2`);
    expect(red(data)).toEqual(bytesOf(golden.frames[2] ?? ''));
    expect(await messageOf(() => decodeImage(`${made('cine.dcm')}#frame=3`))).toContain(
      'no frame 3 among 3',
    );
  });

  const ct: DicomPixels = {
    rows: 2,
    columns: 3,
    samples: Int16Array.from([-2000, -1000, 0, 200, 1000, 3000]),
  };
  const levelsOf = async (bytes: Buffer, selection = ''): Promise<number[]> => {
    const path = writeText(inFolder('made.dcm'), bytes);
    return [...red((await decodeImage(path + selection)).data)];
  };

  it('without a window from the lowest to the highest value, padding apart', async () => {
    expect(await levelsOf(await dicomFile(ct))).toEqual([0, 51, 102, 112, 153, 255]);
    const padding = { tag: '00280120', vr: 'SS', value: [-2000] };
    expect(await levelsOf(await dicomFile(ct, { elements: [padding] }))).toEqual([
      0, 0, 64, 76, 128, 255,
    ]);
    const narrow = { rows: 1, columns: 3, samples: Uint8Array.of(3, 4, 200) };
    expect(await levelsOf(await dicomFile(narrow))).toEqual([3, 4, 200]);
  });

  it('through a table, whose ends stand for what lies outside', async () => {
    const descriptor = { tag: '00283002', vr: 'US', value: [3, 1000, 8] };
    const data = { tag: '00283006', vr: 'US', value: [10, 20, 250] };
    const table = { tag: '00283010', vr: 'SQ', value: [[descriptor, data]] };
    const samples = Uint16Array.of(0, 999, 1000, 1001, 1002, 4000);
    const bytes = await dicomFile({ rows: 2, columns: 3, samples }, { elements: [table] });
    expect(await levelsOf(bytes)).toEqual([10, 10, 10, 20, 250, 250]);
  });

  it('with the window that the reference names', async () => {
    const bytes = await dicomFile(ct);
    expect(await levelsOf(bytes, '#window=-1000:1000')).toEqual([0, 0, 128, 153, 255, 255]);
    expect(await messageOf(() => levelsOf(bytes, '#window=5:5'))).toContain('two rising numbers');
    expect(await messageOf(() => levelsOf(bytes, '#slice=0'))).toContain(
      'a DICOM file, of which no "slice" can be selected',
    );
  });

  it('without preamble, explicit or implicit, and under any name', async () => {
    const bare = await dicomFile(ct, { bare: true });
    expect(await levelsOf(bare)).toEqual([0, 51, 102, 112, 153, 255]);
    const implicit = await dicomFile(ct, { bare: true, syntax: 'implicit' });
    expect(await levelsOf(implicit)).toEqual([0, 51, 102, 112, 153, 255]);
    const path = writeText(inFolder('scans/a/IM0001'), await dicomFile(ct));
    writeText(inFolder('scans/b/photo.JPG'), await dicomFile({ ...ct, rows: 3, columns: 2 }));
    const dataset = await openDataSet(parseDataArgument(`folder:${inFolder('scans')}`), {
      cacheFolder: inFolder('cache'),
    });
    expect(dataset.samples.map(({ id }) => id)).toEqual(['a/IM0001', 'b/photo.JPG']);
    expect((await decodeImage(path)).width).toBe(3);
  });

  it('reads baseline JPEG, grey and in colour', async () => {
    for (const channels of [1, 3] as const) {
      const levels = new Uint8Array(32 * 24 * channels).fill(90);
      const jpeg = await sharp(levels, { raw: { width: 32, height: 24, channels } })
        .toColourspace(channels === 1 ? 'b-w' : 'srgb')
        .jpeg()
        .toBuffer();
      const frame = { rows: 24, columns: 32, samples: levels, samplesPerPixel: channels };
      const photometric = channels === 1 ? 'MONOCHROME2' : 'YBR_FULL_422';
      const bytes = await dicomFile({ ...frame, photometric }, { compressed: jpeg });
      expect((await levelsOf(bytes)).every((level) => Math.abs(level - 90) <= 1)).toBe(true);
    }
  });

  it('says what is wrong with each bad file', async () => {
    const bad = async (bytes: Buffer): Promise<string> => {
      const path = writeText(inFolder('bad.dcm'), bytes);
      return messageOf(() => decodeImage(path));
    };
    expect(await bad(await dicomFile(ct, { without: ['00280010', '7fe00010'] }))).toBe(
      'a DICOM file without Rows (0028,0010), Pixel Data (7FE0,0010)',
    );
    const whole = await dicomFile(ct);
    expect(await bad(whole.subarray(0, whole.length - 4))).toMatch(/truncated|damaged DICOM/);
    for (const syntax of ['runLength', 'jpegLs', 'jpeg2000', 'jpegLossless'] as const) {
      const large = { rows: 40, columns: 40, samples: new Uint16Array(1600).map((_, i) => i * 39) };
      const bytes = await dicomFile(large, { syntax });
      expect(await bad(bytes.subarray(0, Math.floor(bytes.length / 2)))).toMatch(
        /truncated|damaged|cut off/,
      );
    }
    const text = whole.toString('latin1').replace('1.2.840.10008.1.2.1\0', '1.2.840.10008.1.2.9\0');
    expect(await bad(Buffer.from(text, 'latin1'))).toContain(
      'transfer syntax 1.2.840.10008.1.2.9, which is not read',
    );
    const deep = { tag: '00280100', vr: 'US', value: [32] };
    expect(await bad(await dicomFile(ct, { elements: [deep] }))).toContain('32 bits allocated');
    const colour = { tag: '00280004', vr: 'CS', value: 'CMYK' };
    expect(await bad(await dicomFile(ct, { elements: [colour] }))).toContain('CMYK');
    const huge = [
      { tag: '00280010', vr: 'US', value: [65_000] },
      { tag: '00280011', vr: 'US', value: [65_000] },
    ];
    expect(await bad(await dicomFile(ct, { elements: huge }))).toContain(
      'more than the 179 million allowed',
    );
  });
});

describe('NIfTI', () => {
  const parts = Object.entries(golden.nifti).flatMap(([name, slices]) =>
    Object.keys(slices).map((part) => [name, part] as const),
  );

  it.each(parts)('slices, as nibabel has them: %s%s', async (name, part) => {
    const expected = golden.nifti[name]?.[part];
    const image = await decodeImage(made(name) + part);
    expect([image.width, image.height]).toEqual(expected?.size);
    const levels = bytesOf(expected?.levels ?? '');
    expect(largestDifference(red(image.data), levels)).toBeLessThanOrEqual(1);
  });

  it('says what is wrong with each bad file or slice', async () => {
    const bad = (path: string): Promise<string> => messageOf(() => decodeImage(path));
    expect(await bad(made('float.nii'))).toContain('a volume of 5 × 6 × 7: name a slice');
    expect(await bad(`${made('float.nii')}#slice=7`)).toBe('no slice 7 among 7 along axis 2');
    expect(await bad(`${made('float.nii')}#axis=3&slice=0`)).toContain('0 to 2 was expected');
    expect(await bad(`${made('float.nii')}#slice=last`)).toContain('a whole number from 0');
    const plain = readFileSync(made('float.nii'));
    const zipped = readFileSync(made('short.nii.gz'));
    expect(await bad(`${writeText(inFolder('cut.nii'), plain.subarray(0, 700))}#slice=1`)).toBe(
      'truncated: 700 bytes, where 1192 were expected',
    );
    expect(
      await bad(`${writeText(inFolder('cut.nii.gz'), zipped.subarray(0, 300))}#slice=1`),
    ).toMatch(/truncated or damaged \(gzip/);
    expect(await bad(writeText(inFolder('text.nii.gz'), gzipSync('no volume')))).toBe(
      'a gzip file that holds no NIfTI volume',
    );
    const bomb = Buffer.from(plain);
    for (const at of [42, 44, 46]) bomb.writeInt16LE(32_000, at);
    expect(await bad(`${writeText(inFolder('bomb.nii'), bomb)}#slice=1`)).toContain(
      'more than 2 GB',
    );
    const series = Buffer.from(plain);
    series.writeInt16LE(4, 40);
    series.writeInt16LE(9, 48);
    expect(await bad(`${writeText(inFolder('series.nii'), series)}#slice=1`)).toContain(
      'a NIfTI series of size [5, 6, 7, 9]',
    );
    await writePicture(inFolder('photo.png'));
    expect(await bad(`${inFolder('photo.png')}#slice=1`)).toContain('a single picture');
  });

  it('is one slice of each volume in class folders, where the entry says which', async () => {
    const root = inFolder('volumes');
    writeText(join(root, 'a', '1.nii.gz'), readFileSync(made('short.nii.gz')));
    writeText(join(root, 'b', '2.NII'), readFileSync(made('float.nii')));
    const settings = { slice: 'middle', axis: 1 };
    const dataset = await openDataSet(parseDataArgument(`folder:${root}`, {}, settings), {
      cacheFolder: inFolder('cache'),
    });
    expect(dataset.samples.map(({ id }) => id)).toEqual(['a/1.nii.gz', 'b/2.NII']);
    for (const { path } of dataset.samples) expect((await decodeImage(path)).height).toBe(7);
  });

  it('is named in tables by slice', async () => {
    const rows = [0, 1, 2, 3].map((slice) => `float.nii#slice=${slice},${slice % 2}`);
    writeText(inFolder('table/float.nii'), readFileSync(made('float.nii')));
    const path = writeText(inFolder('table/labels.csv'), `path,label\n${rows.join('\n')}\n`);
    const dataset = await openDataSet(parseDataArgument(`csv:${path}`), {
      cacheFolder: inFolder('cache'),
    });
    expect(dataset.samples[3]?.id).toBe('float.nii#slice=3');
    expect(new Set(dataset.samples.map(({ hash }) => hash)).size).toBe(4);
  });
});

describe('arrays', () => {
  it('rows of HDF5 arrays of any layout, as h5py wrote them', async () => {
    const pictures = bytesOf(golden.hdf5.pictures);
    for (const array of ['plain', 'gzip', 'odd', 'group%2Fplanes']) {
      for (const row of [0, 8, 4]) {
        const { data } = await decodeImage(`${made('layouts.h5')}#array=${array}&row=${row}`);
        expect(data).toEqual(pictures.slice(row * 90, row * 90 + 90));
      }
    }
    const { data } = await decodeImage(`${made('layouts.h5')}#array=deep&row=3`);
    expect(red(data)).toEqual(bytesOf(golden.hdf5.deep).slice(90, 120));
    const bad = (part: string): Promise<string> =>
      messageOf(() => decodeImage(made('layouts.h5') + part));
    expect(await bad('')).toContain('name a picture, for example #array=x&row=0');
    expect(await bad('#array=none&row=0')).toContain('no array "none"');
    expect(await bad('#array=plain&row=9')).toContain('no row 9 among 9');
    expect(await bad('#array=floats&row=0')).toContain('numbers of type float32');
    expect(await bad('#array=labels&row=0')).toContain('numbers of type int64');
  });

  it('damaged chunks are bad images, and a cut file is refused', async () => {
    const bytes = readFileSync(made('layouts.h5'));
    const cut = writeText(inFolder('cut.h5'), bytes.subarray(0, 6000));
    expect(await messageOf(() => decodeImage(`${cut}#array=plain&row=0`))).toContain('truncated');
    const settings = { imageArray: 'plain', labelArray: 'labels' };
    const open = (path: string, more = {}): Promise<unknown> =>
      openDataSet(parseDataArgument(`hdf5:${path}`, {}, { ...settings, ...more }), {
        cacheFolder: inFolder('cache'),
      });
    expect(await messageOf(() => open(cut))).toMatch(/expected a whole HDF5 file, got truncated/);
    const whole = made('layouts.h5');
    expect(await messageOf(() => open(whole, { imageArray: 'floats' }))).toContain('float32');
    expect(await messageOf(() => open(whole, { imageArray: 'deep' }))).toContain(
      'as many pictures as labels has labels, 9, got 4',
    );
    expect(await messageOf(() => open(whole, { labelArray: 'plain' }))).toContain(
      'labels of shape [N], [N, 1] or [N, labels]',
    );
    expect(await messageOf(() => open(inFolder('none.h5')))).toContain('no such file');
    const text = writeText(inFolder('text.h5'), 'no HDF5 at all');
    expect(await messageOf(() => open(text))).toContain('file signature not found');
  });

  it('faulty .npz files are refused with the array named', async () => {
    const open = (path: string, more = {}): Promise<unknown> =>
      openDataSet(parseDataArgument(`npz:${path}`, {}, more), { cacheFolder: inFolder('cache') });
    const path = inFolder('set.npz');
    await writeMedmnist(path, { size: 12 });
    const bytes = readFileSync(path);
    const cut = writeText(inFolder('cut.npz'), bytes.subarray(0, bytes.length / 2));
    expect(await messageOf(() => open(cut))).toMatch(/cut\.npz: expected a whole \.npz file/);
    expect(await messageOf(() => open(path, { classes: ['a', 'b'] }))).toContain(
      'train_labels: expected one of the 2 classes, got 2',
    );
    const images = npy('|u1', [6, 4, 4, 4, 4], new Uint8Array(6 * 256));
    const labels = npy('<i8', [6, 1], new BigInt64Array(6));
    await writeNpz(path, { train_images: images, train_labels: labels });
    expect(await messageOf(() => open(path))).toContain('volumes are not read');
    const floats = npy('<f4', [6, 4, 4], new Float32Array(96));
    await writeNpz(path, { images: floats, labels });
    expect(await messageOf(() => open(path))).toContain('numbers of type f4');
    await writeNpz(path, { pictures: floats, labels });
    expect(await messageOf(() => open(path))).toContain('got the arrays pictures, labels');
    const grades = npy('<f8', [6], Float64Array.of(0, 1, 2, 0.5, 1, 2));
    await writeNpz(path, { images: npy('|u1', [6, 4, 4], new Uint8Array(96)), labels: grades });
    expect(await messageOf(() => open(path))).toContain('whole numbers or texts, got 0.5 in row 3');
    await writeHdf5(inFolder('empty.h5'), [{ name: 'a', shape: [2], data: Uint8Array.of(1, 2) }]);
    expect(await messageOf(() => decodeImage(inFolder('empty.h5')))).toContain('an HDF5 file');
  });
});
