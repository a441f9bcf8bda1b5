/** `carryover weights fetch` and `list`: the official checkpoints, and which of them are here. */
import type { FetchedWeights, Verification } from '../../weights/index.ts';
import type { Output } from '../output.ts';
import { stopOnSignals } from '../signals.ts';

/** The heavy code, once it is needed. (TypeScript leaves `.ts` in an import() beside a `using`.) */
const loadWeights = () => import('../../weights/index.ts');
const loadModels = () => import('../../models/index.ts');

const MEGABYTE = 1e6;

const checks: Record<Verification, string> = {
  sha256: 'SHA-256 as its publisher states',
  prefix: 'SHA-256 starts as the official file name says',
  none: 'unverified: its publisher states no hash; this one was recorded',
};

/** Fetches the checkpoint of that name, unless it is here, and checks it. */
export async function fetchOne(
  name: string,
  mirror: string | undefined,
  output: Output,
): Promise<void> {
  const { fetchWeights, findSource, sourceName } = await loadWeights();
  const { modelIds } = await loadModels();
  const source = findSource(name, modelIds());
  const label = sourceName(source);
  using stop = stopOnSignals();
  const started = performance.now();
  let first: number | undefined;
  const progress = output.progress(`${label} (MB)`);
  const fetched = await fetchWeights(source, {
    mirror: mirror ?? process.env.CARRYOVER_WEIGHTS_MIRROR,
    signal: stop.signal,
    onWait: () => output.note(`${label}: another process is fetching it; waiting`),
    onProgress: (done, total) => {
      first ??= done;
      const seconds = (performance.now() - started) / 1000;
      const rate = (done - first) / MEGABYTE / Math.max(seconds, 0.001);
      progress.update({
        done: roundTo(done / MEGABYTE),
        total: roundTo((total ?? 0) / MEGABYTE),
        text: `${rate.toFixed(1)} MB/s`,
      });
    },
  });
  progress.end();
  for (const warning of fetched.warnings) output.warn(warning);
  showFetched(label, fetched, output);
  output.document(fetched);
}

const roundTo = (value: number): number => Math.round(value * 10) / 10;

function showFetched(label: string, fetched: FetchedWeights, output: Output): void {
  const { path, bytes, present, sha256, verified, origin } = fetched;
  output.line(`${label}: ${path}`);
  output.line(present ? 'it was there already' : `fetched from ${origin}`);
  output.line(`${bytes.toLocaleString('en')} bytes, SHA-256 ${sha256}`);
  output.line(checks[verified]);
}

/** Lists the published checkpoints that can be fetched, and which are here. */
export async function listPublished(output: Output): Promise<void> {
  const { hashPrefix, listCachedWeights, sourceFile, sourceName, weightsFolder } =
    await loadWeights();
  const folder = weightsFolder();
  const cached = await listCachedWeights(folder);
  output.table({
    columns: ['name', 'publisher', 'file', 'here', 'checked'],
    rows: cached.map(({ source, bytes, record }) => [
      sourceName(source),
      source.publisher,
      sourceFile(source),
      bytes === undefined ? 'no' : `${roundTo(bytes / MEGABYTE)} MB`,
      bytes === undefined ? undefined : (record?.verified ?? 'not yet'),
    ]),
  });
  output.line();
  output.line(`folder: ${folder}`);
  output.document({
    folder,
    weights: cached.map(({ source, path, bytes, record }) => ({
      name: sourceName(source),
      ...source,
      hashPrefix: hashPrefix(source),
      path,
      present: bytes !== undefined,
      record: record ?? null,
    })),
  });
}
