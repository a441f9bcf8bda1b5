/** A study killed at random moments ends with the bits of one that was left alone. */
import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from './fakeRuns.ts';
import { killStudy } from './killing.ts';

let place: string;
beforeAll(async () => {
  place = await temporaryFolder();
});
afterAll(() => rm(place, { recursive: true, force: true }));

describe('a study whose runner and runs are killed', { timeout: 600_000 }, () => {
  it('ends with the same bits, every run finished once', async () => {
    const report = await killStudy({ place, kills: 5, seeds: 1, seed: 3 });
    expect(report.stderr).not.toContain('error:');
    expect(report.code).toBe(0);
    expect(report.kills.runner + report.kills.run).toBeGreaterThanOrEqual(3);
    expect([...report.identical.values()]).toEqual([true, true, true]);
    expect(report.repeated).toEqual([]);
  });
});
