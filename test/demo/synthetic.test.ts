import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  dermoscopyClasses,
  fundusGrades,
  paintDermoscopy,
  paintFundus,
  paintPattern,
  patternClasses,
  writeSynthetic,
} from '../../src/data/synthetic/index.ts';
import { RandomStream } from '../../src/util/index.ts';

const sets = [
  { name: 'patterns', paint: paintPattern, classes: patternClasses.length },
  { name: 'fundus', paint: paintFundus, classes: fundusGrades.length },
  { name: 'dermoscopy', paint: paintDermoscopy, classes: dermoscopyClasses.length },
];

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function share(bytes: Uint8Array, test: (red: number, green: number, blue: number) => boolean) {
  let count = 0;
  for (let index = 0; index < bytes.length; index += 3) {
    if (test(bytes[index] ?? 0, bytes[index + 1] ?? 0, bytes[index + 2] ?? 0)) count += 1;
  }
  return count / (bytes.length / 3);
}

describe.each(sets)('$name pictures', ({ name, paint, classes }) => {
  it('are a pure function of the stream', () => {
    for (let label = 0; label < classes; label++) {
      const bytes = (key: number) => paint(new RandomStream(name, key), label, 64).toBytes();
      expect(digest(bytes(1))).toBe(digest(bytes(1)));
      expect(digest(bytes(1))).not.toBe(digest(bytes(2)));
    }
  });

  it('use the range of grey levels and are never flat', () => {
    for (let label = 0; label < classes; label++) {
      const bytes = paint(new RandomStream(name, 'range'), label, 64).toBytes();
      expect(bytes).toHaveLength(64 * 64 * 3);
      expect(Math.max(...bytes) - Math.min(...bytes)).toBeGreaterThan(40);
      expect(new Set(bytes).size).toBeGreaterThan(30);
    }
  });

  it('refuse a class that is not there', () => {
    expect(() => paint(new RandomStream(name), classes, 64)).toThrow(RangeError);
  });
});

describe('fundus grades', () => {
  it('add lesions with severity', () => {
    const bright = (grade: number) => {
      const shares = Array.from({ length: 20 }, (_, index) => {
        const bytes = paintFundus(new RandomStream('grade', index), grade, 64).toBytes();
        return share(bytes, (red, green, blue) => red > 200 && green > 170 && blue < 160);
      });
      return shares.reduce((sum, value) => sum + value, 0) / shares.length;
    };
    expect(bright(2)).toBeGreaterThan(bright(0) + 0.002);
    expect(bright(3)).toBeGreaterThan(bright(1) + 0.002);
  });
});

describe('files', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'carryover-synthetic-'));
  });
  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  it('lie in a folder per class, of the asked size', async () => {
    const root = join(folder, 'patterns');
    expect(await writeSynthetic('patterns', root, { seed: 1, size: 32, perClass: 2 })).toBe(true);
    for (const name of patternClasses) expect(await readdir(join(root, name))).toHaveLength(2);
    const { width, height, channels } = await sharp(join(root, 'net', '00006.png')).metadata();
    expect([width, height, channels]).toEqual([32, 32, 3]);
  });

  it('name every picture once in the tables', async () => {
    const options = { seed: 1, size: 32, perClass: 3 };
    await writeSynthetic('fundus', join(folder, 'fundus'), options);
    await writeSynthetic('dermoscopy', join(folder, 'dermoscopy'), options);
    const grades = (await readFile(join(folder, 'fundus/labels.csv'), 'utf8')).trim().split('\n');
    expect(grades[0]).toBe('path,grade');
    expect(grades.slice(1)).toHaveLength(3 * fundusGrades.length);
    expect(grades[2]).toBe('images/eye_00001.png,1');
    const truth = await readFile(
      join(folder, 'dermoscopy/ISIC_2019_Training_GroundTruth.csv'),
      'utf8',
    );
    const rows = truth.trim().split('\n').slice(1);
    expect(rows).toHaveLength(3 * dermoscopyClasses.length);
    expect(rows.every((row) => row.split(',').filter((cell) => cell === '1.0').length === 1)).toBe(
      true,
    );
    const pictures = await readdir(join(folder, 'dermoscopy/ISIC_2019_Training_Input'));
    expect(pictures.sort()[0]).toBe('ISIC_00000.jpg');
  });

  it('are written once, and anew when the options change', async () => {
    const root = join(folder, 'fundus');
    const options = { seed: 1, size: 32, perClass: 1 };
    expect(await writeSynthetic('fundus', root, options)).toBe(true);
    const first = digest(await readFile(join(root, 'images/eye_00000.png')));
    expect(await writeSynthetic('fundus', root, options)).toBe(false);
    expect(await writeSynthetic('fundus', root, { ...options, seed: 2 })).toBe(true);
    expect(digest(await readFile(join(root, 'images/eye_00000.png')))).not.toBe(first);
  });

  it('explain a folder that cannot be made', async () => {
    const file = join(folder, 'taken');
    await writeFile(file, '');
    const written = writeSynthetic('fundus', join(file, 'x'), { seed: 1, size: 32, perClass: 1 });
    await expect(written).rejects.toThrow(
      /expected a place inside a folder, got a file on the way to it/,
    );
  });
});
