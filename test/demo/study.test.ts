import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runProgram } from '../../src/cli/program.ts';
import { writeSynthetic } from '../../src/data/index.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'carryover-demo-'));
  for (const name of ['patterns', 'fundus', 'dermoscopy'] as const) {
    await writeSynthetic(name, join(folder, 'data', name), { seed: 0, size: 16, perClass: 10 });
  }
  const file = new URL('../../studies/demo.yaml', import.meta.url);
  await copyFile(file, join(folder, 'demo.yaml'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe('the demo’s study', () => {
  it('is an ordinary study of the pictures: two sources, and every scheme twice', async () => {
    let stdout = '';
    let stderr = '';
    const code = await runProgram(['study', 'plan', join(folder, 'demo.yaml'), '--json'], {
      stdout: { write: (text: string) => (stdout += text) },
      stderr: { write: (text: string) => (stderr += text) },
    });
    expect(stderr).not.toMatch(/error/);
    expect(code).toBe(0);
    const { runs }: { runs: { role: string; data: string; model: string; init: string }[] } =
      JSON.parse(stdout);
    expect(runs.filter(({ role }) => role === 'source')).toHaveLength(2);
    const targets = runs.filter(({ role }) => role === 'target');
    const counts = new Map<string, number>();
    for (const { data, model, init } of targets) {
      const cell = `${data} ${model} ${init}`;
      counts.set(cell, (counts.get(cell) ?? 0) + 1);
    }
    expect(counts.size).toBe(2 * 2 * 4);
    expect([...counts.values()].every((count) => count === 2)).toBe(true);
  });
});
