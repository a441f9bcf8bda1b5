/** A run whose state to resume from was damaged begins anew, says so, and ends as if nothing had been. */
import { truncateSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunConfig, runPaths } from '../../src/results/index.ts';
import { trainRun } from '../../src/train/index.ts';
import { bitsOf, shortRun, Workplace, writeClasses } from './fixture.ts';

describe('a damaged state', () => {
  const place = new Workplace();
  let config: RunConfig;
  beforeAll(async () => {
    await writeClasses(place.path('pictures'), ['one', 'two'], 12);
    config = shortRun({ kind: 'folder', path: place.path('pictures') });
    await trainRun(config, place.path('whole'));
  });
  afterAll(() => place.remove());

  /** Trains some steps, stops, damages what is there, and trains to the end. @returns warnings */
  async function goOnAfter(name: string, damage: (folder: string) => void): Promise<string[]> {
    const folder = place.path(name);
    const controller = new AbortController();
    const stopped = await trainRun(config, folder, {
      signal: controller.signal,
      onEvent: (event) => {
        if (event.kind === 'step' && event.iteration === 4) controller.abort();
      },
    });
    expect(stopped.status).toBe('stopped');
    damage(folder);
    const warnings: string[] = [];
    const { status } = await trainRun(config, folder, {
      onEvent: (event) => {
        if (event.kind === 'warning') warnings.push(event.text);
      },
    });
    expect(status).toBe('finished');
    expect(bitsOf(folder)).toEqual(bitsOf(place.path('whole')));
    return warnings.filter((text) => text.startsWith('begins anew'));
  }

  it('that was cut off, or is something else, or counts on more of the log than there is', async () => {
    const cut = await goOnAfter('cut', (folder) => truncateSync(runPaths(folder).resume, 1000));
    expect(cut).toEqual([expect.stringContaining('state.safetensors')]);
    const garbage = await goOnAfter('garbage', (folder) =>
      writeFileSync(runPaths(folder).resume, 'garbage'),
    );
    expect(garbage).toHaveLength(1);
    const log = await goOnAfter('log', (folder) => truncateSync(runPaths(folder).log, 10));
    expect(log).toEqual([expect.stringMatching(/log\.jsonl: .*10 bytes of the \d+/)]);
    expect(await goOnAfter('whole again', () => {})).toEqual([]);
  });
});
