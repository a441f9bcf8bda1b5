/** Files made to exhaust a reader end in an error within a second and a gigabyte. */
import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { hostileFiles } from './hostileFiles.ts';

interface Result {
  name: string;
  error: string;
  /** Of the processor, while the file was read. */
  seconds: number;
  /** The most memory of the whole process, the file itself included, which it made. */
  megabytes: number;
}

describe('hostile files', () => {
  it('end in an error of ours, in little time and memory', () => {
    const script = new URL('readHostile.ts', import.meta.url).pathname;
    const output = execFileSync(process.execPath, ['--import', 'tsx', script], {
      encoding: 'utf8',
    });
    const results: Result[] = output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(results.map(({ name }) => name)).toEqual(Object.keys(hostileFiles));
    for (const { name, error, seconds, megabytes } of results) {
      expect(error, name).toMatch(/^WorkError: .+ expected .+, got .+/);
      // A second on an idle machine; the tests also run on busy ones.
      expect(seconds, name).toBeLessThan(4);
      expect(megabytes, name).toBeLessThan(1024);
    }
  });
});
