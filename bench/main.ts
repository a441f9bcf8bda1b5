/**
 * npm run bench -- [train|ops|features|loader|knn|cka|reinit|fid|startup|gpu] [--rounds 5] [--only resnet50-fp32] [--python /usr/bin/python3]
 * Runs paired benchmarks and writes bench/results/<machine>.json and .md, row by row; rows of before stay.
 */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { libtorchVersion } from '../src/tensor/index.ts';
import type { Benchmark } from './benchmark.ts';
import { cka } from './cka.ts';
import { features } from './features.ts';
import { fid } from './fid.ts';
import { gpu } from './gpu.ts';
import { knn } from './knn.ts';
import { loader } from './loader.ts';
import { operators } from './operators.ts';
import { describeMachine } from './pairing.ts';
import { reinit } from './reinit.ts';
import { type MeasuredRow, openResults, section, tableLine } from './results.ts';
import { startup } from './startup.ts';
import { pythonHasTorch, train } from './train.ts';

/** A GPU is asked for by name. */
const onRequest: readonly Benchmark[] = [gpu];
const benchmarks: readonly Benchmark[] = [
  train,
  operators,
  features,
  loader,
  knn,
  cka,
  reinit,
  fid,
  startup,
];
const say = (line: string) => process.stderr.write(`${line}\n`);

const usage = `usage: npm run bench -- [NAME …] [--rounds 5] [--only PART OF A CASE'S NAME] [--batch 16] [--threads 2]
       [--device cuda] [--python /usr/bin/python3] [--no-write]

${[...benchmarks, ...onRequest].map(({ name, summary }) => `  ${name.padEnd(10)}${summary}`).join('\n')}

Without a name: all but those of a GPU. Results go to bench/results/.`;

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        rounds: { type: 'string', default: '5' },
        only: { type: 'string' },
        batch: { type: 'string', default: '16' },
        threads: { type: 'string', default: '2' },
        device: { type: 'string', default: 'cuda' },
        python: { type: 'string', default: '/usr/bin/python3' },
        write: { type: 'boolean', default: true },
        help: { type: 'boolean', default: false },
      },
      allowNegative: true,
    });
  } catch (error) {
    say(`error: bench: ${error instanceof Error ? error.message : String(error)}\n${usage}`);
    process.exit(2);
  }
}

const { values, positionals } = readArguments();
if (values.help) {
  process.stdout.write(`${usage}\n`);
  process.exit(0);
}

const chosen = positionals.length > 0 ? positionals : benchmarks.map(({ name }) => name);
for (const name of chosen) {
  const known = [...benchmarks, ...onRequest];
  const benchmark = known.find((candidate) => candidate.name === name);
  if (!benchmark) {
    say(`error: bench: expected ${known.map((b) => b.name).join(', ')}, got ${name}`);
    process.exit(2);
  }
  if (!(await pythonHasTorch(values.python))) {
    say(`error: bench: expected a Python with torch, got ${values.python} (name one by --python)`);
    process.exit(2);
  }
  const options = {
    python: values.python,
    rounds: Number(values.rounds),
    only: values.only,
    batch: Number(values.batch.split(',')[0]),
    batches: values.batch.split(',').map(Number),
    device: values.device,
    threads: Number(values.threads),
    say,
  };
  const { gpu, ...others } = benchmark.facts?.(options) ?? {};
  const { node, ...machine } = describeMachine();
  const results = openResults(
    fileURLToPath(new URL('results/', import.meta.url)),
    gpu === undefined ? machine : { ...machine, gpu },
  );
  const taken = {
    date: new Date().toISOString().slice(0, 10),
    node,
    libtorch: libtorchVersion(),
    ...others,
    rounds: options.rounds,
    batch: options.batch,
    threads: options.threads,
  };
  const rows: MeasuredRow[] = [];
  for await (const row of benchmark.run(options)) {
    const measured = { ...row, taken };
    rows.push(measured);
    say(tableLine(measured));
    if (values.write) await results.add(benchmark, measured);
  }
  if (rows.length === 0) say(`${name}: no case has ${values.only ?? 'a name'} in its name`);
  else process.stdout.write(`${section(benchmark.summary, rows)}\n`);
}
