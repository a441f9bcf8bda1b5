/**
 * The data path against torchvision and PyTorch's DataLoader: 1,000 JPEG files of 1024 px, resized to
 * 256, random crops of 224, batches of 64. Cold: nothing is known of the files but their folder. Warm:
 * a second epoch. Feed: a consumer as fast as a GPU. Memory: an epoch of 100,000 small samples, and of
 * 10,000 large ones.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Benchmark, BenchmarkOptions, Row } from './benchmark.ts';
import { writeJpegSet } from './jpegSet.ts';
import { alternate, type Program, runProgram, spreadOf } from './pairing.ts';

interface Measured {
  coldSeconds: number;
  warmSeconds: number;
  images: number;
  version: string;
}

interface Fed {
  /** Images a second that the consumer got. */
  rate: number;
  /** Part of the time that it waited for images. */
  waiting: number;
}

interface Memory {
  samples: number;
  /** Resident bytes after a tenth of the epoch, and the most that came later. */
  early: number;
  peak: number;
}

const images = 1000;
const side = 1024;
const batch = 64;
/** Images a second that the consumer takes at most: a ResNet-50 on a large GPU. */
const wanted = 2000;

const child = fileURLToPath(new URL('children/loader.ts', import.meta.url));
const reference = fileURLToPath(new URL('../scripts/reference/loader.py', import.meta.url));

export const loader: Benchmark = {
  name: 'loader',
  summary: `data path: ${images} JPEG files of ${side} px, against torchvision, PIL and DataLoader`,
  async *run(options) {
    const folder = join(tmpdir(), `carryover-bench-jpeg${side}`);
    await writeJpegSet(folder, { count: images, side, say: options.say });
    const scratch = mkdtempSync(join(tmpdir(), 'carryover-bench-'));
    try {
      const isChosen = (name: string): boolean => !options.only || name.includes(options.only);
      if (isChosen('epochs')) yield* await epochs(folder, scratch, options);
      if (isChosen('feed')) yield await feed(folder, scratch, options);
      if (isChosen('memory')) {
        yield await memory(scratch, 100_000, 64, options);
        yield await memory(scratch, 10_000, 256, options);
      }
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  },
};

function ours(
  mode: 'epochs' | 'feed' | 'memory',
  folder: string,
  cache: string,
  { threads }: BenchmarkOptions,
): Program {
  const settings = ['--workers', String(threads), '--batch', String(batch), '--cache', cache];
  return {
    name: 'carryover',
    command: process.execPath,
    arguments: ['--import', 'tsx', child, mode, '--data', folder, ...settings],
  };
}

async function epochs(folder: string, scratch: string, options: BenchmarkOptions): Promise<Row[]> {
  const shared = ['--data', folder, '--workers', String(options.threads), '--batch', String(batch)];
  const theirs = {
    name: 'torchvision',
    command: options.python,
    arguments: [reference, ...shared],
  };
  // The child empties its cache folder before it starts, so that every round is cold.
  const program = ours('epochs', folder, join(scratch, 'epochs'), options);
  const results = await alternate<Measured>(program, theirs, options.rounds, (round) =>
    options.say(`loader: round ${round + 1} of ${options.rounds}`),
  );
  const row = (name: string, key: 'coldSeconds' | 'warmSeconds', target: number): Row => {
    const rates = (list: Measured[]) => list.map((measured) => measured.images / measured[key]);
    const [left, right] = [rates(results.ours), rates(results.reference)];
    return {
      name,
      unit: 'images/s',
      ours: spreadOf(left),
      reference: spreadOf(right),
      ratio: spreadOf(left.map((rate, round) => rate / (right[round] ?? Number.NaN))),
      target,
      notes: `${options.threads} workers; PyTorch ${results.reference[0]?.version ?? ''}`,
    };
  };
  return [row('cold pass', 'coldSeconds', 1.3), row('warm epoch', 'warmSeconds', 15)];
}

/** Against the consumer's own pace, not against PyTorch. */
async function feed(folder: string, scratch: string, options: BenchmarkOptions): Promise<Row> {
  const program = ours('feed', folder, join(scratch, 'feed'), options);
  const results: Fed[] = [];
  for (let round = 0; round < options.rounds; round++) {
    results.push(
      await runProgram<Fed>({
        ...program,
        arguments: [...program.arguments, '--rate', String(wanted)],
      }),
    );
    options.say(`loader feed: round ${round + 1} of ${options.rounds}`);
  }
  const rates = results.map(({ rate }) => rate);
  const waits = spreadOf(results.map(({ waiting }) => 100 * waiting));
  return {
    name: `feed of a consumer of ${wanted} images/s`,
    unit: 'images/s',
    ours: spreadOf(rates),
    reference: spreadOf([wanted]),
    ratio: spreadOf(rates.map((rate) => rate / wanted)),
    target: 1,
    notes: `reference: the rate asked for; the consumer waits ${waits.median.toFixed(0)} % of the time`,
  };
}

/** How much memory an epoch needs late, against early. */
async function memory(
  scratch: string,
  count: number,
  resize: number,
  options: BenchmarkOptions,
): Promise<Row> {
  const folder = join(scratch, 'small');
  mkdirSync(folder, { recursive: true });
  const program = ours('memory', folder, join(scratch, `memory${resize}`), options);
  const size = ['--samples', String(count), '--resize', String(resize)];
  const { samples, early, peak } = await runProgram<Memory>({
    ...program,
    arguments: [...program.arguments, ...size],
  });
  rmSync(join(scratch, `memory${resize}`), { recursive: true, force: true });
  options.say(`loader memory at ${resize} px: done`);
  const mebibytes = (bytes: number) => spreadOf([bytes / 2 ** 20]);
  return {
    name: `memory over ${samples} samples of ${resize} px`,
    unit: 'MiB',
    ours: mebibytes(peak),
    reference: mebibytes(early),
    ratio: spreadOf([early / peak]),
    target: 0.9,
    notes:
      'reference: the most that is resident in the first tenth of the epoch; ratio: that over the most in the rest',
  };
}
