import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { buildJpegAddon, findJpeg } from '../../scripts/setup/jpeg.mjs';

const project = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
let root = '';

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'carryover-jpeg-'));
  await mkdir(join(root, 'native/jpeg'), { recursive: true });
  await cp(join(project, 'native/jpeg/jpeg.cc'), join(root, 'native/jpeg/jpeg.cc'));
  const headers = 'node_modules/node-api-headers';
  await cp(join(project, headers), join(root, headers), { recursive: true });
});
afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

const record = async (): Promise<{ path?: string; reason?: string }> =>
  JSON.parse(await readFile(join(root, 'native/build/jpeg.json'), 'utf8'));

/** A place whose headers are these. */
async function fakePlace(text: string): Promise<string> {
  const place = join(root, 'place');
  await mkdir(join(place, 'include'), { recursive: true });
  await writeFile(join(place, 'include/jpeglib.h'), text);
  return place;
}

describe('the addon for JPEG files', () => {
  it.skipIf(!findJpeg())('is built once, without warnings, and again when it is gone', async () => {
    const first = await buildJpegAddon({ root });
    expect(first).toMatchObject({ built: true, warnings: '' });
    expect((await record()).path).toBe(first.path);
    expect(await buildJpegAddon({ root })).toMatchObject({ built: false, path: first.path });
    await rm(first.path ?? '');
    expect(await buildJpegAddon({ root })).toMatchObject({ built: true, path: first.path });
    expect(existsSync(first.path ?? '')).toBe(true);
  });

  it('is looked for where headers are', async () => {
    expect(findJpeg(['/nowhere'])).toBeUndefined();
    const place = await fakePlace('');
    expect(findJpeg(['/nowhere', place])).toBe(place);
  });

  it('does not keep set-up from going on where there are no headers, and is told of once', async () => {
    const none = { root, place: '' };
    expect(await buildJpegAddon(none)).toMatchObject({ built: true });
    expect(await record()).toMatchObject({
      reason: expect.stringContaining('no headers of libjpeg-turbo'),
    });
    expect(await buildJpegAddon(none)).toMatchObject({ built: false });
  });

  it('nor where it cannot be built, and is tried again with other headers', async () => {
    const broken = await fakePlace('#error "of another library"\n');
    const result = await buildJpegAddon({ root, place: broken });
    expect(result.path).toBeUndefined();
    expect(result.reason).toContain('of another library');
    expect(await buildJpegAddon({ root, place: broken })).toMatchObject({ built: false });
    await fakePlace('#error "of a third one, which is longer"\n');
    const again = await buildJpegAddon({ root, place: broken });
    expect(again).toMatchObject({ built: true });
    expect(again.reason).toContain('of a third one');
  });
});
