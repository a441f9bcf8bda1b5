import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
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

async function open(
  cacheFolder: string,
  more: Partial<ImageOptions> = {},
  images: DataSet = dataset,
): Promise<ImageStore> {
  const options: ImageOptions = {
    resize: 8,
    workers: 0,
    onBadImage: 'error',
    cacheFolder,
    ...more,
  };
  const store = await ImageStore.open(images, options);
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

/** Other pixels under the same length. */
async function edit(path: string): Promise<void> {
  const file = await openFile(path, 'r+');
  await file.write(Buffer.of(1, 2, 3), 0, 3, 200);
  await file.close();
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

  it('is made anew, and says so, where it was cut or edited', async () => {
    const folder = newFolder();
    const first = await open(folder);
    const expected = await pixelsOf(first);
    expect(first.notes).toEqual([]);
    await truncate(pixelFile(folder), 100);
    const cut = await open(folder);
    expect(await pixelsOf(cut)).toEqual(expected);
    expect(cut.notes).toEqual([
      'the cache of resized images is made anew: it has 100 bytes instead of 2304',
    ]);
    await edit(pixelFile(folder));
    const edited = await open(folder);
    expect(await pixelsOf(edited)).toEqual(expected);
    expect(edited.notes).toEqual([
      'the cache of resized images is made anew: 1 of 12 images differ',
    ]);
    const sound = await open(folder);
    expect([sound.notes, await pixelsOf(sound)]).toEqual([[], expected]);
  });

  it('is made anew where its table is damaged or missing', async () => {
    const folder = newFolder();
    const expected = await pixelsOf(await open(folder));
    const table = pixelFile(folder).replace('.rgb', '.json');
    for (const damage of ['{"format":1', readFileSync(table, 'utf8').replace('12', '13'), '']) {
      writeFileSync(table, damage);
      let decoded = 0;
      const onProgress = (): void => {
        decoded++;
      };
      const again = await openDataSet(parseDataArgument(`folder:${root}`), { cacheFolder: base });
      expect(await pixelsOf(await open(folder, { onProgress }, again))).toEqual(expected);
      expect(decoded).toBe(12);
    }
  });

  it('is compared, and kept, where it was only touched or copied', async () => {
    const folder = newFolder();
    const expected = await pixelsOf(await open(folder));
    utimesSync(pixelFile(folder), 1e9, 1e9);
    let decoded = 0;
    const onProgress = (): void => {
      decoded++;
    };
    const touched = await open(folder, { onProgress });
    expect([touched.notes, await pixelsOf(touched)]).toEqual([[], expected]);
    expect(decoded).toBe(0);
  });

  it('that is damaged while it is open is passed over, and said', async () => {
    const folder = newFolder();
    const expected = await pixelsOf(await open(newFolder()));
    const notes: string[] = [];
    const store = await open(folder, { onNote: (text) => notes.push(text) });
    await edit(pixelFile(folder));
    expect(await pixelsOf(store)).toEqual(expected);
    expect(notes).toEqual([
      'the cache of resized images was damaged: what differs is decoded anew',
    ]);
    const next = await open(folder);
    expect(next.notes[0]).toContain('1 of 12 images differ');
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
