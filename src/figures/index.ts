export { analysisFigure } from './analysis.ts';
export type { Figure, FigureKind, FigureSpec } from './figure.ts';
