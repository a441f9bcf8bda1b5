/** Times tr (Σ₁ Σ₂)^½ of two covariances. Prints one JSON object: seconds, and the trace. */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { traceOfRootProduct } from '../../src/analysis/index.ts';
import { setThreadCount } from '../../src/tensor/index.ts';

const { values: flags } = parseArgs({
  options: {
    width: { type: 'string', default: '2048' },
    threads: { type: 'string', default: '2' },
    /** Two covariances as float64, one after the other, so that both programs have the same. */
    file: { type: 'string' },
  },
});
setThreadCount(Number(flags.threads));
const width = Number(flags.width);
const bytes = readFileSync(flags.file ?? '');
const both = new Float64Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 8);
const [first, second] = [both.slice(0, width * width), both.slice(width * width)];
const start = performance.now();
const trace = traceOfRootProduct(first, second, width);
process.stdout.write(`${JSON.stringify({ seconds: (performance.now() - start) / 1000, trace })}\n`);
