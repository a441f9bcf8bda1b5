/** The initialisation of one run as users may write it, beside the words that the schema knows. */
import { keepModules } from '../results/index.ts';
import { countModules } from '../transfer/index.ts';
import { RequestError } from '../util/index.ts';

/**
 * A configuration whose `init` is a share of the model's modules, `{ wt_st: 0.5 }`, with the number of
 * modules in its place. Everything else is left for the schema to judge.
 * @throws RequestError for what is a sweep of several runs, and for a number that is no share.
 */
export function withInit(raw: unknown, where: string): unknown {
  if (typeof raw !== 'object' || raw === null || !('init' in raw)) return raw;
  const { init } = raw;
  if (init === 'wt-st') throw severalRuns(where, '"wt-st", every number of modules');
  if (typeof init !== 'object' || init === null || !('wt_st' in init)) return raw;
  const shares: unknown[] = [init.wt_st].flat();
  if (shares.length > 1) throw severalRuns(where, `${shares.length} shares`);
  const [share] = shares;
  if (typeof share !== 'number' || !(share >= 0 && share <= 1)) {
    throw new RequestError({
      where: `${where}: init.wt_st`,
      expected: 'a share of the modules from 0 to 1',
      got: JSON.stringify(share) ?? 'nothing',
    });
  }
  const model = 'model' in raw && typeof raw.model === 'string' ? raw.model : '';
  const modules = countModules(model);
  return { ...raw, init: keepModules(Math.round(share * modules), modules) };
}

function severalRuns(where: string, got: string): RequestError {
  return new RequestError({
    where: `${where}: init`,
    expected: 'the initialisation of one run, for example wt-st-2 or { wt_st: 0.5 }',
    got,
    hint: 'a study runs several: inits: [wt-st]',
  });
}
