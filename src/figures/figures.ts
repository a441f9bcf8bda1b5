/** All figures of a study: which there are, and their files. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { StudySummary } from '../results/index.ts';
import { writeFileWhole, writeJson } from '../util/index.ts';
import { extraCalibration } from './extraCalibration.ts';
import { extraLearningCurves } from './extraLearningCurves.ts';
import { extraLinearProbe } from './extraLinearProbe.ts';
import type { Figure, FigureKind } from './figure.ts';
import { figure01 } from './figure01.ts';
import { figure02 } from './figure02.ts';
import { figure03 } from './figure03.ts';
import { figure04 } from './figure04.ts';
import { figure05 } from './figure05.ts';
import { figure06 } from './figure06.ts';
import { figure07 } from './figure07.ts';
import { figure08 } from './figure08.ts';
import { figure09 } from './figure09.ts';
import { figure10 } from './figure10.ts';
import { figure11 } from './figure11.ts';
import { figure12 } from './figure12.ts';
import { figure13 } from './figure13.ts';
import { figure14 } from './figure14.ts';
import { figure15 } from './figure15.ts';
import { figure16 } from './figure16.ts';
import { figure17 } from './figure17.ts';
import { figure18 } from './figure18.ts';
import { figure19 } from './figure19.ts';
import { describedPng, describedSvg } from './pictureText.ts';
import { renderPng, renderSvg } from './render.ts';
import { table04 } from './table04.ts';
import { themed } from './theme.ts';

/** The kinds of figure, in the order in which they are shown: one line each. */
export const figureKinds: readonly FigureKind[] = [
  figure01,
  figure02,
  figure03,
  figure04,
  figure05,
  figure06,
  figure07,
  figure08,
  figure09,
  figure10,
  figure11,
  figure12,
  figure13,
  figure14,
  figure15,
  figure16,
  figure17,
  figure18,
  figure19,
  table04,
  extraLearningCurves,
  extraLinearProbe,
  extraCalibration,
];

/** A kind of figure that is not there. */
export interface MissingFigure {
  id: string;
  paper: string;
  /** What the study would have to have. */
  needs: string;
  /** What went wrong, where the study has it and the figure could not be drawn. */
  problem?: string;
}

export interface DrawnFigures {
  figures: Figure[];
  missing: MissingFigure[];
}

/** The figures that a study has the data for, as specifications, and the kinds that it has not. */
export function drawFigures(
  summary: StudySummary,
  kinds: readonly FigureKind[] = figureKinds,
): DrawnFigures {
  const drawn: DrawnFigures = { figures: [], missing: [] };
  for (const { id, paper, needs, draw } of kinds) {
    try {
      const figures = draw(summary);
      drawn.figures.push(...figures);
      if (figures.length === 0) drawn.missing.push({ id, paper, needs });
    } catch (error) {
      // One figure's fault must not cost the others.
      drawn.missing.push({ id, paper, needs, problem: messageOf(error) });
    }
  }
  return drawn;
}

/** Names of a figure's files inside the folder. */
export interface FigureFiles {
  spec: string;
  svg: string;
  darkSvg: string;
  png: string;
}

export interface WrittenFigure extends Omit<Figure, 'spec'> {
  files: FigureFiles;
}

/** `index.json` of a folder of figures. */
export interface FigureIndex {
  format: 1;
  study: string;
  figures: WrittenFigure[];
  missing: MissingFigure[];
}

const endings = { spec: '.vl.json', svg: '.svg', darkSvg: '.dark.svg', png: '.png' };

export interface WriteOptions {
  kinds?: readonly FigureKind[];
  onFigure?: (done: number, total: number, id: string) => void;
  signal?: AbortSignal;
}

/**
 * Writes every figure of a study as `<id>.vl.json`, `.svg`, `.dark.svg` and `.png`, and `index.json`, which
 * says what is there and what is not and why. Figures of an earlier time that are no more are removed;
 * other files in the folder stay.
 */
export async function writeFigures(
  summary: StudySummary,
  folder: string,
  { kinds = figureKinds, onFigure, signal }: WriteOptions = {},
): Promise<FigureIndex> {
  const { figures, missing } = drawFigures(summary, kinds);
  const index: FigureIndex = { format: 1, study: summary.name, figures: [], missing: [...missing] };
  for (const [at, figure] of figures.entries()) {
    signal?.throwIfAborted();
    onFigure?.(at, figures.length, figure.id);
    const { spec, ...about } = figure;
    const described = { description: figure.caption, ...spec };
    let pictures: FigurePictures;
    try {
      pictures = await drawPictures(figure);
    } catch (error) {
      const needs = kinds.find(({ id }) => figure.id.startsWith(id))?.needs ?? '';
      index.missing.push({ id: about.id, paper: about.paper, needs, problem: messageOf(error) });
      continue;
    }
    const files = filesOf(figure.id);
    await writeJson(join(folder, files.spec), themed(described, 'light'));
    await writeFileWhole(join(folder, files.svg), pictures.svg);
    await writeFileWhole(join(folder, files.darkSvg), pictures.darkSvg);
    await writeFileWhole(join(folder, files.png), pictures.png);
    index.figures.push({ ...about, files });
  }
  await removeStale(folder, index, kinds);
  await writeJson(join(folder, 'index.json'), index);
  return index;
}

export interface FigurePictures {
  svg: string;
  darkSvg: string;
  png: Buffer;
}

/** A figure's pictures, each with its title and caption inside. */
export async function drawPictures({ id, title, caption, spec }: Figure): Promise<FigurePictures> {
  const text = { title, description: caption };
  const svg = await renderSvg(spec, { idPrefix: id });
  const darkSvg = await renderSvg(spec, { idPrefix: id, theme: 'dark' });
  return {
    svg: describedSvg(svg, text, id),
    darkSvg: describedSvg(darkSvg, text, id),
    png: describedPng(await renderPng(svg), text),
  };
}

function filesOf(id: string): FigureFiles {
  const { spec, svg, darkSvg, png } = endings;
  return { spec: id + spec, svg: id + svg, darkSvg: id + darkSvg, png: id + png };
}

/** Removes the files of figures of known kinds that are not in the index. */
async function removeStale(
  folder: string,
  { figures }: FigureIndex,
  kinds: readonly FigureKind[],
): Promise<void> {
  const there = new Set(figures.flatMap(({ files }) => Object.values(files)));
  const names = await readdir(folder).catch(() => []);
  const stale = names.filter((name) => {
    if (there.has(name)) return false;
    const ending = [endings.darkSvg, endings.spec, endings.svg, endings.png].find((one) =>
      name.endsWith(one),
    );
    if (ending === undefined) return false;
    const figure = name.slice(0, -ending.length);
    return kinds.some(({ id }) => figure === id || figure.startsWith(`${id}-`));
  });
  for (const name of stale) await rm(join(folder, name), { force: true });
}

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
