import {
  chmodSync,
  mkdirSync,
  readdirSync,
  renameSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { open as openFile, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type ImageOptions, ImageStore } from '../../src/data/images/imageStore.ts';
import { type DataSet, openDataSet, parseDataArgument } from '../../src/data/index.ts';
import { messageOf, temporaryFolder, writePictures, writeText } from './pictures.ts';

const base = temporaryFolder();
const root = join(base, 'set');
await writePictures(
  root,
  Array.from({ length: 12 }, (_, k) => `${'ab'[k % 2]}/${k}.png`),
);
const dataset: DataSet = await openDataSet(parseDataArgument(`folder:${root}`), {
  cacheFolder: join(base, 'hashes'),
});
const stores: ImageStore[] = [];
afterAll(async () => {
  await Promise.all(stores.map((store) => store.close()));
});

let count = 0;
const newFolder = (): string => join(base, `cache${count++}`);

async function open(cacheFolder: string, more: Partial<ImageOptions> = {}): Promise<ImageStore> {
  const options: ImageOptions = {
    resize: 8,
    workers: 0,
    onBadImage: 'error',
    cacheFolder,
    ...more,
  };
  const store = await ImageStore.open(dataset, options);
  stores.push(store);
  return store;
}

async function pixelsOf(store: ImageStore): Promise<Uint8Array> {
  const pixels = new Uint8Array(12 * store.bytesPerImage);
  await store.read(
    dataset.samples.map((_, index) => index),
    pixels,
  );
  return pixels;
}

const filesOf = (cacheFolder: string): string[] => readdirSync(join(cacheFolder, 'images')).sort();
const pixelFile = (cacheFolder: string): string =>
  join(cacheFolder, 'images', filesOf(cacheFolder).find((name) => name.endsWith('.rgb')) ?? '');

describe('the cache of resized images', () => {
  it('is built once, whole, and read from then on', async () => {
    const folder = newFolder();
    let decoded = 0;
    const onProgress = (): void => {
      decoded++;
    };
    const first = await pixelsOf(await open(folder, { onProgress }));
    expect(decoded).toBe(12);
    expect(statSync(pixelFile(folder)).size).toBe(12 * 8 * 8 * 3);
    expect(filesOf(folder)).toHaveLength(2);
    expect(await pixelsOf(await open(folder, { onProgress }))).toEqual(first);
    expect(decoded).toBe(12);
    const decodedAnew = await open(folder, { cache: false });
    expect(await pixelsOf(decodedAnew)).toEqual(first);
    await open(folder, { resize: 9 });
    expect(filesOf(folder)).toHaveLength(4);
  });

  it('is built safely by several at once', async () => {
    const folder = newFolder();
    let decoded = 0;
    const onProgress = (): void => {
      decoded++;
    };
    const opened = await Promise.all([1, 2, 3].map(() => open(folder, { onProgress })));
    const [first, ...others] = await Promise.all(opened.map(pixelsOf));
    for (const other of others) expect(other).toEqual(first);
    expect(decoded).toBe(12);
    expect(filesOf(folder)).toHaveLength(2);
  });

  it('is built again where a file of it is cut, missing or written to', async () => {
    const folder = newFolder();
    const expected = await pixelsOf(await open(folder));
    await truncate(pixelFile(folder), 100);
    expect(await pixelsOf(await open(folder))).toEqual(expected);
    const table = pixelFile(folder).replace('.rgb', '.json');
    writeFileSync(table, '{"format":1');
    expect(await pixelsOf(await open(folder))).toEqual(expected);
  });

  it('that changed under the same length is told, not trained on', async () => {
    const folder = newFolder();
    await open(folder);
    const file = await openFile(pixelFile(folder), 'r+');
    await file.write(Buffer.of(1, 2, 3), 0, 3, 200);
    await file.close();
    const message = await messageOf(async () => pixelsOf(await open(folder)));
    expect(message).toContain('got other pixels in the cache');
  });

  it('goes on from what a killed process left', async () => {
    const folder = newFolder();
    const expected = await pixelsOf(await open(newFolder()));
    const probe = newFolder();
    await open(probe);
    const name = filesOf(probe).find((file) => file.endsWith('.rgb')) ?? '';
    mkdirSync(join(folder, 'images'), { recursive: true });
    const unfinished = join(folder, 'images', `${name}.99999.unfinished`);
    const lock = join(folder, 'images', name.replace('.rgb', '.lock'));
    writeText(unfinished, 'half');
    mkdirSync(lock);
    // As long ago as nobody who is alive would leave them untouched.
    for (const path of [unfinished, lock]) utimesSync(path, 1e9, 1e9);
    expect(await pixelsOf(await open(folder))).toEqual(expected);
    expect(filesOf(folder)).toEqual(filesOf(probe));
  });

  it('that cannot be written is done without, and said', async () => {
    const blocked = writeText(join(base, 'file-in-the-way'), 'x');
    const expected = await pixelsOf(await open(newFolder()));
    let decoded = 0;
    const onProgress = (): void => {
      decoded++;
    };
    const store = await open(blocked, { onProgress });
    expect(await pixelsOf(store)).toEqual(expected);
    expect(store.notes[0]).toContain('decoded anew in every epoch');
    await open(blocked, { onProgress });
    expect(decoded).toBe(12);
    if (process.getuid?.() !== 0) {
      const sealed = newFolder();
      mkdirSync(sealed);
      chmodSync(sealed, 0o500);
      expect((await open(sealed)).notes[0]).toContain('EACCES');
    }
  });

  it('remembers bad images, so that skipping them after all takes no second look', async () => {
    const folder = newFolder();
    let looked = 0;
    const onProgress = (): void => {
      looked++;
    };
    const limits = { maxPixels: 100, onProgress };
    expect(await messageOf(() => open(folder, limits))).toContain('12 bad images');
    expect(await messageOf(() => open(folder, limits))).toContain('12 bad images');
    expect((await open(folder, { ...limits, onBadImage: 'skip' })).badReason(3)).toContain(
      'pixels',
    );
    expect(looked).toBe(12);
  });

  it('remembers nothing of a file that could not be read', async () => {
    const folder = newFolder();
    const path = dataset.samples[4]?.path ?? '';
    renameSync(path, `${path}.away`);
    const skipping = { resize: 10, onBadImage: 'skip' } as const;
    expect((await open(folder, skipping)).badReason(4)).toBe('cannot be read: no such file');
    renameSync(`${path}.away`, path);
    expect(filesOf(folder).filter((name) => name.endsWith('.json'))).toEqual([]);
  });

  it('can be given up while it is built', async () => {
    const folder = newFolder();
    const controller = new AbortController();
    const onProgress = (done: number): void => {
      if (done === 3) controller.abort();
    };
    const message = await messageOf(() => open(folder, { onProgress, signal: controller.signal }));
    expect(message).toContain('abort');
    expect(filesOf(folder)).toEqual([]);
    await open(folder);
    expect(filesOf(folder)).toHaveLength(2);
  });
});
