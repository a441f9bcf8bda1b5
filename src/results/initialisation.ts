/** How a run's network starts, as users write it and as the paper calls it. */
import { z } from 'zod';

/** The first n modules keep their pretrained weights, the rest have statistics only: `wt-st-5`. */
type PartialTransfer = `wt-st-${number}`;

/** `wt-st-<n>`, n without leading zeros. */
export const partialTransferSchema = z
  .string()
  .regex(/^wt-st-(0|[1-9]\d{0,3})$/, 'wt-st-<n>')
  .transform((text) => text as PartialTransfer);

/** How the network starts (METHODS: initialisation). */
export const initSchema = z.union([z.enum(['wt', 'st', 'ri']), partialTransferSchema]);

export type Init = z.output<typeof initSchema>;

/** Scheme and number of kept modules; the number for `wt-st` alone. */
export function parseInit(init: Init): { scheme: 'wt' | 'st' | 'ri' | 'wt-st'; keep?: number } {
  if (init === 'wt' || init === 'st' || init === 'ri') return { scheme: init };
  return { scheme: 'wt-st', keep: Number(init.slice('wt-st-'.length)) };
}

/** n kept modules of a network of `modules`; none is `st` and all is `wt`, the same runs. */
export function keepModules(keep: number, modules: number): Init {
  if (keep === 0) return 'st';
  return keep === modules ? 'wt' : `wt-st-${keep}`;
}

/** What tables call it: `wt`, `st`, `ri`, and the paper's `WT-ST-n/m`, where m modules have statistics only. */
export function initTitle(init: Init, modules: number | undefined): string {
  const { keep } = parseInit(init);
  if (keep === undefined) return init;
  if (modules === undefined) throw new Error(`${init} of how many modules?`);
  return `WT-ST-${keep}/${modules - keep}`;
}

/** More than any number of modules. */
const AFTER_ALL = 1e6;

/** Where an initialisation stands in tables: ri, st, WT-ST-n/m in order of n, wt. */
export function initRank(title: string): number {
  const fixed: Record<string, number> = { ri: -2, st: -1, wt: AFTER_ALL };
  const kept = /^WT-ST-(\d+)\//.exec(title)?.[1];
  return fixed[title] ?? Number(kept ?? AFTER_ALL);
}
