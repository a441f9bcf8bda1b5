/** Pictures by formula (as scripts/golden/data_common.py has it), files of them, and folders to put them in. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll } from 'vitest';

/** [height, width, 3] bytes: smooth colours under noise. */
export function picture(width: number, height: number, seed: number): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(width * height * 3);
  for (let index = 0; index < result.length; index++) {
    let state = (Math.imul(index, 2654435761) + Math.imul(seed, 40503)) >>> 0;
    state = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
    state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
    const noise = (state ^ (state >>> 16)) >>> 25;
    const pixel = Math.floor(index / 3);
    const channel = index % 3;
    const [column, row] = [pixel % width, Math.floor(pixel / width)];
    result[index] = noise + ((column * (channel + 1) * 3 + row * (3 - channel) * 2) % 128);
  }
  return result;
}

/** A folder for one test file, removed at its end. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'carryover-data-'));
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

/** Writes a small picture; the ending of `path` decides the format. */
export async function writePicture(
  path: string,
  { width = 12, height = 10, seed = 0 }: { width?: number; height?: number; seed?: number } = {},
): Promise<void> {
  mkdirSync(dirname(path), { recursive: true });
  await sharp(picture(width, height, seed), { raw: { width, height, channels: 3 } }).toFile(path);
}

/** Writes pictures at these paths below `root`, each another one. */
export async function writePictures(root: string, paths: readonly string[]): Promise<void> {
  for (const [seed, path] of paths.entries()) await writePicture(join(root, path), { seed });
}

/** Writes a text file, folders included, and returns its path. */
export function writeText(path: string, text: string | Uint8Array): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}

export function goldenPath(name: string): string {
  return fileURLToPath(new URL(`../golden/data/${name}`, import.meta.url));
}

/** What a golden script wrote. The test names its shape. */
export function readGolden<T>(name: string): T {
  return JSON.parse(readFileSync(goldenPath(`${name}.json`), 'utf8'));
}

export function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.from(base64, 'base64'));
}

export function floatsOf(base64: string): Float32Array {
  return new Float32Array(bytesOf(base64).buffer);
}

/** The largest difference of two lists of bytes of the same length. */
export function largestDifference(left: ArrayLike<number>, right: ArrayLike<number>): number {
  if (left.length !== right.length) return Number.POSITIVE_INFINITY;
  let largest = 0;
  for (let index = 0; index < left.length; index++) {
    largest = Math.max(largest, Math.abs((left[index] ?? 0) - (right[index] ?? 0)));
  }
  return largest;
}

/** The message of what `work` throws. */
export async function messageOf(work: () => unknown): Promise<string> {
  try {
    await work();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return 'nothing was thrown';
}
