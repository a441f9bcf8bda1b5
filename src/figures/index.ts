export { analysisFigure } from './analysis.ts';
export { writeAnalysisFigure } from './analysisFiles.ts';
export type { Figure, FigureKind, FigureSpec } from './figure.ts';
export {
  type DrawnFigures,
  drawFigures,
  drawPictures,
  type FigureFiles,
  type FigureIndex,
  type FigurePictures,
  figureKinds,
  type MissingFigure,
  type WriteOptions,
  type WrittenFigure,
  writeFigures,
} from './figures.ts';
export { fontOfCharacters } from './font.ts';
export { initLabel, metricLabel, modelLabel, modelParts } from './labels.ts';
export { type PngOptions, renderPng, renderSvg, type SvgOptions } from './render.ts';
export { type DrawnMatrix, drawnMatrices } from './similarity.ts';
export { formatTable1 } from './table1/csv.ts';
export { table1Html } from './table1/html.ts';
export { type PrintedTable, printedTable, type Table1Options } from './table1/layout.ts';
export { describeTable1, type TextTable } from './table1/text.ts';
export { writeTable1 } from './table1/write.ts';
export { type Theme, themed } from './theme.ts';
