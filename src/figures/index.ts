export { analysisFigure, type FigureSpec } from './analysis.ts';
