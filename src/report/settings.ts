/** One setting, a data set and a model: what was found of it, and how sure that is, by stated rules. */
import type {
  AnalysisRow,
  PairedComparison,
  ResultRow,
  StudySummary,
  TransferCurve,
} from '../results/index.ts';
import { allResamples, FEWEST_REPEATS, type Interval, intervalOf, mean } from '../util/index.ts';

/** p, corrected for all settings, below which a difference counts as established. */
export const LEVEL = 0.05;

/** Share of WT − ST that kept modules must have brought back. */
export const RECOVERED = 0.95;

/**
 * `established`: corrected p below 0.05. `likely`: the interval of the paired difference leaves out 0, but
 * p does not fall below 0.05. `reversed`: that interval lies below 0. `chance`: it has 0 in it. `few`:
 * fewer than three seeds in both. `none`: no seed has both.
 */
export type Certainty = 'established' | 'likely' | 'reversed' | 'chance' | 'few' | 'none';

/** What the page calls each. */
export const certaintyWords: Record<Certainty, string> = {
  established: 'established',
  likely: 'likely, not established',
  reversed: 'likely worse',
  chance: 'not beyond chance',
  few: 'too few seeds to say',
  none: 'no seed has both',
};

export interface Difference {
  certainty: Certainty;
  /** Mean difference of the metric over `pairs` seeds. */
  difference?: number;
  interval?: Interval;
  pairs: number;
  corrected?: number;
}

/** How sure the claim of a paired comparison is. */
export function judge(comparison: PairedComparison | undefined): Difference {
  const { test, corrected } = comparison ?? {};
  if (!test) return { certainty: 'none', pairs: 0 };
  const { difference, interval, pairs } = test;
  const found = { difference, interval, pairs, corrected };
  if (pairs < FEWEST_REPEATS || !interval) return { certainty: 'few', ...found };
  if (interval.high < 0) return { certainty: 'reversed', ...found };
  if (interval.low <= 0) return { certainty: 'chance', ...found };
  if (corrected !== undefined && corrected < LEVEL) return { certainty: 'established', ...found };
  return { certainty: 'likely', ...found };
}

/** Whether the claim may be built on. */
export const holds = ({ certainty }: Difference): boolean =>
  certainty === 'established' || certainty === 'likely';

/** The part of WT's gain over RI that goes with the features, statistics kept: (WT − ST)/(WT − RI). */
export interface ReuseOfGain {
  share: number;
  interval?: Interval;
}

export interface KeptModules {
  /** Fewest modules with pretrained weights that bring back {@link RECOVERED} of WT − ST. */
  kept: number;
  modules: number;
  /** Whether any n between none and all was run. */
  isSwept: boolean;
}

export interface Setting {
  data: string;
  model: string;
  metric?: string;
  /** WT better than RI, and WT better than ST. */
  transfer: Difference;
  reuse: Difference;
  reuseOfGain?: ReuseOfGain;
  kept?: KeptModules;
  /** What putting each tap of WT back to its initial state costs, the costliest first. */
  drops: AnalysisRow[];
  /** Iterations of RI to its best validation metric over those in which WT reached it. */
  speedUp?: number;
}

/** Every data set and model of the study. */
export function settingsOf(summary: StudySummary): Setting[] {
  const { axes } = summary;
  return axes.data.flatMap((data) => axes.models.map((model) => settingOf(summary, data, model)));
}

function settingOf(summary: StudySummary, data: string, model: string): Setting {
  const own = <T extends { data?: string; model: string }>(list: readonly T[]): T[] =>
    list.filter((item) => item.data === data && item.model === model);
  const comparisons = own(summary.comparisons);
  const compare = (than: string): Difference =>
    judge(comparisons.find((item) => item.better === 'wt' && item.than === than));
  const [transfer, reuse] = [compare('ri'), compare('st')];
  const kept = keptModules(own(summary.curves)[0], reuse);
  const reuseOfGain = holds(transfer) ? shareOfGain(summary, data, model) : undefined;
  const speedUp = speedOf(summary, data, model);
  return {
    data,
    model,
    ...metricOf(summary, data),
    transfer,
    reuse,
    ...(reuseOfGain ? { reuseOfGain } : {}),
    ...(kept ? { kept } : {}),
    drops: own(summary.findings)
      .filter(
        ({ init, measure, detail, value }) =>
          init === 'wt' && measure === 'reinit' && detail === 'drop' && value !== undefined,
      )
      .sort((a, b) => (b.value?.mean ?? 0) - (a.value?.mean ?? 0)),
    ...(speedUp === undefined ? {} : { speedUp }),
  };
}

function metricOf({ data }: StudySummary, name: string): { metric?: string } {
  const metric = data.find((one) => one.name === name)?.metric;
  return metric === undefined ? {} : { metric };
}

function shareOfGain(
  { rows }: Pick<StudySummary, 'rows'>,
  data: string,
  model: string,
): ReuseOfGain | undefined {
  const bySeed = (init: string): Map<number, number> =>
    new Map(
      rows
        .filter((row) => isOf(row, data, model, init))
        .flatMap(({ seed, testMetric }) => (testMetric === undefined ? [] : [[seed, testMetric]])),
    );
  const [wt, st, ri] = [bySeed('wt'), bySeed('st'), bySeed('ri')];
  const triples = [...wt].flatMap(([seed, first]) => {
    const [second, third] = [st.get(seed), ri.get(seed)];
    return second === undefined || third === undefined
      ? []
      : [{ lost: first - second, gained: first - third }];
  });
  const gained = mean(triples.map((triple) => triple.gained));
  if (triples.length === 0 || !(gained > 0)) return undefined;
  const share = mean(triples.map(({ lost }) => lost)) / gained;
  const resamples = triples.length >= FEWEST_REPEATS ? allResamples(triples.length) : undefined;
  if (!resamples) return { share };
  const values = resamples.map(({ counts, probability }) => {
    const sum = (of: (triple: { lost: number; gained: number }) => number): number =>
      triples.reduce((total, triple, at) => total + (counts[at] ?? 0) * of(triple), 0);
    return { value: sum(({ lost }) => lost) / sum((triple) => triple.gained), probability };
  });
  if (!values.every(({ value }) => Number.isFinite(value))) return { share };
  return { share, interval: intervalOf(values) };
}

/** Of several sources, RI's runs carry no source: the model's name stands before it. */
function isOf(row: ResultRow, data: string, model: string, init: string): boolean {
  if (row.data !== data || row.init !== init || row.variant !== undefined) return false;
  const label = row.source === undefined ? row.model : `${row.model} from ${row.source}`;
  return label === model || (init === 'ri' && model.startsWith(`${row.model} from `));
}

function keptModules(curve: TransferCurve | undefined, reuse: Difference): KeptModules | undefined {
  if (!curve || !holds(reuse)) return undefined;
  const { modules, points } = curve;
  const at = (kept: number): number | undefined =>
    points.find((point) => point.kept === kept)?.metric?.mean;
  const [st, wt] = [at(0), at(modules)];
  if (st === undefined || wt === undefined || !(wt > st)) return undefined;
  const enough = points.find(
    ({ metric }) => metric !== undefined && metric.mean - st >= RECOVERED * (wt - st),
  );
  if (!enough) return undefined;
  const isSwept = points.some(({ kept }) => kept > 0 && kept < modules);
  return { kept: enough.kept, modules, isSwept };
}

function speedOf({ table }: StudySummary, data: string, model: string): number | undefined {
  const cell = (init: string) =>
    table.cells.find((one) => one.data === data && one.model === model && one.init === init);
  const [wt, ri] = [cell('wt'), cell('ri')];
  const reached = wt?.iterationsToReference;
  // A mean over only those runs that got there would flatter.
  if (!wt || !reached || reached.count < wt.finishedSeeds.length || !ri?.iterationsToBest) {
    return undefined;
  }
  return reached.mean > 0 ? ri.iterationsToBest.mean / reached.mean : undefined;
}
