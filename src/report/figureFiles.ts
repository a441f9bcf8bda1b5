/** The figures of a study from the files that were drawn of them. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { drawnMatrices, type FigureIndex } from '../figures/index.ts';
import type { ReportFigure, ReportFigures } from './page.ts';

/** @param folder that the index stands in */
export async function readFigures(folder: string, index: FigureIndex): Promise<ReportFigures> {
  const figures: ReportFigure[] = [];
  for (const { files, ...about } of index.figures) {
    const [svg = '', darkSvg = '', spec = ''] = await Promise.all(
      [files.svg, files.darkSvg, files.spec].map((name) => readFile(join(folder, name), 'utf8')),
    );
    figures.push({ ...about, svg, darkSvg, matrices: drawnMatrices(JSON.parse(spec)) });
  }
  return { figures, missing: index.missing };
}
