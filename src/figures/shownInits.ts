/**
 * Which initialisations a figure by tap shows: RI, ST and WT, and of a sweep those nearest a quarter, a half
 * and three quarters of the modules kept, so that networks with different numbers of modules share a legend.
 */
import type { Axes } from '../results/index.ts';
import { listed } from '../util/index.ts';
import { initLabel, modelLabel } from './labels.ts';
import { fractionOf, initStyle, type SeriesStyle } from './styles.ts';

export interface ShownInit {
  /** `RI`, `ST`, `¼ WT`, `½ WT`, `¾ WT`, `WT`. */
  label: string;
  style: SeriesStyle;
  /** The initialisation of a model; absent for models without one so near. */
  inits: ReadonlyMap<string, string>;
}

interface Wanted {
  label: string;
  /** Whose look the series has. */
  look: string;
  fraction?: number;
}

const wanted: readonly Wanted[] = [
  { label: 'RI', look: 'ri' },
  { label: 'ST', look: 'st', fraction: 0 },
  { label: '¼ WT', look: 'WT-ST-1/3', fraction: 0.25 },
  { label: '½ WT', look: 'WT-ST-2/2', fraction: 0.5 },
  { label: '¾ WT', look: 'WT-ST-3/1', fraction: 0.75 },
  { label: 'WT', look: 'wt', fraction: 1 },
];

/** Further from the fraction than this, it would be called by a wrong name. */
const FURTHEST = 0.125 + 1e-9;

/** The initialisations shown of some models, those that any of them has. */
export function shownInits(axes: Axes, models: readonly string[]): ShownInit[] {
  return wanted
    .map(({ label, look, fraction }) => ({
      label,
      style: initStyle(look),
      inits: new Map(
        models.flatMap((model): [string, string][] => {
          const own = axes.initsOf?.[model] ?? axes.inits;
          const init = fraction === undefined ? own.find(isRandom) : nearest(own, fraction);
          return init === undefined ? [] : [[model, init]];
        }),
      ),
    }))
    .filter(({ inits }) => inits.size > 0);
}

const isRandom = (init: string): boolean => init === 'ri';

function nearest(inits: readonly string[], fraction: number): string | undefined {
  const isEnd = fraction === 0 || fraction === 1;
  return inits
    .flatMap((init) => {
      const own = fractionOf(init);
      if (own === undefined || isEnd !== (own === 0 || own === 1)) return [];
      const distance = Math.abs(own - fraction);
      return distance > (isEnd ? 0 : FURTHEST) ? [] : [{ init, own, distance }];
    })
    .sort((a, b) => a.distance - b.distance || b.own - a.own)
    .at(0)?.init;
}

/** Which WT-ST-n/m stands behind the quarters; nothing where only RI, ST and WT are shown. */
export function explainShown(shown: readonly ShownInit[], models: readonly string[]): string {
  const parts = shown
    .filter(({ label }) => label.endsWith(' WT'))
    .map(({ label, inits }) => {
      const named = models.flatMap((model) => {
        const init = inits.get(model);
        return init === undefined ? [] : [{ model, init: initLabel(init) }];
      });
      const byInit = [...new Set(named.map(({ init }) => init))].map((init) => {
        const of = named.filter((one) => one.init === init).map(({ model }) => modelLabel(model));
        return `${init} of ${listed(of)}`;
      });
      return `${label} is ${byInit.join(', ')}`;
    });
  if (parts.length === 0) return '';
  return `Of the sweep, the schemes nearest a quarter, a half and three quarters of the modules are shown: ${parts.join('; ')}.`;
}
