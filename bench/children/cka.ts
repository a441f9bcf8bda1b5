/**
 * Times CKA of all pairs of taps of two networks on one batch, features given: Gram matrices once a tap,
 * all pairs by one product. Prints one JSON object: seconds.
 */
import { parseArgs } from 'node:util';
import { gramMatrix, MinibatchCka, uCentre } from '../../src/analysis/index.ts';
import { ops, setThreadCount } from '../../src/tensor/index.ts';

const { values: flags } = parseArgs({
  options: {
    taps: { type: 'string', default: '25' },
    batch: { type: 'string', default: '128' },
    features: { type: 'string', default: '75648' },
    threads: { type: 'string', default: '2' },
  },
});
setThreadCount(Number(flags.threads));
const names = Array.from({ length: Number(flags.taps) }, (_, index) => `tap ${index}`);
const shape = [Number(flags.batch), Number(flags.features)];
// Every tap reads these two: how long it takes does not depend on the numbers.
const [left, right] = [ops.normal_(ops.zeros(shape)), ops.normal_(ops.zeros(shape))];
// As in a run of many batches: the first one is compiled.
for (let round = 0; round < 20; round++) uCentre(gramMatrix([ops.narrow(left, 1, 0, 8192)]));
const start = performance.now();
const cka = new MinibatchCka(names, names);
const lefts = names.map(() => uCentre(gramMatrix([left])));
const rights = names.map(() => uCentre(gramMatrix([right])));
cka.add(lefts, rights);
cka.result('ratio-of-means');
process.stdout.write(`${JSON.stringify({ seconds: (performance.now() - start) / 1000 })}\n`);
