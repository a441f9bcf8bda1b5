/** A page in Debian's chromium: what it says, asks for and shows. */
import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';

const executablePath = '/usr/bin/chromium';

export const hasChromium = existsSync(executablePath);

export function startBrowser(): Promise<Browser> {
  const isRoot = process.getuid?.() === 0;
  return chromium.launch({ executablePath, args: isRoot ? ['--no-sandbox'] : [] });
}

export interface Opened {
  page: Page;
  /** Messages of the console and errors of the page. */
  complaints: string[];
  /** Addresses that were asked for, the page's own left out. */
  requests: string[];
}

export async function openPage(
  browser: Browser,
  path: string,
  { width = 1280, colorScheme = 'light' }: { width?: number; colorScheme?: 'light' | 'dark' } = {},
): Promise<Opened> {
  const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
  const complaints: string[] = [];
  const requests: string[] = [];
  const address = pathToFileURL(path).href;
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => {
    if (request.url() !== address) requests.push(request.url());
  });
  await page.goto(address);
  return { page, complaints, requests };
}

// What runs in the page is given as text: this project's types know no document.

/** Pixels by which the page is wider than the window. */
export function overflow(page: Page): Promise<number> {
  return page.evaluate<number>(
    'document.documentElement.scrollWidth - document.documentElement.clientWidth',
  );
}

/** The colour that the page stands on. */
export function paperColour(page: Page): Promise<string> {
  return page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
}

export interface SeenFigure {
  id: string;
  width: number;
  height: number;
  /** Drawn shapes that have a size. */
  marks: number;
}

/** Every figure that is shown, as it is laid out. */
export function figuresOf(page: Page): Promise<SeenFigure[]> {
  return page.evaluate<SeenFigure[]>(`
    [...document.querySelectorAll('figure')]
      .filter((figure) => !figure.hidden)
      .map((figure) => {
        const { width, height } = figure.querySelector('svg').getBoundingClientRect();
        const shapes = [...figure.querySelectorAll('svg path, svg rect, svg line, svg text')];
        const marks = shapes.filter((shape) => {
          const box = shape.getBoundingClientRect();
          return box.width > 0 || box.height > 0;
        });
        return { id: figure.id, width, height, marks: marks.length };
      })`);
}
