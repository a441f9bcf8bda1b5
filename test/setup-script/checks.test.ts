import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lengthProblems } from '../../scripts/setup/lengths.mjs';
import { countTests } from '../../scripts/setup/report.mjs';

const root = join(import.meta.dirname, '../..');

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'carryover-checks-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function write(files: Record<string, string>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
}

/** Runs a Node script; never throws. */
function node(args: string[], cwd: string): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd }, (error, stdout, stderr) => {
      const code = error === null ? 0 : Number(error.code ?? 1);
      resolve({ code, output: stdout + stderr });
    });
  });
}

describe('the count of tests', () => {
  const file = (status: string, ...tests: string[]) => ({
    status,
    assertionResults: tests.map((each) => ({ status: each })),
  });

  it('sums over files', () => {
    const testResults = [file('passed', 'passed', 'pending'), file('failed', 'failed', 'todo')];
    expect(countTests({ testResults }, 1)).toEqual({ passed: 1, failed: 1, skipped: 2 });
  });

  it('counts a file that failed outside its tests, and an exit code that nothing explains', () => {
    expect(countTests({ testResults: [file('failed')] }, 1).failed).toBe(1);
    expect(countTests({ testResults: [file('failed', 'passed')] }, 1).failed).toBe(1);
    expect(countTests({ testResults: [file('passed', 'passed')] }, 1).failed).toBe(1);
    expect(countTests({ testResults: [file('passed', 'passed')] }, 0).failed).toBe(0);
  });
});

describe('the length rule', () => {
  const lines = (count: number) => 'x\n'.repeat(count);
  const folders = { 'test/a.ts': '', 'bench/a.ts': '', 'scripts/a.ts': '', 'bin/a.mjs': '' };

  it('names a file that is too long, and leaves generated ones out', async () => {
    await write({
      ...folders,
      'native/a.cc': lines(499),
      'src/util/long.ts': lines(500),
      'src/util/fits.ts': lines(499),
      'src/tensor/operators.generated.ts': lines(5000),
    });
    expect(lengthProblems(folder)).toEqual([
      'src/util/long.ts: expected fewer than 500 lines, got 500',
    ]);
  });

  it('counts the addon as a whole', async () => {
    const native = {
      'native/a.cc': lines(400),
      'native/b.cc': lines(400),
      'native/c.h': lines(201),
      'native/jpeg/d.cc': lines(400),
    };
    await write({ ...folders, ...native, 'src/a.ts': '' });
    expect(lengthProblems(folder)).toEqual([
      'native/: expected at most 1000 lines of C++, got 1001',
    ]);
  });
});

describe('the layer rules', () => {
  async function violations(files: Record<string, string>): Promise<string[]> {
    await write(files);
    await cp(join(root, 'package.json'), join(folder, 'package.json'));
    await cp(join(root, '.dependency-cruiser.mjs'), join(folder, '.dependency-cruiser.mjs'));
    await cp(join(root, 'tsconfig.json'), join(folder, 'tsconfig.json'));
    await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
    const cruiser = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
    const args = [cruiser, 'src', '--config', '.dependency-cruiser.mjs', '--output-type', 'err'];
    const { output } = await node(args, folder);
    return [...output.matchAll(/error ([\w-]+):/g)].map((match) => match[1] ?? '').sort();
  }

  it('pass what the design allows', async () => {
    const files = {
      'src/util/index.ts': 'export const a = 1;',
      'src/tensor/index.ts': "export { a } from '../util/index.ts';",
      'src/nn/index.ts': "export { b } from './inner.ts';",
      'src/nn/inner.ts': "import { a } from '../tensor/index.ts';\nexport const b = a;",
    };
    expect(await violations(files)).toEqual([]);
  });

  it.each([
    ['an import up the layers', 'layer-util', 'src/util/index.ts', "import '../tensor/index.ts';"],
    [
      'train reaching analysis',
      'layer-train',
      'src/train/index.ts',
      "import '../analysis/index.ts';",
    ],
    [
      'figures reaching tensor',
      'layer-figures',
      'src/figures/index.ts',
      "import '../tensor/index.ts';",
    ],
    [
      'a way round the index',
      'through-the-index',
      'src/nn/index.ts',
      "import '../tensor/inner.ts';",
    ],
    ['a cycle', 'no-cycles', 'src/nn/one.ts', "import './two.ts';"],
    [
      'a type-only import up',
      'layer-util',
      'src/util/index.ts',
      "import type { T } from '../tensor/index.ts';\nexport type U = T;",
    ],
    [
      'a folder that has no place',
      'known-layers-only',
      'src/extra/index.ts',
      "import '../util/index.ts';",
    ],
    ['a missing file', 'resolvable', 'src/nn/index.ts', "import './absent.ts';"],
    [
      'a package of the development',
      'no-development-packages',
      'src/nn/index.ts',
      "import 'vitest';",
    ],
  ])('refuse %s', async (_what, rule, file, text) => {
    const found = await violations({
      'src/util/index.ts': 'export const a = 1;',
      'src/tensor/index.ts': 'export type T = number;\nexport const b = 1;',
      'src/tensor/inner.ts': 'export const c = 1;',
      'src/analysis/index.ts': 'export const d = 1;',
      'src/nn/two.ts': "import './one.ts';",
      'src/nn/one.ts': '',
      [file]: text,
    });
    expect(found).toContain(rule);
  });
});

describe('the command before the set-up', () => {
  it('says what to run', async () => {
    await cp(join(root, 'bin/carryover.mjs'), join(folder, 'bin/carryover.mjs'));
    const { code, output } = await node([join(folder, 'bin/carryover.mjs')], folder);
    expect(code).toBe(1);
    expect(output).toBe(
      'error: carryover: expected the compiled program in dist/, got none (npm run setup)\n',
    );
  });
});
