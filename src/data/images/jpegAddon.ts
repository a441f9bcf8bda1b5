/**
 * The addon that decodes JPEG files with the system's libjpeg-turbo, and the one place that loads it. A
 * machine without it decodes the same pixels with sharp, which takes twice as long.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** One file at a time in each thread. */
export interface JpegAddon {
  /** Of libjpeg-turbo, as it was built against. */
  version: string;
  /** True for a plain file of this size, whose rows may then be read; false for all else. */
  begin(file: Uint8Array, width: number, height: number): boolean;
  /** The next `count` rows, each `stride` bytes after the one before; false where the file is damaged. */
  read(target: Uint8Array, stride: number, count: number): boolean;
  /** Lets go of the file. True where all rows were read and it was whole and without any defect. */
  end(): boolean;
}

const projectRoot = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');

let loaded: { addon: JpegAddon | undefined } | undefined;

/**
 * The addon that set-up built, or the one that `CARRYOVER_JPEG_ADDON` names (empty for none); `undefined`
 * where there is none or it cannot be loaded.
 */
export function jpegAddon(): JpegAddon | undefined {
  loaded ??= { addon: load() };
  return loaded.addon;
}

/** What decodes plain JPEG files here, for people. */
export function jpegDecoder(): string {
  const addon = jpegAddon();
  return addon ? `libjpeg-turbo ${addon.version}` : 'sharp';
}

function load(): JpegAddon | undefined {
  try {
    const path = addonPath();
    if (!path) return undefined;
    const addon: JpegAddon = createRequire(import.meta.url)(path);
    return addon;
  } catch {
    // Built for a library that is gone, or a record that is damaged.
    return undefined;
  }
}

function addonPath(): string | undefined {
  const chosen = process.env.CARRYOVER_JPEG_ADDON;
  if (chosen !== undefined) return chosen;
  const record = join(projectRoot, 'native', 'build', 'jpeg.json');
  if (!existsSync(record)) return undefined;
  const { path }: { path?: string } = JSON.parse(readFileSync(record, 'utf8'));
  return path;
}
