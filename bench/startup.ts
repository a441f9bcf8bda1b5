/** How long commands take that do no work, against what a person does not notice; and what the live display costs. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeSynthetic } from '../src/data/index.ts';
import type { Benchmark, BenchmarkOptions, Row } from './benchmark.ts';
import { runProgram, spreadOf, trainingSpeed } from './pairing.ts';

const command = fileURLToPath(new URL('../bin/carryover.mjs', import.meta.url));

/** Milliseconds within which a command answers. */
const limits = [
  { arguments: ['--help'], limit: 150 },
  { arguments: ['study', '--help'], limit: 150 },
] as const;

/** Starts of each command in one round, of which the median counts. */
const STARTS = 7;

export const startup: Benchmark = {
  name: 'startup',
  summary: 'start of the command line, and the cost of the live display',
  async *run(options) {
    for (const { arguments: given, limit } of limits) {
      const name = given.join(' ');
      if (options.only && !name.includes(options.only)) continue;
      const measured: number[] = [];
      for (let round = 0; round < options.rounds * STARTS; round++) {
        measured.push(await millisecondsOf([...given]));
      }
      options.say(`startup ${name}`);
      yield {
        name: `carryover ${name}`,
        unit: 'ms',
        ours: spreadOf(measured),
        reference: spreadOf([limit]),
        ratio: spreadOf(measured.map((milliseconds) => limit / milliseconds)),
        target: 1,
        notes: 'the reference is the limit',
      };
    }
    if (!options.only || 'libtorch'.includes(options.only)) yield await libtorchStart(options);
    if (!options.only || 'display'.includes(options.only)) yield await displayCost(options);
  },
};

function millisecondsOf(given: string[]): Promise<number> {
  const program = [process.execPath, command].map((part) => JSON.stringify(part)).join(' ');
  return timed(`${program} ${given.join(' ')}`);
}

async function timed(line: string): Promise<number> {
  const start = performance.now();
  const quiet = `${line} >/dev/null 2>&1 && echo 0`;
  await runProgram({ name: line, command: 'sh', arguments: ['-c', quiet] });
  return performance.now() - start;
}

/** A command that builds every network to count its parameters, against the start of PyTorch alone. */
async function libtorchStart({ rounds, python, say }: BenchmarkOptions): Promise<Row> {
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round < rounds * STARTS; round++) {
    ours.push(await millisecondsOf(['models']));
    theirs.push(await timed(`${JSON.stringify(python)} -c 'import torch, torchvision'`));
  }
  say('startup models');
  return {
    name: 'carryover models; Python’s import of torch and torchvision',
    unit: 'ms',
    ours: spreadOf(ours),
    reference: spreadOf(theirs),
    ratio: spreadOf(
      ours.map((milliseconds, round) => (theirs[round] ?? milliseconds) / milliseconds),
    ),
    target: 1,
  };
}

/** Training speed of a run with its progress bar on a terminal, and of the same run without a terminal. */
async function displayCost({ rounds, say }: BenchmarkOptions): Promise<Row> {
  const folder = mkdtempSync(join(tmpdir(), 'carryover-display-'));
  try {
    const data = join(folder, 'data');
    await writeSynthetic('patterns', data, { seed: 0, size: 64, perClass: 60 });
    const speeds: { on: number[]; off: number[] } = { on: [], off: [] };
    for (let round = 0; round < rounds; round++) {
      for (const mode of round % 2 === 0 ? (['on', 'off'] as const) : (['off', 'on'] as const)) {
        speeds[mode].push(await speedOfRun(data, join(folder, `${mode}-${round}`), mode));
      }
      say(`startup display: round ${round + 1} of ${rounds}`);
    }
    return {
      name: 'training with the live display; the reference without a terminal',
      unit: 'images/s',
      ours: spreadOf(speeds.on),
      reference: spreadOf(speeds.off),
      ratio: spreadOf(speeds.on.map((speed, round) => speed / (speeds.off[round] ?? speed))),
      target: 0.97,
      notes: 'resnet18_micro, 64 px, batch 16: the smallest steps that there are',
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function speedOfRun(data: string, out: string, mode: 'on' | 'off'): Promise<number> {
  const settings = ['maxIterations=150', 'batchSize=16', 'warmupIterations=10', 'threads=1'];
  const parts = [process.execPath, command, 'train', '--data', `folder:${data}`, '--out', out];
  const rest = ['--model', 'resnet18_micro', '--init', 'ri'];
  const line = [...parts, ...rest, ...settings.flatMap((one) => ['--set', `training.${one}`])].join(
    ' ',
  );
  // script gives the command a terminal, and its exit code.
  const given = mode === 'on' ? `script -qec ${JSON.stringify(line)} /dev/null` : line;
  return trainingSpeed({ command: 'sh', arguments: ['-c', `${given} >/dev/null 2>&1`] }, out);
}
