/** `carryover weights fetch` and `list` as a user starts them. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { runCaught } from '../cli/caught.ts';
import { serveFile } from './fileServer.ts';
import { goldenPath } from './support.ts';

const folder = mkdtempSync(join(tmpdir(), 'carryover-fetch-command-'));
const variables = ['CARRYOVER_WEIGHTS', 'CARRYOVER_WEIGHTS_MIRROR'] as const;
const before = variables.map((name) => process.env[name]);

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  for (const [index, name] of variables.entries()) {
    const value = before[index];
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
});

beforeEach(() => {
  for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true });
  process.env.CARRYOVER_WEIGHTS = folder;
  delete process.env.CARRYOVER_WEIGHTS_MIRROR;
});

const run = (...argv: string[]) => runCaught('weights', ...argv);

const bytes = readFileSync(goldenPath('torch2-plain.pth'));

describe('carryover weights fetch', () => {
  it('fetches, says that a file is unverified and what it looks like, and lists it', async () => {
    await using server = await serveFile({ bytes });
    process.env.CARRYOVER_WEIGHTS_MIRROR = server.url;
    const { code, stdout, stderr } = await run('fetch', 'swin_tiny');
    expect(code).toBe(0);
    const file = 'swin_tiny_patch4_window7_224.pth';
    expect(stdout).toContain(`swin_tiny.microsoft: ${join(folder, file)}\n`);
    expect(stdout).toContain(`fetched from ${server.url}/${file}`);
    expect(stdout).toContain(`SHA-256 ${createHash('sha256').update(bytes).digest('hex')}`);
    expect(stdout).toContain('unverified: its publisher states no hash');
    expect(stderr).toContain(`warning: ${file} does not look like swin_tiny`);
    const again = await run('fetch', 'swin_tiny.microsoft', '--json');
    expect(JSON.parse(again.stdout)).toMatchObject({ present: true, verified: 'none' });
    expect(server.requests).toHaveLength(1);
    const listed = await run('list');
    expect(listed.stdout).toMatch(/^swin_tiny\.microsoft .+ {2}0 MB {2}none$/m);
    expect(listed.stdout).toMatch(/^resnet50\.imagenet1k_v1 .+resnet50-0676ba61\.pth +no$/m);
    const inspected = await run('inspect', 'swin_tiny');
    expect(inspected.code).toBe(0);
    expect(inspected.stdout).toContain('family: none that is known here');
  });

  it('removes a file of another hash and ends with code 1', async () => {
    await using server = await serveFile({ bytes });
    const { code, stderr } = await run('fetch', 'resnet50', '--mirror', server.url);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^error: .+resnet50-0676ba61\.pth: expected a SHA-256 that starts with 0676ba61, got [0-9a-f]{64} .+\n$/,
    );
    expect(readdirSync(folder)).toEqual([]);
  });

  it('says of a file that is not there so, and of a wrong request what is right', async () => {
    await using server = await serveFile({ bytes, status: 404 });
    const missing = await run('fetch', 'deit_small:5', '--mirror', server.url, '--json');
    expect(missing.code).toBe(1);
    expect(missing.stderr).toContain('deit_small_patch16_224-cd65a155.pth: expected the file');
    expect(JSON.parse(missing.stdout)).toMatchObject({ error: { exitCode: 1 } });
    const small = await run('fetch', 'deit_micro');
    expect(small.code).toBe(2);
    expect(small.stderr).toContain('deit_micro, which has none');
    const unknown = await run('fetch', 'resnet5O');
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toMatch(/did you mean .*resnet50/);
    const mirror = await run('fetch', 'resnet18', '--mirror', 'somewhere');
    expect(mirror.code).toBe(2);
  });

  it('checks a file that was put there by hand', async () => {
    writeFileSync(join(folder, 'resnet18-f37072fd.pth'), 'not it');
    const { code, stderr } = await run('fetch', 'resnet18');
    expect(code).toBe(1);
    expect(stderr).toContain('expected a SHA-256 that starts with f37072fd');
    const unchecked = await run('list');
    expect(unchecked.stdout).toMatch(/^resnet18\.imagenet1k_v1 .+not yet$/m);
  });

  it('is what an error names where a checkpoint is not there', async () => {
    const { code, stderr } = await run('inspect', 'resnet50');
    expect(code).toBe(2);
    expect(stderr).toContain('carryover weights fetch resnet50.imagenet1k_v1 puts it there');
  });
});
