/** From a study's list of initialisations to those of one model. */
import { type Init, keepModules, parseInit } from '../results/index.ts';
import { RequestError } from '../util/index.ts';

/**
 * An entry of a study's `inits`: an initialisation; `wt-st` for every number of kept modules; or
 * the numbers as fractions of the model's modules.
 */
export type InitEntry = Init | 'wt-st' | { wt_st: number[] };

/** Whether expanding an entry takes the model's number of modules. */
export function countsModules(entry: InitEntry): boolean {
  return typeof entry === 'object' || entry.startsWith('wt-st');
}

/**
 * The initialisations of a model of so many modules, each once, in the order of the entries. What
 * keeps no module is `st` and what keeps all is `wt`.
 * @param modules needed where an entry counts modules
 * @throws RequestError for more modules than the model has
 */
export function expandInits(
  entries: readonly InitEntry[],
  { model, modules, where }: { model: string; modules: number | undefined; where: string },
): Init[] {
  const inits = entries.flatMap((entry): Init[] => {
    if (entry === 'ri' || entry === 'st' || entry === 'wt') return [entry];
    if (modules === undefined) throw new Error(`nobody counted the modules of ${model}`);
    if (entry === 'wt-st') {
      return Array.from({ length: modules + 1 }, (_, keep) => keepModules(keep, modules));
    }
    if (typeof entry === 'object') {
      return entry.wt_st.map((share) => keepModules(Math.round(share * modules), modules));
    }
    const keep = parseInit(entry).keep ?? 0;
    if (keep <= modules) return [keepModules(keep, modules)];
    throw new RequestError({
      where,
      expected: `wt-st-0 to wt-st-${modules}, the modules of ${model}`,
      got: entry,
      hint: 'wt-st for all of them, { wt_st: [0, 0.5, 1] } for shares of every model’s own number',
    });
  });
  return [...new Set(inits)];
}

/** Whether an override for `wanted` is for runs that start by `init`; `wt-st` is all WT-ST-n/m. */
export function matchesInit(wanted: Init | 'wt-st', init: Init): boolean {
  return wanted === init || (wanted === 'wt-st' && init.startsWith('wt-st-'));
}
