import { execFileSync } from 'node:child_process';
import { lstatSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { RequestError, readFault, writeFileWhole } from '../../src/util/index.ts';

const base = mkdtempSync(join(tmpdir(), 'carryover-files-'));
afterAll(() => rmSync(base, { recursive: true, force: true }));

describe('a file that is written whole', () => {
  it('takes the place of a file, and of none', async () => {
    const path = join(base, 'new', 'a.txt');
    await writeFileWhole(path, 'one');
    await writeFileWhole(path, 'two');
    expect(readFileSync(path, 'utf8')).toBe('two');
  });

  it('takes the place of no folder', async () => {
    await expect(writeFileWhole(base, 'text')).rejects.toThrow(
      /expected the name of a file to write, got a folder/,
    );
    await expect(writeFileWhole(base, 'text')).rejects.toBeInstanceOf(RequestError);
  });

  it.skipIf(process.platform === 'win32')('takes the place of no device or pipe', async () => {
    const path = join(base, 'pipe');
    execFileSync('mkfifo', [path]);
    await expect(writeFileWhole(path, 'text')).rejects.toThrow(/got a device or a pipe/);
    expect(lstatSync(path).isFIFO()).toBe(true);
  });
});

describe('why a file cannot be read', () => {
  it('is said in words', () => {
    writeFileSync(join(base, 'file'), '');
    const fault = (path: string): string => {
      try {
        return readFileSync(path, 'utf8');
      } catch (error) {
        return readFault(error);
      }
    };
    expect(fault(join(base, 'none'))).toBe('no such file');
    expect(fault(join(base, 'file', 'inside'))).toBe('no such file');
    expect(fault(base)).toBe('a folder');
  });
});
