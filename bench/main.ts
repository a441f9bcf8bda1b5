/**
 * npm run bench -- [train|ops|features|loader|knn|cka|reinit|fid|startup|gpu] [--rounds 5] [--only resnet50-fp32] [--python /usr/bin/python3]
 * Runs paired benchmarks and writes bench/results/<machine>-<benchmark>.json and .md.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { libtorchVersion } from '../src/tensor/index.ts';
import type { Benchmark, Row } from './benchmark.ts';
import { cka } from './cka.ts';
import { features } from './features.ts';
import { fid } from './fid.ts';
import { gpu } from './gpu.ts';
import { knn } from './knn.ts';
import { loader } from './loader.ts';
import { operators } from './operators.ts';
import { describeMachine, type Spread } from './pairing.ts';
import { reinit } from './reinit.ts';
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

function show({ median, least, greatest }: Spread, digits: number): string {
  return `${median.toFixed(digits)} (${least.toFixed(digits)}–${greatest.toFixed(digits)})`;
}

function markdown(
  benchmark: Benchmark,
  rows: readonly Row[],
  facts: Record<string, unknown>,
): string {
  const lines = rows.map((row) => {
    const digits = row.unit.startsWith('ns') ? 0 : 2;
    const met = row.ratio.median >= row.target ? 'yes' : 'no';
    return `| ${row.name} | ${show(row.ours, digits)} | ${show(row.reference, digits)} | ${row.unit} | ${show(row.ratio, 2)} | ${row.target} | ${met} | ${row.notes ?? ''} |`;
  });
  const about = Object.entries(facts).map(([key, value]) => `- ${key}: ${String(value)}`);
  return [
    `# ${benchmark.summary}`,
    '',
    'Medians, with the least and the greatest over the rounds in brackets.',
    '',
    '| case | carryover | reference | unit | ratio | target | met | notes |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
    ...lines,
    '',
    ...about,
    '',
  ].join('\n');
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
  const rows = await benchmark.run(options);
  if (rows.length === 0) say(`${name}: no case has ${values.only ?? 'a name'} in its name`);
  if (rows.length === 0) continue;
  const { gpu, ...others } = benchmark.facts?.(options) ?? {};
  const facts = {
    ...describeMachine(),
    ...(gpu === undefined ? {} : { gpu }),
    ...others,
    libtorch: libtorchVersion(),
    date: new Date().toISOString().slice(0, 10),
    rounds: options.rounds,
    batch: options.batch,
    threads: options.threads,
  };
  const text = markdown(benchmark, rows, facts);
  process.stdout.write(`${text}\n`);
  if (values.write) {
    const folder = fileURLToPath(new URL('results/', import.meta.url));
    mkdirSync(folder, { recursive: true });
    const machine = `${facts.processor}-${facts.cores}-cores ${gpu ?? ''}`
      .trim()
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-');
    const base = `${folder}${machine}-${name}${options.only ? `-${options.only}` : ''}`;
    writeFileSync(`${base}.json`, `${JSON.stringify({ ...facts, rows }, null, 2)}\n`);
    writeFileSync(`${base}.md`, text);
  }
}
