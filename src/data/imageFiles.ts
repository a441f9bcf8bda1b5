/** Which files of a folder are images: by name where the name says so, else by their first bytes. */
import { open, readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode, RequestError } from '../util/index.ts';
import { fileTypeOf, headBytes } from './images/fileType.ts';
import { fileOf } from './images/reference.ts';

/** Formats that are decoded, by the endings that their files commonly have. */
export const imageExtensions: readonly string[] = [
  '.jpg',
  '.jpeg',
  '.png',
  '.tif',
  '.tiff',
  '.webp',
  '.gif',
  '.avif',
  '.jfif',
  '.bmp',
  '.dcm',
  '.dicom',
  '.nii',
  '.nii.gz',
];

/** Files that systems leave behind in folders of pictures. */
const leftBehind = new Set(['thumbs.db', 'desktop.ini', '__macosx']);

export interface FolderListing {
  /** Absolute paths of images, sorted. */
  images: string[];
  /** Absolute paths of other files, sorted. */
  others: string[];
}

/** True for names that are no part of a data set: hidden files, system files. */
export function isLeftBehind(name: string): boolean {
  return name.startsWith('.') || leftBehind.has(name.toLowerCase());
}

/** Order by code points, the same on every machine and in every language. */
export function byCodePoint(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Names of the folders directly inside `folder`, sorted. Links to folders count. */
export async function subfolders(folder: string): Promise<string[]> {
  const names: string[] = [];
  for (const entry of await readFolder(folder)) {
    if (isLeftBehind(entry.name)) continue;
    if (entry.isDirectory()) names.push(entry.name);
    else if (entry.isSymbolicLink() && (await kindOf(join(folder, entry.name))) === 'folder') {
      names.push(entry.name);
    }
  }
  return names.sort(byCodePoint);
}

/** All files below `folder`, at any depth; links are followed, each folder once. */
export async function listImages(folder: string): Promise<FolderListing> {
  const listing: FolderListing = { images: [], others: [] };
  const visited = new Set<string>();
  const visit = async (current: string): Promise<void> => {
    const real = await realpath(current);
    if (visited.has(real)) return;
    visited.add(real);
    for (const entry of await readFolder(current)) {
      if (isLeftBehind(entry.name)) continue;
      const path = join(current, entry.name);
      const linked = entry.isSymbolicLink() ? await kindOf(path) : undefined;
      if (entry.isDirectory() || linked === 'folder') await visit(path);
      // A dangling link with an image's name is a bad image, not an absent one.
      else if (await isImage(path)) listing.images.push(path);
      else listing.others.push(path);
    }
  };
  await visit(folder);
  listing.images.sort(byCodePoint);
  listing.others.sort(byCodePoint);
  return listing;
}

/** `folder`, `file`, or `absent` of what a path leads to; of a part of a file, what the file is. */
export async function kindOf(path: string): Promise<'folder' | 'file' | 'absent'> {
  try {
    return (await stat(fileOf(path))).isDirectory() ? 'folder' : 'file';
  } catch {
    return 'absent';
  }
}

/** @throws RequestError where `path` is not a folder that can be listed. */
export async function requireFolder(path: string, where: string): Promise<void> {
  const kind = await kindOf(path);
  if (kind === 'folder') return;
  throw new RequestError({
    where,
    expected: 'a folder',
    got: kind === 'file' ? `a file, ${path}` : `nothing at ${path}`,
    hint: 'check the path',
  });
}

async function readFolder(folder: string) {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    throw new RequestError(
      {
        where: folder,
        expected: 'a folder that can be read',
        got: errorCode(error) ?? String(error),
        hint: 'check the path and its permissions',
      },
      { cause: error },
    );
  }
}

async function isImage(path: string): Promise<boolean> {
  if (imageExtensionOf(path) !== undefined) return true;
  const type = fileTypeOf(await firstBytes(path));
  return type === 'picture' || type === 'dicom' || type === 'nifti';
}

/** The ending that makes a file's name an image's, as it is written there. */
export function imageExtensionOf(name: string): string | undefined {
  const lower = name.toLowerCase();
  const length = imageExtensions
    .filter((extension) => lower.endsWith(extension))
    .reduce((longest, { length: each }) => Math.max(longest, each), 0);
  return length > 0 && length < lower.length ? name.slice(-length) : undefined;
}

async function firstBytes(path: string): Promise<Buffer> {
  try {
    const file = await open(path, 'r');
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch {
    return Buffer.alloc(0);
  }
}
