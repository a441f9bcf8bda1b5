// Everything that must hold before a change is taken: format, lint, layers, types, generated code,
// file lengths, a clean compile of the addon, and the tests. Each check counts as one test. Ends
// with the line `N passed, N failed, N skipped`; exit code 1 when anything failed.

import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { lengthProblems } from './setup/lengths.mjs';
import { capture, main } from './setup/process.mjs';
import { countTests } from './setup/report.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const tools = join(root, 'node_modules');

const checks = [
  ['format and lint', command('@biomejs/biome/bin/biome', 'check', '.')],
  ['lint with types', command('eslint/bin/eslint.js', '.')],
  [
    'layers',
    command(
      'dependency-cruiser/bin/dependency-cruise.mjs',
      'src',
      '--config',
      '.dependency-cruiser.mjs',
    ),
  ],
  ['types', command('typescript/bin/tsc', '-p', 'tsconfig.json', '--noEmit')],
  [
    'generated operators are current',
    node('--import', 'tsx', 'scripts/generate-operators.ts', '--check'),
  ],
  ['file lengths', async () => lengthProblems(root).join('\n')],
  ['addon compiles without warnings', node('scripts/build-native.mjs', '--check-warnings')],
];

await main(async () => {
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const [name, check] of checks) {
    const start = performance.now();
    const problems = await check();
    const seconds = `${((performance.now() - start) / 1000).toFixed(1)} s`;
    if (problems) {
      total.failed += 1;
      print(`FAILED  ${name} (${seconds})\n${problems}\n`);
    } else {
      total.passed += 1;
      print(`ok      ${name} (${seconds})`);
    }
  }
  const tests = await runTests();
  for (const key of Object.keys(total)) total[key] += tests[key];
  print(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
  if (total.failed > 0) process.exitCode = 1;
});

/** A check that runs a package's command and returns its output when it fails. */
function command(file, ...args) {
  return node(join(tools, file), ...args);
}

function node(...args) {
  return async () => {
    const { code, output } = await capture(process.execPath, args, { cwd: root });
    return code === 0 ? '' : output || `exit code ${code}`;
  };
}

async function runTests() {
  const report = join(root, '.setup/tests.json');
  mkdirSync(dirname(report), { recursive: true });
  rmSync(report, { force: true });
  const args = ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const { code } = await capture(process.execPath, [join(tools, 'vitest/vitest.mjs'), ...args], {
    cwd: root,
    stdio: 'inherit',
  });
  let text;
  try {
    text = readFileSync(report, 'utf8');
  } catch {
    print(`FAILED  vitest (exit code ${code}, no report)`);
    return { passed: 0, failed: 1, skipped: 0 };
  }
  return countTests(JSON.parse(text), code);
}

function print(line) {
  process.stdout.write(`${line}\n`);
}
