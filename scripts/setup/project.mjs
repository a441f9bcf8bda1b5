// The project's own part of the set-up: its packages and its compiled JavaScript. Both are skipped
// when a stamp says that nothing they depend on has changed.

import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, SetupError, say } from './process.mjs';

/** Checks the running Node against package.json's `engines`. */
export function checkNode(root) {
  const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const wanted = engines.node.replace(/^>=/, '').split('.').map(Number);
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > wanted[0] || (major === wanted[0] && minor >= wanted[1])) return;
  throw new SetupError(
    `Node: expected version ${wanted.join('.')} or newer, got ${process.versions.node} ` +
      '(https://nodejs.org, or your system’s package manager)',
  );
}

/** Installs the packages of package-lock.json. @returns {Promise<boolean>} whether it had to */
export async function ensurePackages(root) {
  // The stamp lies in node_modules, so that it goes when node_modules goes.
  const stamp = join(root, 'node_modules/.carryover-lock');
  const wanted = digest([
    readFileSync(join(root, 'package-lock.json')),
    `${process.platform} ${process.arch}`,
  ]);
  if (isStamped(stamp, wanted)) return false;
  say('installing packages (npm ci)');
  await run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: root });
  writeFileSync(stamp, wanted);
  return true;
}

/** Compiles src/ into dist/. @returns {Promise<boolean>} whether it had to */
export async function ensureCompiled(root) {
  const dist = join(root, 'dist');
  const stamp = join(dist, '.stamp');
  const sources = filesUnder(join(root, 'src')).filter((name) => name.endsWith('.ts'));
  const state = ['tsconfig.json', 'tsconfig.build.json', ...sources.map((name) => `src/${name}`)];
  const wanted = digest(
    state.map((name) => {
      const { size, mtimeMs } = statSync(join(root, name));
      return `${name} ${size} ${mtimeMs}`;
    }),
  );
  if (isStamped(stamp, wanted)) return false;
  say('compiling TypeScript');
  rmSync(stamp, { force: true });
  removeOrphans(dist, new Set(sources.map((name) => name.slice(0, -'.ts'.length))));
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  await run(process.execPath, [compiler, '-p', 'tsconfig.build.json'], { cwd: root });
  requireRewrittenImports(dist);
  writeFileSync(stamp, wanted);
  return true;
}

// TypeScript 6 forgets to rewrite the extension in an import() inside a function with a `using`
// declaration; what it leaves fails only when that line runs.
function requireRewrittenImports(dist) {
  for (const name of filesUnder(dist).filter((file) => file.endsWith('.js'))) {
    const left = /import\(['"](\.[^'"]*\.ts)['"]/.exec(readFileSync(join(dist, name), 'utf8'));
    if (left) {
      throw new SetupError(
        `src/${name.replace(/js$/, 'ts')}: expected imports of .js in the compiled file, got ` +
          `${left[1]} (move the import() out of the function that has a \`using\`)`,
      );
    }
  }
}

// Compiled files whose source is gone would still be found by an import.
function removeOrphans(dist, modules) {
  if (!existsSync(dist)) return;
  for (const name of filesUnder(dist)) {
    const module = /^(.*)\.js(\.map)?$/.exec(name)?.[1];
    if (module !== undefined && !modules.has(module)) rmSync(join(dist, name));
  }
}

function filesUnder(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

function isStamped(file, wanted) {
  return existsSync(file) && readFileSync(file, 'utf8') === wanted;
}

function digest(parts) {
  const sum = createHash('sha256');
  for (const part of parts) sum.update(part).update('\0');
  return sum.digest('hex');
}
