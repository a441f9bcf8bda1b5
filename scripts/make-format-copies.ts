// Small copies of the public data sets in their published formats, to try commands with:
//   node --import tsx scripts/make-format-copies.ts <folder>
import { resolve } from 'node:path';
import { writeFormatCopies } from './format-copies/formatCopies.ts';

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  process.stderr.write('usage: node --import tsx scripts/make-format-copies.ts <folder>\n');
  process.exitCode = 2;
} else {
  const names = await writeFormatCopies(resolve(folder));
  const lines = names.map((name) => `  --data ${name}`);
  process.stdout.write(
    `Pictures drawn by a program; they show no patient. Each can be named as\n${lines.join('\n')}\n`,
  );
}
