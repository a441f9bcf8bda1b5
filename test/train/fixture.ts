/** Small pictures on disk, and runs over them, for the tests of training. */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { type RunConfig, runPaths } from '../../src/results/index.ts';
import { parseRunConfig, type RawConfig } from '../../src/train/index.ts';
import { RandomStream } from '../../src/util/index.ts';

/** A folder that is removed again, with a cache of its own. */
export class Workplace {
  readonly root = mkdtempSync(join(tmpdir(), 'carryover-train-'));
  readonly #cacheBefore = process.env.CARRYOVER_CACHE;

  constructor() {
    process.env.CARRYOVER_CACHE = join(this.root, 'cache');
  }

  path(...parts: string[]): string {
    return join(this.root, ...parts);
  }

  remove(): void {
    if (this.#cacheBefore === undefined) delete process.env.CARRYOVER_CACHE;
    else process.env.CARRYOVER_CACHE = this.#cacheBefore;
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** A picture of noise around a grey level, so that classes can be told apart and files differ. */
export async function writePicture(path: string, level: number, seed: string): Promise<void> {
  const size = 36;
  const random = new RandomStream(seed);
  const pixels = Uint8Array.from({ length: size * size * 3 }, () =>
    Math.max(0, Math.min(255, Math.round(level + 25 * random.normal()))),
  );
  await sharp(pixels, { raw: { width: size, height: size, channels: 3 } })
    .png()
    .toFile(path);
}

/** A folder per class with `count` pictures each. */
export async function writeClasses(
  root: string,
  classes: readonly string[],
  count: number,
): Promise<void> {
  for (const [index, name] of classes.entries()) {
    mkdirSync(join(root, name), { recursive: true });
    for (let picture = 0; picture < count; picture++) {
      const path = join(root, name, `${picture}.png`);
      await writePicture(path, 60 + (index * 140) / classes.length, `${name} ${picture}`);
    }
  }
}

/** Pictures with several labels each, in a CSV file with one column a label. */
export async function writeLabels(root: string, count: number): Promise<string> {
  mkdirSync(root, { recursive: true });
  const rows = ['path,oedema,fracture'];
  for (let picture = 0; picture < count; picture++) {
    const labels = [picture % 2, Math.floor(picture / 2) % 2];
    const level = 60 + 60 * (labels[0] ?? 0) + 30 * (labels[1] ?? 0);
    await writePicture(join(root, `${picture}.png`), level, `labels ${picture}`);
    rows.push([`${picture}.png`, ...labels].join(','));
  }
  const path = join(root, 'labels.csv');
  writeFileSync(path, `${rows.join('\n')}\n`);
  return path;
}

/** A short run in float32 on one thread, as tests that compare bits need it. */
export function shortRun(data: RawConfig, extra: RawConfig = {}): RunConfig {
  const { training, ...rest } = extra;
  return parseRunConfig(
    {
      data,
      model: 'resnet18_micro',
      init: 'ri',
      ...rest,
      training: {
        size: 32,
        batchSize: 8,
        maxEpochs: 3,
        warmupIterations: 4,
        logEvery: 2,
        precision: 'fp32',
        device: 'cpu',
        threads: 1,
        workers: 0,
        ...(typeof training === 'object' ? training : {}),
      },
    },
    { where: 'test' },
  );
}

/** The log, and hashes of the files that two equal runs have in common bit for bit. */
export function bitsOf(folder: string): Record<string, string> {
  const { log, initial, best, splits } = runPaths(folder);
  const hash = (path: string): string =>
    createHash('sha256').update(readFileSync(path)).digest('hex');
  return {
    log: readFileSync(log, 'utf8'),
    initial: hash(initial),
    best: hash(best),
    splits: hash(splits),
  };
}
