/** The log: whole lines, cut back to where a resumed run goes on. */
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readLog, runPaths, type TrainLine } from '../../src/results/index.ts';
import { RunLog } from '../../src/train/log.ts';

const line = (iteration: number): TrainLine => ({
  kind: 'train',
  iteration,
  epoch: iteration / 10,
  learningRate: 1e-4,
  loss: 1 / iteration,
});

describe('the log of a run', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'carryover-log-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('goes on from where the state was saved', async () => {
    const path = runPaths(folder).log;
    const first = await RunLog.open(path, 0);
    await first.append(line(1));
    const { bytes } = first;
    await first.append(line(2));
    await first.close();
    appendFileSync(path, '{"kind":"train","iter');
    expect(await readLog(folder)).toEqual([line(1), line(2)]);
    const second = await RunLog.open(path, bytes);
    expect(second.bytes).toBe(bytes);
    await second.append(line(3));
    await second.sync();
    await second.close();
    expect(await readLog(folder)).toEqual([line(1), line(3)]);
    expect(readFileSync(path, 'utf8').endsWith('}\n')).toBe(true);
  });

  it('is empty again where a run starts', async () => {
    const path = runPaths(folder).log;
    const first = await RunLog.open(path, 0);
    await first.append(line(1));
    await first.close();
    await (await RunLog.open(path, 0)).close();
    expect(await readLog(folder)).toEqual([]);
  });

  it('says so where it was shortened from outside', async () => {
    await expect(RunLog.open(runPaths(folder).log, 100)).rejects.toThrow(
      /log\.jsonl: expected at least 100 bytes, .* got 0 bytes/,
    );
  });

  it('is refused where a line is none of its own', async () => {
    appendFileSync(runPaths(folder).log, 'hello\n');
    await expect(readLog(folder)).rejects.toThrow(/log\.jsonl, line 1: expected JSON/);
    rmSync(runPaths(folder).log);
    appendFileSync(runPaths(folder).log, '{"kind":"other"}\n');
    await expect(readLog(folder)).rejects.toThrow(/expected a line of a run log/);
  });
});
