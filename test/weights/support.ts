/** What the tests of checkpoint files share: temporary folders and files, and errors. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect } from 'vitest';
import type { WeightFile } from '../../src/weights/index.ts';
import { readWeights } from '../../src/weights/index.ts';
import { makeZip } from './zip.ts';

export {
  describeTensors,
  type GoldenTensor,
  goldenPath,
  readGolden,
} from './goldenTensors.ts';
export { makeZip, unpackZip, type ZipRecord } from './zip.ts';

const folder = mkdtempSync(join(tmpdir(), 'carryover-weights-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A path in a folder that is removed after the test file. */
export function temporaryPath(name: string): string {
  return join(folder, name);
}

let files = 0;

/** Writes `bytes` to a new file whose name ends in `suffix`. */
export function temporaryFile(bytes: Uint8Array, suffix: string): string {
  files += 1;
  const path = temporaryPath(`${files}${suffix}`);
  writeFileSync(path, bytes);
  return path;
}

/** The error that reading `path` ends with, which must be one line of the project's own form. */
export async function readingError(path: string): Promise<Error & { exitCode: number }> {
  const outcome: WeightFile | unknown = await readWeights(path).catch((error: unknown) => error);
  expect(outcome).toBeInstanceOf(Error);
  expect(outcome).toMatchObject({ exitCode: expect.any(Number), where: expect.any(String) });
  const error = outcome as Error & { exitCode: number };
  expect(error.message).toMatch(/expected .+, got .+/);
  // A file must not steer the terminal.
  expect(error.message).not.toMatch(/\p{C}/u);
  expect(error.message.length).toBeLessThan(800);
  return error;
}

/** Writes a checkpoint of the given pickle and storages. */
export function pthFile(pickle: Uint8Array, storages: Record<string, Uint8Array> = {}): string {
  const data = Object.entries(storages).map(([key, bytes]) => ({ name: `x/data/${key}`, bytes }));
  return temporaryFile(makeZip([{ name: 'x/data.pkl', bytes: pickle }, ...data]), '.pth');
}
