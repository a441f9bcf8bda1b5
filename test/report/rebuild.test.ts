/** `carryover study report` from the files of a folder alone: everything is made anew, without LibTorch. */
import { spawnSync } from 'node:child_process';
import { access, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PlannedRun } from '../../src/study/index.ts';
import { fakeRun, temporaryFolder } from '../study/fakeRuns.ts';
import { writeFinished } from '../study/finishedRuns.ts';

let folder = '';
const runs = [0, 1, 2].flatMap((seed): PlannedRun[] =>
  ['ri', 'st', 'wt'].map((init) => fakeRun(`${init}${seed}`, {}, { init, seed, data: 'skin' })),
);

beforeAll(async () => {
  folder = await temporaryFolder();
  const levels: Record<string, number> = { ri: 0.5, st: 0.6, wt: 0.8 };
  for (const run of runs) {
    const metric = (levels[run.init] ?? 0) + run.seed / 100;
    await writeFinished(folder, run, { metric, validation: [metric - 0.2, metric] });
  }
  const plan = {
    name: 'fake',
    folder,
    file: 'fake.yaml',
    data: ['skin'],
    models: ['resnet18_micro'],
    inits: ['ri', 'st', 'wt'],
    seeds: [0, 1, 2],
    runs,
  };
  await writeFile(join(folder, 'plan.json'), JSON.stringify(plan));
  await writeFile(join(folder, 'study.yaml'), 'name: fake\ndescription: Of <b>nothing</b>.\n');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The command as a process that tells afterwards whether LibTorch was loaded into it. */
function run(...options: string[]): { stdout: string; stderr: string } {
  const script = fileURLToPath(new URL('../cli/loaded.ts', import.meta.url));
  const args = ['--import', 'tsx', script, 'study', 'report', folder, ...options];
  return spawnSync(process.execPath, args, { encoding: 'utf8' });
}

function report(): { loaded: string; document: { report: string; modelCards: string[] } } {
  const { stdout, stderr } = run('--json');
  const [, loaded] = /LOADED (.*)\n/.exec(stderr) ?? [];
  return { loaded: loaded ?? stderr, document: JSON.parse(stdout) };
}

describe('study report', { timeout: 120_000 }, () => {
  it('makes tables, figures, page and cards anew without LibTorch, to the same bytes', async () => {
    const first = report();
    expect(first.loaded).toBe('0 false');
    expect(first.document.report).toBe(join(folder, 'report.html'));
    expect(first.document.modelCards).toEqual([join(folder, 'wt2', 'model-card.md')]);
    const page = await readFile(first.document.report, 'utf8');
    expect(page).toContain('Transfer likely helps: on skin, ResNet18 micro scores 0.300 higher');
    expect(page).toContain('Of &lt;b&gt;nothing&lt;/b&gt;.');
    for (const name of ['results.csv', 'table1.csv', 'comparisons.csv', 'models.csv']) {
      await rm(join(folder, name));
    }
    await rm(join(folder, 'figures'), { recursive: true });
    await rm(first.document.report);

    const second = report();
    expect(await readFile(second.document.report, 'utf8')).toBe(page);
    await access(join(folder, 'table1.csv'));
    await access(join(folder, 'figures', 'index.json'));
  });

  it('ends with what was found and where everything is', async () => {
    const { stdout } = run();
    const [found, , page, figures, tables] = stdout.trimEnd().split('\n').slice(-5);
    expect(found).toBe(
      'Transfer likely helps: on skin, ResNet18 micro scores 0.300 higher in macro recall from pretrained weights than from random ones (95 % interval +0.300 to +0.300) over 3 seeds.',
    );
    expect(page).toBe(`report:  ${join(folder, 'report.html')}`);
    const index = JSON.parse(await readFile(join(folder, 'figures', 'index.json'), 'utf8'));
    expect(figures).toBe(
      `figures: ${join(folder, 'figures')} (${index.figures.length} as SVG, PNG and Vega-Lite; ` +
        `what ${index.missing.length} more would need is in index.json)`,
    );
    expect(tables).toBe(
      `tables:  ${join(folder, 'table1')}.csv, .md, .tex and .html; results.csv and others`,
    );
    for (const ending of ['csv', 'md', 'tex', 'html'])
      await access(join(folder, `table1.${ending}`));
  });
});
