/** Paired measurements: the two programs take turns, so that a machine whose speed drifts is fair to both. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { processor } from '../src/tensor/index.ts';
import { median } from '../src/util/index.ts';

const execute = promisify(execFile);

export interface Program {
  name: string;
  command: string;
  arguments: string[];
  environment?: Record<string, string>;
}

/** What one process of a program printed, as the JSON of its last line. */
export async function runProgram<T>(program: Program): Promise<T> {
  const { stdout } = await execute(program.command, program.arguments, {
    env: { ...process.env, ...program.environment },
    maxBuffer: 1 << 26,
  });
  const last = stdout.trim().split('\n').at(-1) ?? '';
  return JSON.parse(last);
}

/** Runs `ours` and `reference` in turn, `rounds` times each; who goes first alternates. */
export async function alternate<T>(
  ours: Program,
  reference: Program,
  rounds: number,
  onRound: (round: number) => void = () => {},
): Promise<{ ours: T[]; reference: T[] }> {
  const results: { ours: T[]; reference: T[] } = { ours: [], reference: [] };
  for (let round = 0; round < rounds; round++) {
    const order = [
      { program: ours, into: results.ours },
      { program: reference, into: results.reference },
    ];
    if (round % 2 === 1) order.reverse();
    for (const { program, into } of order) into.push(await runProgram<T>(program));
    onRound(round);
  }
  return results;
}

/** Images a second of the training steps of `carryover train` into the folder `out`. */
export async function trainingSpeed(program: Omit<Program, 'name'>, out: string): Promise<number> {
  const { command, arguments: given, environment } = program;
  await execute(command, given, { env: { ...process.env, ...environment }, maxBuffer: 1 << 26 });
  const record: { result?: { imagesPerSecond?: number } } = JSON.parse(
    readFileSync(join(out, 'run.json'), 'utf8'),
  );
  const speed = record.result?.imagesPerSecond;
  if (speed === undefined) throw new Error(`no result in ${out}`);
  return speed;
}

/** Median, least and greatest of some measurements. */
export interface Spread {
  median: number;
  least: number;
  greatest: number;
}

export function spreadOf(values: readonly number[]): Spread {
  return { median: median(values), least: Math.min(...values), greatest: Math.max(...values) };
}

/** The machine, as far as it matters to a timing. */
export interface Machine {
  processor: string;
  /** Linux's family and model of the processor, which its name may leave open. */
  family?: string;
  cores: number;
  memoryGiB: number;
  node: string;
  platform: string;
}

export function describeMachine(): Machine {
  const { family, model } = processor();
  return {
    processor: cpus()[0]?.model ?? 'unknown',
    ...(family === undefined ? {} : { family: `${family}, model ${model ?? 'unknown'}` }),
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
  };
}
