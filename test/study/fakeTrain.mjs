// Stands in for `carryover train` in tests of scheduling: counts steps instead of training, and keeps
// run.json as the real one does (owner, heartbeat, stop at a step boundary, resume). What it is to do
// comes from the run's `data` entry: {kind: 'fake', steps, stepMs, fail: 'error' | 'once' | 'crash'}.
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';

const argument = (name) => process.argv[process.argv.indexOf(name) + 1];
const config = JSON.parse(readFileSync(argument('--config'), 'utf8'));
const folder = argument('--out');
const { steps = 5, stepMs = 5, fail } = config.data;
const recordPath = join(folder, 'run.json');
const journal = join(folder, 'journal.log');
mkdirSync(folder, { recursive: true });

function startOfProcess(pid) {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : `${boot}/${fields[19]}`;
  } catch {
    return undefined;
  }
}

const existing = existsSync(recordPath) ? JSON.parse(readFileSync(recordPath, 'utf8')) : undefined;
if (
  existing?.status === 'running' &&
  startOfProcess(existing.owner.pid) === existing.owner.processStart
) {
  process.stderr.write(`error: ${folder}: expected no other process, got ${existing.owner.pid}\n`);
  process.exit(1);
}
if (existing?.status === 'finished') {
  appendFileSync(journal, `repeated ${process.pid}\n`);
  process.exit(0);
}
let iteration = existing?.progress.iteration ?? 0;
const sessions = (existing?.sessions ?? 0) + 1;

function write(status, more = {}) {
  const now = new Date().toISOString();
  const record = {
    format: 1,
    runId: folder.split('/').at(-1),
    status,
    ...(status === 'running'
      ? { owner: { pid: process.pid, host: hostname(), processStart: startOfProcess(process.pid) } }
      : {}),
    heartbeat: now,
    startedAt: existing?.startedAt ?? now,
    sessions,
    progress: { iteration, maxIterations: steps },
    config,
    versions: { carryover: 'fake' },
    warnings: [],
    ...more,
  };
  const temporary = `${recordPath}.${process.pid}`;
  writeFileSync(temporary, JSON.stringify(record));
  renameSync(temporary, recordPath);
}

let stop = false;
process.on('SIGTERM', () => {
  stop = true;
});
if (process.channel) {
  process.on('disconnect', () => {
    stop = true;
  });
  process.channel.unref();
}

const gpu = process.env.CUDA_VISIBLE_DEVICES ?? '';
appendFileSync(journal, `start ${process.pid} ${iteration} ${gpu}\n`);
write('running');
while (iteration < steps) {
  await new Promise((resolve) => setTimeout(resolve, stepMs));
  if (stop) {
    write('stopped');
    appendFileSync(journal, `stop ${process.pid} ${iteration}\n`);
    process.exit(1);
  }
  iteration += 1;
  appendFileSync(journal, `step ${process.pid} ${iteration}\n`);
  write('running');
  if (iteration === 2 && (fail === 'error' || (fail === 'once' && sessions === 1))) {
    write('failed', { error: { message: 'step 2: expected a number, got NaN', exitCode: 1 } });
    process.stderr.write('error: step 2: expected a number, got NaN\n');
    process.exit(1);
  }
  if (iteration === 2 && fail === 'crash') process.kill(process.pid, 'SIGKILL');
}
const evaluation = {
  metric: 'recall',
  primary: { value: 0.5 + config.seed / 100 },
  loss: 1,
  samples: 10,
  metrics: {},
  perClass: {},
};
// The smallest .safetensors file.
const header = Buffer.from('{}      ');
const length = Buffer.alloc(8);
length.writeBigUInt64LE(BigInt(header.length));
writeFileSync(join(folder, 'best.safetensors'), Buffer.concat([length, header]));
write('finished', {
  finishedAt: new Date().toISOString(),
  result: {
    ended: 'plateau',
    iterations: steps,
    epochs: 1,
    iterationsToBest: steps - 1,
    validation: evaluation,
    test: evaluation,
    imagesPerSecond: 100,
    trainingSeconds: 1,
    wallSeconds: 1,
    peakMemoryBytes: 1,
  },
});
appendFileSync(journal, `finish ${process.pid} ${iteration}\n`);
