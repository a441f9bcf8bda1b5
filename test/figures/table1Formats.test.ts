/** Table 1 in its printed formats: the best in bold, the paper's numbers, names that look like markup. */
import { mkdtemp, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { printedTable, table1Html, writeTable1 } from '../../src/figures/index.ts';
import type { StudySummary } from '../../src/results/index.ts';
import { aggregate } from '../../src/study/aggregate.ts';
import { row } from '../study/resultRows.ts';
import { smallSummary } from './summaryFixture.ts';

/** A study of one data set and model whose metrics are given by initialisation. */
function summaryOf(
  metrics: Record<string, (number | undefined)[]>,
  { data = 'isic2019', model = 'resnet50' } = {},
): StudySummary {
  const seeds = [0, 1, 2];
  const axes = { data: [data], models: [model], inits: ['ri', 'st', 'wt'], seeds };
  const rows = Object.entries(metrics).flatMap(([init, values]) =>
    values.map((testMetric, seed) =>
      row({ data, model, init, seed, testMetric, undefinedReason: 'a class is absent' }),
    ),
  );
  const table = aggregate(rows, axes);
  const frechet = { distance: 141.2, extractor: 'fid-inception', source: 'imagenet' };
  return { ...smallSummary(), axes, table, data: table.data.map((one) => ({ ...one, frechet })) };
}

const usual = { ri: [0.6, 0.62, 0.64], st: [0.5, 0.52, 0.54], wt: [0.8, 0.81, 0.82] };

async function formats(summary: StudySummary, options = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'carryover-table1-'));
  await writeTable1(summary, folder, options);
  const read = (ending: string): Promise<string> =>
    readFile(join(folder, `table1.${ending}`), 'utf8');
  expect((await readdir(folder)).sort()).toEqual([
    'table1.csv',
    'table1.html',
    'table1.md',
    'table1.tex',
  ]);
  return { markdown: await read('md'), latex: await read('tex'), html: await read('html') };
}

describe('table 1, printed,', () => {
  it('has the best initialisation in bold, and no other', async () => {
    const { markdown, latex, html } = await formats(summaryOf(usual));
    expect([...markdown.matchAll(/\*\*[^*]+\*\*/g)].map(String)).toEqual(['**0.810 ± 0.010**']);
    expect(latex.match(/\\mathbf\{[^}]*\}/g)).toEqual(['\\mathbf{0.810 \\pm 0.010}']);
    expect(html.match(/<strong>[^<]*<\/strong>/g)).toEqual(['<strong>0.810 ± 0.010</strong>']);
    expect(markdown).toContain('isic2019, recall ↑, n = 2,000, FID = 141');
    expect(markdown).toMatch(/\| WT\/RI \| 1\.306 \\?\[1\.\d{3}, 1\.\d{3}\\?\]/);
  });

  it('has two in bold where they are printed alike, none where there is one alone', async () => {
    const tie = await formats(summaryOf({ ...usual, st: [0.8, 0.81, 0.8201] }));
    expect(tie.markdown.match(/\*\*0\.810/g)).toHaveLength(2);
    const alone = await formats(summaryOf({ wt: usual.wt }));
    expect(alone.markdown).not.toContain('**');
  });

  it('says what is missing and what is undefined', async () => {
    const { markdown, latex, html } = await formats(
      summaryOf({ ri: [0.6, undefined, 0.62], wt: [undefined, undefined, undefined] }),
    );
    expect(markdown).toContain('| RI | 0.610 ± 0.014 (2 runs) |');
    for (const text of [markdown, latex, html]) {
      expect(text).toContain('undefined: seed 0, 1, 2 (a class is absent)');
      expect(text).toContain('not finished: seed 0, 1, 2');
      expect(text).not.toContain('NaN');
    }
  });

  it('sets the paper’s numbers beside those of the same data set, metric and model', async () => {
    const { markdown, latex, html } = await formats(summaryOf(usual), { paper: true });
    // Table 1 of the paper: ResNet50 on ISIC2019.
    expect(markdown).toContain('| 0.795 ± 0.011 |');
    expect(latex).toContain('$0.664 \\pm 0.016$');
    expect(html).toContain('<td class="paper" data-data="isic2019">0.635 ± 0.012</td>');
    // 0.795 / 0.664, and (0.795 − 0.635) / 0.795.
    expect(markdown).toContain('| 1.197 |');
    expect(markdown).toContain('| 0.201 |');
    for (const other of [
      { data: 'my-moles' },
      { model: 'resnet50:2' },
      { model: 'resnet18' },
      { data: 'aptos2019' }, // judged by kappa in the paper, by recall here
    ]) {
      expect(table1Html(printedTable(summaryOf(usual, other), { paper: true }))).not.toContain(
        'class="paper"',
      );
    }
    expect(table1Html(printedTable(summaryOf(usual)))).not.toContain('class="paper"');
  });

  it('prints names that look like markup as names', async () => {
    const names = { data: 'a_b&c <i>*x*|y</i> 50%', model: 'net_{1}$\\x' };
    const { markdown, latex, html } = await formats(summaryOf(usual, names));
    expect(html).toContain('a_b&amp;c &lt;i&gt;*x*|y&lt;/i&gt; 50%');
    expect(html).not.toContain('<i>');
    expect(markdown).toContain('a\\_b&c \\<i\\>\\*x\\*\\|y\\</i\\> 50%');
    expect(latex).toContain('a\\_b\\&c \\textless{}i\\textgreater{}*x*|y\\textless{}/i');
    expect(latex).toContain('50\\%');
    expect(latex).toContain('net\\_\\{1\\}\\$\\textbackslash{}x');
    // Every row has the columns of the head.
    const cells = markdown
      .split('\n')
      .filter((line) => line.startsWith('|'))
      .map((line) => line.match(/(?<!\\)\|/g)?.length);
    expect(new Set(cells).size).toBe(1);
  });
});
