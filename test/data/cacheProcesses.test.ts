import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { temporaryFolder, writePictures } from './pictures.ts';

const base = temporaryFolder();

interface Opened {
  decoded: number;
  digest: string;
  notes: string[];
}

it('two processes that need the same cache make it once', async () => {
  const root = join(base, 'set');
  const count = 60;
  await writePictures(
    root,
    Array.from({ length: count }, (_, k) => `${'ab'[k % 2]}/${k}.png`),
  );
  const script = fileURLToPath(new URL('openCache.ts', import.meta.url));
  const open = async (): Promise<Opened> => {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--import', 'tsx', script, root, join(base, 'cache')],
      { env: { ...process.env, OMP_NUM_THREADS: '1' } },
    );
    return JSON.parse(stdout);
  };
  const [first, second] = await Promise.all([open(), open()]);
  expect([first.decoded, second.decoded].sort((a, b) => a - b)).toEqual([0, count]);
  expect(first.digest).toBe(second.digest);
  expect([...first.notes, ...second.notes]).toEqual([]);
  expect(readdirSync(join(base, 'cache', 'images'))).toHaveLength(2);
});
