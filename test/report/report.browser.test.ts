/** The report in a real browser: of the synthetic study of the paper's shape, and of a small real folder. */
import { copyFile, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { drawFigures, writeFigures } from '../../src/figures/index.ts';
import { readFigures, writeReportPage } from '../../src/report/index.ts';
import type { StudySummary } from '../../src/results/index.ts';
import { smallestSummary, sourcesSummary } from '../figures/otherFixtures.ts';
import { paperSummary, smallSummary } from '../figures/summaryFixture.ts';
import {
  figuresOf,
  hasChromium,
  openPage,
  overflow,
  paperColour,
  startBrowser,
} from './browser.ts';

const title = `the report in a browser${hasChromium ? '' : ' (left out: no /usr/bin/chromium)'}`;

let folder = '';
let browser: Browser;
/** Path of each report. */
const reports: Record<string, string> = {};
const summaries: Record<string, StudySummary> = {
  paper: paperSummary(),
  small: smallSummary(),
  smallest: smallestSummary(),
};

async function report(name: string, summary: StudySummary): Promise<string> {
  const place = join(folder, name);
  const index = await writeFigures(summary, place);
  const page = join(place, 'report.html');
  await writeReportPage(summary, await readFigures(place, index), page);
  return page;
}

describe.skipIf(!hasChromium)(title, { timeout: 240_000 }, () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'carryover-report-'));
    for (const [name, summary] of Object.entries(summaries)) {
      reports[name] = await report(name, summary);
    }
    browser = await startBrowser();
  }, 240_000);
  afterAll(async () => {
    await browser?.close();
    await rm(folder, { recursive: true, force: true });
  });

  it.each(Object.keys(summaries))(
    'shows every figure of the %s study, asks for nothing and complains of nothing',
    async (name) => {
      const summary = summaries[name];
      const drawn = summary ? drawFigures(summary).figures : [];
      const { page, complaints, requests } = await openPage(browser, reports[name] ?? '');
      const seen = await figuresOf(page);
      expect(seen.map(({ id }) => id)).toEqual(drawn.map(({ id }) => id));
      for (const { id, width, height, marks } of seen) {
        expect(width, id).toBeGreaterThan(150);
        expect(height, id).toBeGreaterThan(80);
        expect(marks, id).toBeGreaterThan(10);
      }
      expect(await page.locator('#answer').innerText()).toMatch(
        /transfer|than from random ones|than random ones/i,
      );
      expect(await page.locator('table').count()).toBeGreaterThan(3);
      expect(requests).toEqual([]);
      expect(complaints).toEqual([]);
      await page.close();
    },
  );

  it.each([375, 1280])('is no wider than a window of %i pixels', async (width) => {
    // Of several sources, names are long: tables and words alone, the figures are as wide as the others'.
    const words = join(folder, 'sources.html');
    await writeReportPage(sourcesSummary(), { figures: [], missing: [] }, words);
    for (const path of [...Object.values(reports), words]) {
      const { page } = await openPage(browser, path, { width });
      expect(await overflow(page), path).toBeLessThanOrEqual(0);
      await page.close();
    }
  });

  it('shows one data set and one model on request', async () => {
    const { page, complaints } = await openPage(browser, reports.paper ?? '');
    const shown = (): Promise<number> =>
      page.locator('[data-data]:visible, tr[data-model]:visible').count();
    const before = await shown();
    await page.locator('select[name=data]').selectOption('isic2019');
    expect(await page.locator('[data-data=aptos2019]:visible').count()).toBe(0);
    expect(await page.locator('[data-data=isic2019]:visible').count()).toBeGreaterThan(10);
    // Of a grid, the row stays and its rows of others fade, whether or not they have a title.
    const rows = (): Promise<string[]> =>
      page
        .locator('#figure-12-cka-st g.panel[data-p]:not(.faded)')
        .evaluateAll((panels: { dataset: { p: string } }[]) =>
          panels.map((panel) => panel.dataset.p),
        );
    expect((await rows()).map((text) => text.split(', ')[0])).toEqual(Array(4).fill('isic2019'));
    await page.locator('select[name=model]').selectOption('resnet50');
    expect(await rows()).toEqual(['isic2019, ResNet50']);
    expect(await page.locator('tr[data-model=deit_small]:visible').count()).toBe(0);
    expect(await page.locator('tr[data-model=resnet50]:visible').count()).toBeGreaterThan(3);
    expect(await page.locator('.faded').count()).toBeGreaterThan(0);
    await page.locator('select[name=data]').selectOption('');
    await page.locator('select[name=model]').selectOption('');
    expect(await shown()).toBe(before);
    expect(await page.locator('.faded').count()).toBe(0);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('has a switch of light and dark, and light paper in print', async () => {
    const { page } = await openPage(browser, reports.small ?? '', { colorScheme: 'dark' });
    expect(await paperColour(page)).toBe('rgb(22, 24, 28)');
    await page.locator('#theme').click();
    expect(await paperColour(page)).toBe('rgb(255, 255, 255)');
    await page.locator('#theme').click();
    await page.emulateMedia({ media: 'print' });
    expect(await paperColour(page)).toBe('rgb(255, 255, 255)');
    await page.close();
  });

  it('tells the values of marks under the pointer and by the arrow keys', async () => {
    const { page, complaints } = await openPage(browser, reports.paper ?? '');
    const [first] = await figuresOf(page);
    expect(first).toBeDefined();
    const plot = page.locator(`#${first?.id} .plot`);
    await plot.focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    const tip = page.locator('#tip');
    expect(await tip.isVisible()).toBe(true);
    const said = await tip.innerText();
    expect(said).toMatch(/\d/);
    await page.keyboard.press('Escape');
    expect(await tip.isVisible()).toBe(false);
    const mark = plot.locator('[data-v]').first();
    await mark.scrollIntoViewIfNeeded();
    const box = await mark.boundingBox();
    expect(box).not.toBeNull();
    await page.mouse.move(
      (box?.x ?? 0) + (box?.width ?? 0) / 2,
      (box?.y ?? 0) + (box?.height ?? 0) / 2,
    );
    expect(await tip.isVisible()).toBe(true);
    expect(await tip.innerText()).toMatch(/\d/);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('tells the values of a matrix under the pointer, and square by square by the arrow keys', async () => {
    const { page, complaints } = await openPage(browser, reports.paper ?? '');
    const plot = page.locator('#figure-12-cka-st .plot');
    const tip = page.locator('#tip');
    // The lowest square at the left is the first tap with itself: `conv1` is the last row of a ResNet's.
    const matrix = plot.locator('.matrix[data-rows$="conv1"]').first();
    await matrix.scrollIntoViewIfNeeded();
    // One square is one unit, the middle of the first row at 0.
    const [x = 0, y = 0] = await page.evaluate<number[]>(`(() => {
      const matrix = document.querySelector('#figure-12-cka-st .matrix[data-rows$="conv1"]');
      const { x, y } = new DOMPoint(0.5, 16).matrixTransform(matrix.getScreenCTM());
      return [x, y];
    })()`);
    const { findings } = summaries.paper ?? { findings: [] };
    const cell = findings.find(
      (row) =>
        row.init === 'st' &&
        row.measure === 'cka initial/best' &&
        row.model === 'resnet50' &&
        row.data === 'aptos2019' &&
        row.of === 'conv1' &&
        row.detail === 'conv1',
    );
    // The scroll that brought it into view hides what is told, whenever it ends.
    const pointed = async (): Promise<string> => {
      await page.mouse.move(x + 1, y);
      await page.mouse.move(x, y);
      return (await tip.isVisible()) ? tip.innerText() : 'nothing';
    };
    await expect
      .poll(pointed)
      .toBe(`before conv1\nafter conv1\nCKA ${Number(cell?.value?.mean.toFixed(3))}`);
    await plot.focus();
    const said = async (key: string): Promise<string[]> => {
      await page.keyboard.press(key);
      return (await tip.innerText()).split('\n').slice(0, 2);
    };
    expect(await said('ArrowRight')).toEqual(['before blocks.11.mlp', 'after patch_embed']);
    expect(await said('ArrowRight')).toEqual(['before blocks.11.mlp', 'after blocks.0.attn']);
    expect(await said('ArrowDown')).toEqual(['before blocks.11.attn', 'after blocks.0.attn']);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('stays below 6 MB for the study of the paper', async () => {
    expect((await stat(reports.paper ?? '')).size).toBeLessThan(6e6);
  });

  it('lives without its own folder', async () => {
    const elsewhere = join(folder, 'elsewhere');
    await mkdir(elsewhere);
    const copy = join(elsewhere, 'sent by mail.html');
    await copyFile(reports.small ?? '', copy);
    const { page, complaints, requests } = await openPage(browser, copy);
    expect([complaints, requests]).toEqual([[], []]);
    await page.close();
    // That a page with a request would be noticed.
    const loud = join(elsewhere, 'loud.html');
    await writeFile(loud, `<img src="${pathToFileURL(copy).href}">`);
    const noticed = await openPage(browser, loud);
    expect(noticed.requests).toHaveLength(1);
    await noticed.page.close();
  });
});
