/**
 * Feeds damaged checkpoints to both readers, .safetensors and .pth, and fails at the first that crashes one,
 * hangs it, or is read wrongly; the tests run some hundred of the same cases.
 *
 *   node --import tsx scripts/fuzz-weights.ts [--cases 20000] [--seed N]
 *
 * Prints for each kind of file how many cases were refused and how many read, the slowest of them, and at
 * the end the seed, to run the same cases again, and the most memory that was in use.
 */
import { parseArgs } from 'node:util';
import { mutationProperties } from '../test/weights/mutations.ts';

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '20000' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
  },
});
const cases = Number(values.cases);
const seed = Number(values.seed);
if (!Number.isSafeInteger(cases) || cases < 1 || !Number.isSafeInteger(seed)) {
  process.stderr.write('error: --cases: expected positive whole numbers\n');
  process.exit(2);
}

const print = (line: string): void => void process.stdout.write(`${line}\n`);
const properties = await mutationProperties();
const before = process.resourceUsage().maxRSS;
const started = performance.now();
let total = 0;
let slowest = 0;
for (const { name, run } of properties) {
  const outcome = await run(Math.ceil(cases / properties.length), seed);
  total += outcome.cases;
  slowest = Math.max(slowest, outcome.slowest);
  const refused = outcome.cases - outcome.read;
  const longest = `slowest ${outcome.slowest.toFixed(0)} ms`;
  print(`${name}\n  ${outcome.cases} cases: ${refused} refused, ${outcome.read} read; ${longest}`);
}
const seconds = ((performance.now() - started) / 1000).toFixed(0);
const peak = process.resourceUsage().maxRSS;
const megabytes = (kilobytes: number): string => `${Math.round(kilobytes / 1024)} MB`;
print(
  `${total} cases in ${seconds} s, seed ${seed}: no crash, no hang, no wrong tensor; slowest ${slowest.toFixed(0)} ms, ` +
    `peak memory ${megabytes(peak)} (${megabytes(before)} before the first case)`,
);
