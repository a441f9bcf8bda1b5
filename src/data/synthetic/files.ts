/**
 * The demo's pictures on disk, in layouts that people have: a folder per class, a CSV of paths and
 * grades, and the ISIC 2019 files. A folder is complete or absent.
 */

import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { explainWriteFailure, RandomStream, writeJson } from '../../util/index.ts';
import { dermoscopyClasses, paintDermoscopy } from './dermoscopy.ts';
import { fundusGrades, paintFundus } from './fundus.ts';
import { paintPattern, patternClasses } from './patterns.ts';
import type { Raster } from './raster.ts';

export interface SyntheticOptions {
  seed: number;
  /** Width and height in pixels. */
  size: number;
  /** Pictures per class. */
  perClass: number;
}

export type SyntheticSet = 'patterns' | 'fundus' | 'dermoscopy';

interface Item {
  /** Path inside the set's folder. */
  path: string;
  label: number;
}

interface Layout {
  classes: readonly string[];
  paint: (random: RandomStream, label: number, size: number) => Raster;
  /** Where picture `index` of all, of class `label`, goes. */
  path: (label: number, index: number) => string;
  /** Text files beside the pictures. */
  tables: (items: readonly Item[]) => Record<string, string>;
}

const layouts: Record<SyntheticSet, Layout> = {
  patterns: {
    classes: patternClasses,
    paint: paintPattern,
    path: (label, index) => join(patternClasses[label] ?? '', `${numbered(index)}.png`),
    tables: () => ({}),
  },
  fundus: {
    classes: fundusGrades,
    paint: paintFundus,
    path: (_label, index) => join('images', `eye_${numbered(index)}.png`),
    tables: (items) => ({
      'labels.csv': csv([
        ['path', 'grade'],
        ...items.map((item) => [item.path, String(item.label)]),
      ]),
    }),
  },
  dermoscopy: {
    classes: dermoscopyClasses,
    paint: paintDermoscopy,
    path: (_label, index) => join('ISIC_2019_Training_Input', `ISIC_${numbered(index)}.jpg`),
    tables: (items) => ({
      'ISIC_2019_Training_GroundTruth.csv': csv([
        ['image', ...isicColumns],
        ...items.map(({ path, label }) => [
          path.replace(/^.*\//, '').replace('.jpg', ''),
          ...isicColumns.map((column) => (column === dermoscopyClasses[label] ? '1.0' : '0.0')),
        ]),
      ]),
    }),
  },
};

/** The columns of the ISIC 2019 ground truth; those without a picture here stay 0. */
const isicColumns = ['MEL', 'NV', 'BCC', 'AK', 'BKL', 'DF', 'VASC', 'SCC'] as const;

/**
 * Writes a synthetic set to `folder`, unless it is there already with the same options.
 * @returns whether it was written
 * @throws WorkError when the disk is full or the folder cannot be written
 */
export async function writeSynthetic(
  name: SyntheticSet,
  folder: string,
  options: SyntheticOptions,
): Promise<boolean> {
  const layout = layouts[name];
  const about = {
    set: name,
    note: 'Synthetic pictures, drawn by a program. They show no patient and teach no medicine.',
    classes: layout.classes,
    ...options,
  };
  const marker = join(folder, 'synthetic.json');
  if (existsSync(marker) && (await readFile(marker, 'utf8')) === serialise(about)) return false;
  const items = plan(layout, options);
  const partial = `${folder}.partial`;
  try {
    await rm(partial, { recursive: true, force: true });
    const folders = new Set(items.map((item) => dirname(join(partial, item.path))));
    for (const each of folders) await mkdir(each, { recursive: true });
    await drawAll(name, layout, items, partial, options);
    for (const [file, text] of Object.entries(layout.tables(items))) {
      await writeFile(join(partial, file), text);
    }
    await writeJson(join(partial, 'synthetic.json'), about);
    await rm(folder, { recursive: true, force: true });
    await rename(partial, folder);
  } catch (error) {
    throw explainWriteFailure(folder, error);
  }
  return true;
}

// Classes take turns, so that a cut of the first few pictures has them all.
function plan(layout: Layout, { perClass }: SyntheticOptions): Item[] {
  const count = layout.classes.length * perClass;
  return Array.from({ length: count }, (_, index) => {
    const label = index % layout.classes.length;
    return { label, path: layout.path(label, index) };
  });
}

async function drawAll(
  name: SyntheticSet,
  layout: Layout,
  items: readonly Item[],
  folder: string,
  { seed, size }: SyntheticOptions,
): Promise<void> {
  const waiting = new Set<Promise<unknown>>();
  for (const [index, { label, path }] of items.entries()) {
    const picture = layout.paint(new RandomStream(name, seed, index), label, size);
    const image = sharp(picture.toBytes(), { raw: { width: size, height: size, channels: 3 } });
    const encoded = path.endsWith('.png') ? image.png() : image.jpeg({ quality: 92 });
    const written: Promise<unknown> = encoded
      .toFile(join(folder, path))
      .finally(() => waiting.delete(written));
    waiting.add(written);
    // Encoding runs in threads while the next picture is painted.
    if (waiting.size >= 8) await Promise.race(waiting);
  }
  await Promise.all(waiting);
}

function csv(rows: readonly (readonly string[])[]): string {
  return `${rows.map((row) => row.join(',')).join('\n')}\n`;
}

function numbered(index: number): string {
  return String(index).padStart(5, '0');
}

function serialise(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
