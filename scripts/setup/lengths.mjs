// The length rule: a file holds one concept, in fewer than 500 lines; the addon as a whole stays
// within 1,000 lines of C++, the optional ones of one file each (for 3 × 3 convolutions, steps of Adam, JPEG
// files) not counted. Generated files say so in their name and are left out.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const longestFile = 500;
const longestAddon = 1000;
const folders = ['src', 'native', 'test', 'bench', 'scripts', 'bin'];
const code = /\.(ts|mjs|js|cc|h|py|sh)$/;

/** One line per file (and for the addon as a whole) that is too long. */
export function lengthProblems(root) {
  const problems = [];
  let addon = 0;
  for (const name of folders.flatMap((folder) => codeFiles(root, folder))) {
    const lines = readFileSync(join(root, name), 'utf8').split('\n').length - 1;
    if (/^native\/[^/]+$/.test(name)) addon += lines;
    if (lines >= longestFile) {
      problems.push(`${name}: expected fewer than ${longestFile} lines, got ${lines}`);
    }
  }
  if (addon > longestAddon) {
    problems.push(`native/: expected at most ${longestAddon} lines of C++, got ${addon}`);
  }
  return problems;
}

function codeFiles(root, folder) {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && code.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .filter((name) => !name.startsWith('native/build/') && !name.includes('.generated.'));
}
