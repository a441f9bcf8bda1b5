export { dermoscopyClasses, paintDermoscopy } from './dermoscopy.ts';
export { type SyntheticOptions, type SyntheticSet, writeSynthetic } from './files.ts';
export { fundusGrades, paintFundus } from './fundus.ts';
export { paintPattern, patternClasses } from './patterns.ts';
