export { type InitialisationReport, initialise } from './initialise.ts';
export { planTransfer, type Treatment } from './plan.ts';
export {
  countKept,
  countModules,
  type Scheme,
  schemeLabel,
  type TransferSettings,
} from './schemes.ts';
export { drawNormal, type NormalStatistics, statisticsOf } from './statistics.ts';
