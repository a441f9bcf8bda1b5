export { type Answer, answer, type Finding, type Recommendation } from './answer.ts';
export { readFigures } from './figureFiles.ts';
export { limits } from './limits.ts';
export { methods, type Paragraph } from './methods.ts';
export { bestRuns, modelCard, writeModelCards } from './modelCard.ts';
export { type ReportFigure, type ReportFigures, reportPage, writeReportPage } from './page.ts';
export { PageParts } from './pageParts.ts';
export { pageSvg } from './svg.ts';
