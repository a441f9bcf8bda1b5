/** Matrices on disk row by row: what is read back, and what is refused. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { readWeights, SafetensorsRows } from '../../src/weights/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'carryover-rows-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const columns = new Map([
  ['wide', 3],
  ['narrow', 1],
]);

function rows(count: number, from: number): Map<string, Float32Array> {
  return new Map(
    [...columns].map(([name, width]) => [
      name,
      Float32Array.from({ length: count * width }, (_, index) => from * width + index),
    ]),
  );
}

it('puts rows that come in pieces into dense matrices', async () => {
  const path = join(folder, 'deep', 'rows.safetensors');
  const file = await SafetensorsRows.create(path, 5);
  await file.describe(columns, { note: '"ä"' });
  await file.append(2, rows(2, 0));
  await file.append(3, rows(3, 2));
  expect(existsSync(path)).toBe(false);
  await file.commit();
  const { tensors, metadata } = await readWeights(path);
  expect(metadata).toEqual({ note: '"ä"' });
  for (const [name, width] of columns) {
    const { shape, bytes } = tensors.get(name) ?? expect.unreachable();
    expect(shape).toEqual([5, width]);
    expect([...new Float32Array(bytes.buffer, bytes.byteOffset, 5 * width)]).toEqual(
      Array.from({ length: 5 * width }, (_, index) => index),
    );
  }
  expect(readdirSync(join(folder, 'deep'))).toEqual(['rows.safetensors']);
});

it('refuses to end before its rows are there, and rows that are too many', async () => {
  const path = join(folder, 'short.safetensors');
  const file = await SafetensorsRows.create(path, 3);
  await expect(file.commit()).rejects.toThrow('expected 3 rows, got 0');
  await file.describe(columns, {});
  await file.append(2, rows(2, 0));
  await expect(file.append(2, rows(2, 2))).rejects.toThrow('row 4 of 3');
  await expect(file.append(1, rows(2, 2))).rejects.toThrow('wide: 6 values for 1 rows of 3');
  await expect(file.commit()).rejects.toThrow('expected 3 rows, got 2');
  await file.abandon();
  await file.abandon();
  expect(existsSync(path)).toBe(false);
  expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
});

it('says at once where nothing can be written', async () => {
  mkdirSync(join(folder, 'taken'));
  await expect(SafetensorsRows.create(join(folder, 'taken'), 1)).rejects.toThrow(
    'expected the name of a file to write, got a folder',
  );
  writeFileSync(join(folder, 'file'), '');
  await expect(SafetensorsRows.create(join(folder, 'file', 'x'), 1)).rejects.toThrow(
    'expected a place inside a folder, got a file on the way to it',
  );
});
