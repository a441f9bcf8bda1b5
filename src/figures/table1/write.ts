/** The files of table 1. */
import { join } from 'node:path';
import type { StudySummary } from '../../results/index.ts';
import { writeFileWhole } from '../../util/index.ts';
import { formatTable1 } from './csv.ts';
import { table1Page } from './html.ts';
import { table1Latex } from './latex.ts';
import { printedTable, type Table1Options } from './layout.ts';
import { table1Markdown } from './markdown.ts';

/** Writes `table1.csv`, `.md`, `.tex` and `.html` into a folder. The CSV has the study's numbers alone. */
export async function writeTable1(
  summary: StudySummary,
  folder: string,
  options: Table1Options = {},
): Promise<void> {
  const table = printedTable(summary, options);
  await writeFileWhole(join(folder, 'table1.csv'), formatTable1(summary.table));
  await writeFileWhole(join(folder, 'table1.md'), table1Markdown(table));
  await writeFileWhole(join(folder, 'table1.tex'), table1Latex(table));
  await writeFileWhole(join(folder, 'table1.html'), table1Page(summary.name, table));
}
