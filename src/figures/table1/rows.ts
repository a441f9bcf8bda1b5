/** Rows of table 1 that its formats share: RI, ST, WT-ST-n/m, WT, then the gains. */
import {
  type Aggregate,
  type Cell,
  type Comparison,
  type Gain,
  initRank,
} from '../../results/index.ts';

export interface GainRow {
  kind: 'transfer' | 'reuse';
  label: string;
  /** What the CSV calls it, in ASCII. */
  name: string;
  gainOf: (comparison: Comparison) => Gain;
}

/** The gains that the study's initialisations allow. */
export function gainRows(inits: readonly string[]): GainRow[] {
  const has = (init: string): boolean => inits.includes('wt') && inits.includes(init);
  const transfer: GainRow = {
    kind: 'transfer',
    label: 'WT/RI',
    name: 'WT/RI',
    gainOf: (of) => of.transfer,
  };
  const reuse: GainRow = {
    kind: 'reuse',
    label: '(WT−ST)/WT',
    name: '(WT-ST)/WT',
    gainOf: (of) => of.reuse,
  };
  return [...(has('ri') ? [transfer] : []), ...(has('st') ? [reuse] : [])];
}

/** The rows of a model: RI, ST, WT-ST-n/m in order of n, WT. */
export function orderedInits({ axes }: Aggregate, model: string): string[] {
  return [...(axes.initsOf?.[model] ?? axes.inits)].sort((a, b) => initRank(a) - initRank(b));
}

export const cellOf = (
  table: Aggregate,
  data: string,
  model: string,
  init: string,
): Cell | undefined =>
  table.cells.find((cell) => cell.data === data && cell.model === model && cell.init === init);

export const comparisonOf = (
  table: Aggregate,
  data: string,
  model: string,
): Comparison | undefined =>
  table.comparisons.find((item) => item.data === data && item.model === model);

/** What is wrong with a cell: runs that are missing or whose metric is undefined. */
export function noteOf({ missingSeeds, undefinedRuns }: Cell): string | undefined {
  const reasons = [...new Set(undefinedRuns.map(({ reason }) => reason))];
  const notes = [
    ...(missingSeeds.length > 0 ? [`not finished: seed ${missingSeeds.join(', ')}`] : []),
    ...(undefinedRuns.length > 0
      ? [
          `undefined: seed ${undefinedRuns.map(({ seed }) => seed).join(', ')} (${reasons.join('; ')})`,
        ]
      : []),
  ];
  return notes.length > 0 ? notes.join('; ') : undefined;
}
