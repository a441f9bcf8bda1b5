/** The page as text: whole, escaped, without anything from outside, the same every time. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { charactersOf, tablesOf } from '../../src/figures/fontTables.ts';
import { drawnMatrices, printedTable, renderSvg, table1Html } from '../../src/figures/index.ts';
import { similarityPanel } from '../../src/figures/similarity.ts';
import {
  bestRuns,
  modelCard,
  PageParts,
  pageSvg,
  reportPage,
  writeModelCards,
} from '../../src/report/index.ts';
import { smallestSummary, sourcesSummary } from '../figures/otherFixtures.ts';
import { smallSummary } from '../figures/summaryFixture.ts';

const folders: string[] = [];
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

const spec = {
  data: { values: [{ x: 1, y: 0.123456789, by: 'a' }] },
  mark: 'point',
  encoding: {
    x: { field: 'x', type: 'quantitative' },
    y: { field: 'y', type: 'quantitative' },
    color: { field: 'by', type: 'nominal' },
  },
};

async function figure(title = 'A figure') {
  const svg = await renderSvg(spec, { idPrefix: 'one' });
  const darkSvg = await renderSvg(spec, { idPrefix: 'one', theme: 'dark' });
  return { id: 'figure-01', paper: 'Figure 1', title, caption: 'What it shows.', svg, darkSvg };
}

describe('the page', () => {
  it('is the same bytes every time, and has every section in order', async () => {
    const figures = { figures: [await figure()], missing: [{ paper: 'Figure 2', needs: 'more' }] };
    const page = reportPage(smallSummary(), figures);
    expect(reportPage(smallSummary(), figures)).toBe(page);
    const ids = [...page.matchAll(/<(?:h2|p)\b[^>]* id="([^"]*)"/g)].map(([, id]) => id);
    expect(ids).toEqual([
      'answer',
      'table-1',
      'figures',
      'comparisons',
      'methods',
      'data',
      'environment',
      'cost',
      'missing',
      'limits',
      'reproduce',
      'references',
    ]);
    expect(page).toContain('Figure 2: needs more.');
    // Every section can be gone to.
    const places = [...page.matchAll(/<a href="#([^"]*)">/g)].map(([, id]) => id);
    expect(places).toEqual(ids.slice(1));
  });

  it('hides with a model or data set the figures that say they are of it alone, whatever their title', async () => {
    const plain = await figure('Of ResNet18 micro and DeiT micro on dermoscopy');
    const figures = [
      plain,
      { ...plain, id: 'figure-02', model: 'deit_micro' },
      { ...plain, id: 'figure-03', model: 'a"b', data: 'dermoscopy' },
    ];
    const page = reportPage(smallSummary(), { figures, missing: [] });
    expect([...page.matchAll(/<figure ([^>]*)>/g)].map(([, attributes]) => attributes)).toEqual([
      'id="figure-01"',
      'id="figure-02" data-model="deit_micro"',
      'id="figure-03" data-data="dermoscopy" data-model="a&quot;b"',
    ]);
  });

  it('has the table 1 of the other formats, with the paper’s numbers where they are asked for', () => {
    const summary = smallSummary();
    const page = reportPage(summary, { figures: [], missing: [] });
    expect(page).toContain(table1Html(printedTable(summary)));
    expect(page).toMatch(
      /<tr data-model="deit_micro"><th scope="row">WT<\/th><td data-data="dermo/,
    );
    expect(page).not.toContain('class="paper"');
    const named = JSON.parse(
      JSON.stringify(summary)
        .replaceAll('dermoscopy', 'isic2019')
        .replaceAll('deit_micro', 'deit_small'),
    ) as typeof summary;
    const beside = reportPage(named, { figures: [], missing: [] }, { paper: true });
    expect(beside).toContain('<td class="paper" data-data="isic2019">');
  });

  it('has every data set and model side by side, with what their runs know', () => {
    const page = reportPage(sourcesSummary(), { figures: [], missing: [] });
    const [, glance = ''] = /<table class="glance">(.*?)<\/table>/s.exec(page) ?? [];
    const rows = [...glance.matchAll(/<tr data-data="([^"]*)" data-model="([^"]*)">/g)];
    expect(rows.map(([, data, model]) => `${data} ${model}`)).toHaveLength(3 * 4);
    expect(glance).toMatch(/<td>\+0\.\d{3}<br><small>\+0\.\d{3} to \+0\.\d{3}<\/small><\/td>/);
    expect(glance).toContain('<td class="text">likely</td>');
    expect(glance).toMatch(/<td>\d+ of 14<\/td>/);
    // No ST, no WT-ST-n/m, no analyses: the columns of these are not there.
    const smallest = reportPage(smallestSummary(), { figures: [], missing: [] });
    const [, least = ''] = /<table class="glance"><thead>(.*?)<\/thead>/s.exec(smallest) ?? [];
    expect(
      least
        .replaceAll(/<[^>]*>/g, '|')
        .split('|')
        .filter((text) => text !== ''),
    ).toEqual(['data set, model', 'WT − RI', 'how sure']);
  });

  it('sums up what the runs cost, as far as they know it', () => {
    const summary = smallSummary();
    const cost = (page: string): string =>
      /<h2 id="cost">.*?<h2/s.exec(page)?.[0].replaceAll(/<[^>]*>/g, ' ') ?? '';
    const { runs } = summary.cost;
    const known = cost(reportPage(summary, { figures: [], missing: [] }));
    expect(known).toMatch(
      new RegExp(`${runs} runs took \\d+ (seconds|minutes) of run time together`),
    );
    expect(known).toMatch(
      /Of that 23 seconds in training steps \(82\s%\), 3 seconds in evaluations \(12\s%\), under a second in saving \(1\s%\) and 1 second in preparing and waiting \(5\s%\)/,
    );
    expect(known).toMatch(/the device was busy for 90\s% of the time/);
    expect(known).toMatch(/evaluation +saving +training images\/s +device busy +most memory/);
    const { trainingSeconds: _, evaluationSeconds: __, savingSeconds: ___, ...rest } = summary.cost;
    const byModel = rest.byModel.map(({ model, runs: own, runSeconds }) => ({
      model,
      runs: own,
      runSeconds,
    }));
    const old = cost(
      reportPage({ ...summary, cost: { ...rest, byModel } }, { figures: [], missing: [] }),
    );
    expect(old).not.toContain('Of that');
    expect(old).toMatch(/model +runs +run time {2,}ResNet18 micro/);
  });

  it('escapes what comes from users', async () => {
    const evil = '<img src=x onerror=alert(1)>"\'&</script>';
    const summary = smallSummary();
    const renamed = JSON.parse(
      JSON.stringify({ ...summary, description: evil }).replaceAll('dermoscopy', 'a<b>&\\"c'),
    ) as typeof summary;
    renamed.warnings = [{ text: evil, runs: 1 }];
    renamed.unfinished = [{ runId: 'x', title: evil, status: 'failed', reason: evil }];
    const page = reportPage(renamed, { figures: [await figure(evil)], missing: [] });
    expect(page).not.toContain('<img');
    expect(page).not.toContain('a<b>');
    expect(page.match(/<\/script>/g)).toHaveLength(2);
    const [first] = renamed.rows;
    expect(first && modelCard(renamed, first)).toMatch(/a\\<b\\>/);
  });

  it('asks for nothing and forbids what it does not need', async () => {
    const page = reportPage(smallSummary(), { figures: [await figure()], missing: [] });
    const outside = [...page.matchAll(/(?:href|src)="?([^" >]*)/g)].map(([, address]) => address);
    expect(outside.filter((address) => !/^(?:data:,|#[\w-]+)$/.test(address ?? ''))).toEqual([]);
    expect(page).toMatch(/default-src &#39;none&#39;; style-src &#39;sha256-/);
    expect(page).not.toMatch(/ style=/);
    expect(page).not.toMatch(/<[^>]* on[a-z]+=/);
  });
});

describe('a figure in the page', () => {
  it('has one drawing for both papers, its colours by name', async () => {
    const { svg, darkSvg } = await figure();
    const parts = new PageParts();
    const drawn = pageSvg({ svg, darkSvg }, parts);
    expect(drawn).not.toMatch(/="?#[0-9a-f]{6}/);
    expect(parts.declarations('light')).toContain('#ffffff');
    expect(parts.declarations('dark')).toContain('#16181c');
    expect(parts.declarations('dark')).not.toContain('#ffffff');
  });

  it('has its title in the page alone, and panels theirs', async () => {
    const titled = {
      title: 'The title',
      concat: [{ ...spec, title: { text: 'The title', frame: 'group' } }],
    };
    const [svg, darkSvg] = [await renderSvg(titled), await renderSvg(titled, { theme: 'dark' })];
    const titles = (title?: string): number =>
      pageSvg({ svg, darkSvg, ...(title === undefined ? {} : { title }) }, new PageParts()).split(
        '>The title<',
      ).length - 1;
    expect(titles()).toBe(2);
    // A figure in parts has the number of its part behind the title.
    expect(titles('The title, part 1 of 2')).toBe(1);
    expect(titles('Another title')).toBe(2);
  });

  it('brings the letters of its texts along', async () => {
    const named = { ...spec, title: 'ẞ' };
    const [svg, darkSvg] = [await renderSvg(named), await renderSvg(named, { theme: 'dark' })];
    const page = reportPage(smallSummary(), {
      figures: [{ id: 'one', paper: 'Figure 1', title: 'A title', caption: '', svg, darkSvg }],
      missing: [],
    });
    const fonts = [...page.matchAll(/font-weight:(\d+);src:url\(data:font\/ttf;base64,([^)]*)\)/g)];
    expect(fonts.map(([, weight]) => weight)).toEqual(['400', '600']);
    for (const [, , text = ''] of fonts) {
      const codes = [...charactersOf(tablesOf(Buffer.from(text, 'base64'))('cmap'))];
      const found = new Set(codes.map(([code]) => String.fromCodePoint(code)));
      expect(found).toContain('ẞ');
      expect(found).toContain('0');
      expect(found).not.toContain('ß');
    }
  });

  it('says once what its values are called and which shape its points have', async () => {
    const { svg, darkSvg } = await figure();
    const parts = new PageParts();
    const drawn = pageSvg({ svg, darkSvg }, parts);
    // With five digits: a pointer is shown four.
    expect(drawn).toMatch(/<use href=#s\w+ data-v="1\t0\.12346\ta"[^>]* x=\d/);
    expect(drawn.match(/data-k="x\ty\tby"/g)).toHaveLength(1);
    const [, id] = /<use href=#(s\w+) /.exec(drawn) ?? [];
    expect(parts.definitions()).toContain(`<path id="${id}" d="M`);
    // A second figure of the same kind adds no shape and no colour.
    const [before, colours] = [parts.definitions(), parts.declarations('light')];
    pageSvg({ svg, darkSvg }, parts);
    expect([parts.definitions(), parts.declarations('light')]).toEqual([before, colours]);
  });

  it('does not take an entity for the end of a field', async () => {
    const named = { ...spec, data: { values: [{ x: 1, y: 2, by: 'A & B <c>' }] } };
    const [svg, darkSvg] = [await renderSvg(named), await renderSvg(named, { theme: 'dark' })];
    expect(pageSvg({ svg, darkSvg }, new PageParts())).toContain(
      'data-v="1\t2\tA &amp; B &lt;c&gt;"',
    );
  });

  it('has the values of a matrix beside strokes of few colours', async () => {
    const taps = Array.from({ length: 12 }, (_, at) => `tap${at}`);
    const value = (row: number, column: number): number | undefined =>
      row === 3 && column === 4 ? undefined : Math.cos((row - column) / 8) - 0.00001 * row;
    const cells = taps.flatMap((of, row) =>
      taps.map((detail, column) => ({ of, detail, value: value(row, column) })),
    );
    const panel = similarityPanel(cells, { size: 120, xTitle: 'after', yTitle: 'before' });
    const [matrix] = drawnMatrices(panel);
    const [svg, darkSvg] = [await renderSvg(panel), await renderSvg(panel, { theme: 'dark' })];
    const parts = new PageParts();
    const drawn = pageSvg({ svg, darkSvg, matrices: matrix ? [matrix] : [] }, parts);
    const [, digits = ''] = /data-values=(\S*)/.exec(drawn) ?? [];
    const told = (digits.match(/../g) ?? []).map((two) =>
      two === '--' ? undefined : (Number.parseInt(two, 36) - 100) / 1000,
    );
    // Rows from above: the last tap first.
    const wanted = [...taps.keys()]
      .reverse()
      .flatMap((row) => [...taps.keys()].map((column) => value(row, column)));
    expect(told).toHaveLength(wanted.length);
    for (const [at, one] of wanted.entries()) {
      if (one === undefined) expect(told[at], `${at}`).toBeUndefined();
      else expect(told[at], `${at}`).toBeCloseTo(one, 3);
    }
    expect(drawn).toContain('data-columns="after\ttap0\ttap1\t');
    expect(drawn).toContain('data-rows="before\ttap11\ttap10\t');
    expect(drawn).not.toContain('rgb(');
    // A stroke a level of the value.
    const levels = new Set(
      wanted.flatMap((one) => (one === undefined ? [] : Math.round(100 * one))),
    );
    const [, strokes = ''] = /class=matrix>(.*?)<\/g>/.exec(drawn) ?? [];
    expect(strokes.match(/<path /g)).toHaveLength(levels.size);
  });
});

describe('model cards', () => {
  it('are of the run with the best validation metric of each data set and model', async () => {
    const summary = smallSummary();
    const best = bestRuns(summary);
    expect(best.map(({ data, model }) => `${data} ${model}`)).toEqual([
      'dermoscopy resnet18_micro',
      'dermoscopy deit_micro',
    ]);
    for (const row of best) {
      const rivals = summary.rows.filter(({ model }) => model === row.model);
      expect(row.validationMetric).toBe(
        Math.max(...rivals.map(({ validationMetric }) => validationMetric ?? 0)),
      );
    }
    const folder = await mkdtemp(join(tmpdir(), 'carryover-cards-'));
    folders.push(folder);
    const [first] = await writeModelCards({ ...summary, folder });
    const text = await readFile(first ?? '', 'utf8');
    for (const title of ['Intended use', 'Network', 'Data', 'Metric', 'Limits', 'Licence']) {
      expect(text).toContain(`## ${title}`);
    }
    expect(text).toContain('Not a medical device');
    expect(text).toContain('Unknown: that of the images and of the pretrained weights');
  });
});
