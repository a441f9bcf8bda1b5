/** The files that the cells of a table mean, found in listings of their folders. */
import { readdir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { imageExtensions, kindOf } from '../imageFiles.ts';
import { fileOf, selectionOf } from '../images/reference.ts';
import { pathInside } from './common.ts';

export type ResolvedImage =
  | { path: string; fault?: undefined }
  | { path?: undefined; fault: string };

/** The entries of one folder. */
interface Listing {
  kinds: ReadonlyMap<string, 'file' | 'folder'>;
  /** Names as they are, by `folded` names. */
  folded: ReadonlyMap<string, string[]>;
}

/**
 * Paths below `root`, each folder listed once. Names are compared by their exact letters on every
 * system, so that a table that works on one works on all.
 */
export class ImagePaths {
  readonly #root: string;
  readonly #listings = new Map<string, Promise<Listing>>();

  constructor(root: string) {
    this.#root = root;
  }

  /**
   * The file as written, or with an image's ending added; with the part of it that is selected, where
   * one is. Never outside the root.
   */
  async resolve(cell: string): Promise<ResolvedImage> {
    const { path, fault } = await this.#resolveFile(fileOf(cell));
    return path === undefined ? { fault } : { path: path + selectionOf(cell) };
  }

  async #resolveFile(cell: string): Promise<ResolvedImage> {
    if (cell === '') return { fault: 'no path' };
    const isWindowsPath = /^([A-Za-z]:)?[\\/]{1,2}/.test(cell) && !cell.startsWith('/');
    const path = isWindowsPath ? undefined : pathInside(this.#root, cell);
    if (path === undefined) return { fault: `a path outside ${this.#root}: ${cell}` };
    const parts = relative(this.#root, path).split(sep);
    const name = parts.pop() ?? '';
    let folder = this.#root;
    for (const part of parts) {
      const listing = await this.#list(folder);
      if (listing.kinds.get(part) !== 'folder') return { fault: missing(cell, listing, part) };
      folder = join(folder, part);
    }
    const listing = await this.#list(folder);
    const kind = listing.kinds.get(name);
    if (kind === 'file') return { path };
    const found = imageExtensions
      .flatMap((extension) => listing.folded.get(fold(name + extension)) ?? [])
      .filter((other) => other.startsWith(name) && listing.kinds.get(other) === 'file');
    const [only, second] = found;
    if (only !== undefined && second === undefined) return { path: join(folder, only) };
    if (only !== undefined) return { fault: `${cell} may be any of ${found.join(', ')}` };
    return { fault: kind === 'folder' ? `a folder, ${cell}` : missing(cell, listing, name) };
  }

  #list(folder: string): Promise<Listing> {
    let listing = this.#listings.get(folder);
    if (!listing) {
      listing = listFolder(folder);
      this.#listings.set(folder, listing);
    }
    return listing;
  }
}

/** One name for all that differ in case or in how accents are encoded. */
function fold(name: string): string {
  return name.normalize('NFC').toLowerCase();
}

/** That there is no such file; and where only case or encoding differs, what there is. */
function missing(cell: string, { folded, kinds }: Listing, name: string): string {
  const others = (folded.get(fold(name)) ?? []).filter((other) => other !== name);
  if (others.length === 0) return `missing file ${cell}`;
  const shown = others.map((other) =>
    kinds.get(other) === 'folder' ? `the folder ${other}` : other,
  );
  const how = others.some((other) => other.toLowerCase() === name.toLowerCase())
    ? 'in another case'
    : 'with its letters encoded in another Unicode form (NFC, NFD)';
  return `missing file ${cell}, but ${shown.join(', ')} ${how}`;
}

async function listFolder(folder: string): Promise<Listing> {
  const kinds = new Map<string, 'file' | 'folder'>();
  const folded = new Map<string, string[]>();
  // A folder that cannot be listed has no files that can be read.
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    let kind: 'file' | 'folder' | 'absent' = entry.isDirectory() ? 'folder' : 'file';
    if (!entry.isDirectory() && !entry.isFile()) kind = await kindOf(join(folder, entry.name));
    if (kind === 'absent') continue;
    kinds.set(entry.name, kind);
    const key = fold(entry.name);
    folded.set(key, [...(folded.get(key) ?? []), entry.name]);
  }
  return { kinds, folded };
}
