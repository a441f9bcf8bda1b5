export { analysisFigure } from './analysis.ts';
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
export { initLabel, metricLabel, modelLabel } from './labels.ts';
export { type PngOptions, renderPng, renderSvg, type SvgOptions } from './render.ts';
export { type Theme, themeConfig, themed } from './theme.ts';
