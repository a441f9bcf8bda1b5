/** The files of an analysis's figure, beside its document. */
import { type AnalysisDocument, analysisPaths } from '../results/index.ts';
import { writeFileWhole, writeJson } from '../util/index.ts';
import { analysisFigure } from './analysis.ts';
import { describedPng, describedSvg } from './pictureText.ts';
import { renderPng, renderSvg } from './render.ts';
import { themed } from './theme.ts';

/**
 * Writes the figure of an analysis of a run as a specification, and as SVG and PNG unless `pictures` is false.
 * @returns their paths
 */
export async function writeAnalysisFigure(
  folder: string,
  document: AnalysisDocument,
  { pictures = true }: { pictures?: boolean } = {},
): Promise<string[]> {
  const paths = analysisPaths(folder, document.measure, document.against?.runId);
  const spec = analysisFigure(document);
  await writeJson(paths.figure, themed(spec, 'light'));
  if (!pictures) return [paths.figure];
  const { text: title, subtitle } = spec.title;
  const text = { title, description: subtitle.map((line) => line.replace(/\.?$/, '.')).join(' ') };
  const svg = await renderSvg(spec, { idPrefix: document.measure });
  await writeFileWhole(paths.svg, describedSvg(svg, text, document.measure));
  await writeFileWhole(paths.png, describedPng(await renderPng(svg), text));
  return [paths.figure, paths.svg, paths.png];
}
