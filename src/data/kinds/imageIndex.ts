/** Pictures of a folder by their names, as the label files of public collections call them. */
import { basename } from 'node:path';
import { imageExtensionOf } from '../imageFiles.ts';

/** The picture that a cell names, or what is wrong with the cell. */
export type FoundImage = { path: string; fault?: undefined } | { path?: undefined; fault: string };

export class ImageIndex {
  readonly #exact = new Map<string, string[]>();
  readonly #folded = new Map<string, string[]>();
  readonly #paths: readonly string[];

  /** @param paths files, in any folders: archives often hold a folder once more inside itself. */
  constructor(paths: readonly string[]) {
    this.#paths = paths;
    for (const path of paths) {
      const name = stemOf(basename(path));
      push(this.#exact, name, path);
      push(this.#folded, name.toLowerCase(), path);
    }
  }

  /** A name with or without ending or folder, in whatever case where only one file answers to it. */
  find(cell: string): FoundImage {
    const parts = cell.replaceAll('\\', '/').split('/');
    if (parts.includes('..')) return { fault: `a path outside the data set: ${cell}` };
    const name = stemOf(parts.at(-1) ?? '');
    if (name === '') return { fault: 'no image named' };
    const found = this.#exact.get(name) ?? this.#folded.get(name.toLowerCase()) ?? [];
    const [path, other] = found;
    if (path === undefined) return { fault: `missing file ${cell}` };
    if (other === undefined) return { path };
    return { fault: `two files are called ${name}: ${path} and ${other}` };
  }

  /** Names of the pictures that are none of `used`. */
  unlisted(used: ReadonlySet<string>): string[] {
    return this.#paths.filter((path) => !used.has(path)).map((path) => basename(path));
  }
}

/** A name without an image's ending; other dots are part of it. */
function stemOf(name: string): string {
  return name.slice(0, name.length - (imageExtensionOf(name)?.length ?? 0));
}

function push(map: Map<string, string[]>, key: string, path: string): void {
  const list = map.get(key);
  if (list) list.push(path);
  else map.set(key, [path]);
}
