/**
 * node --import tsx scripts/cka-memory.ts [--model resnet50] [--images 256,512] [--batch 128]
 * The greatest resident memory of `carryover analyze cka` at 224 px over test splits of different sizes. It
 * must not grow with the split: what is measured over some hundreds of images then holds for any number.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { parseRunConfig, trainRun } from '../src/train/index.ts';
import { RandomStream } from '../src/util/index.ts';

const LEARNT = 16;
const SIDE = 256;

const { values: flags } = parseArgs({
  options: {
    model: { type: 'string', default: 'resnet50' },
    images: { type: 'string', default: '256,512' },
    batch: { type: 'string', default: '128' },
  },
});
const sizes = flags.images.split(',').map(Number);
const cli = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url));
const place = mkdtempSync(join(tmpdir(), 'carryover-cka-memory-'));
process.env.CARRYOVER_CACHE = join(place, 'cache');
try {
  await drawPictures(Math.max(...sizes) + 2 * LEARNT);
  for (const images of sizes) {
    const run = join(place, `run-${images}`);
    await trainRun(
      parseRunConfig(
        {
          data: { kind: 'csv', path: writeTable(images), splitColumn: 'split' },
          model: flags.model,
          init: 'ri',
          training: { size: 224, batchSize: 8, maxEpochs: 1, warmupIterations: 1, augment: false },
        },
        { where: 'cka-memory', base: place },
      ),
      run,
    );
    const { bytes, seconds } = await peakOf([
      'analyze',
      'cka',
      '--run',
      run,
      '--batch',
      flags.batch,
    ]);
    process.stdout.write(
      `${flags.model}, batch ${flags.batch}, ${images} test images: ${(bytes / 1e9).toFixed(2)} GB at most, ${seconds.toFixed(0)} s\n`,
    );
  }
} finally {
  rmSync(place, { recursive: true, force: true });
}

async function drawPictures(count: number): Promise<void> {
  mkdirSync(join(place, 'pictures'));
  const random = new RandomStream('cka-memory');
  for (let at = 0; at < count; at++) {
    const pixels = Uint8Array.from({ length: SIDE * SIDE * 3 }, () =>
      Math.floor(256 * random.next()),
    );
    await sharp(pixels, { raw: { width: SIDE, height: SIDE, channels: 3 } })
      .jpeg()
      .toFile(join(place, 'pictures', `${at}.jpg`));
  }
}

/** A table with so many test images, beside a few to train on and to choose by. */
function writeTable(images: number): string {
  const splitOf = (at: number): string =>
    at < LEARNT ? 'train' : at < 2 * LEARNT ? 'val' : 'test';
  const rows = Array.from(
    { length: images + 2 * LEARNT },
    (_, at) => `pictures/${at}.jpg,${at % 2 === 0 ? 'even' : 'odd'},${splitOf(at)}`,
  );
  const path = join(place, `table-${images}.csv`);
  writeFileSync(path, ['path,label,split', ...rows, ''].join('\n'));
  return path;
}

/** Runs the command line with its progress discarded. @throws Error where it fails. */
async function peakOf(args: readonly string[]): Promise<{ bytes: number; seconds: number }> {
  const start = performance.now();
  const child = spawn(process.execPath, ['--import', 'tsx', cli, ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  let bytes = 0;
  const timer = setInterval(() => {
    bytes = Math.max(bytes, highWaterMark(child.pid));
  }, 50);
  const code = await new Promise((done, fail) =>
    child.once('exit', done).once('error', fail),
  ).finally(() => clearInterval(timer));
  if (code !== 0) throw new Error(`carryover ${args.join(' ')} ended with ${String(code)}`);
  return { bytes, seconds: (performance.now() - start) / 1000 };
}

/** The kernel's own count of the greatest resident memory so far. */
function highWaterMark(process: number | undefined): number {
  try {
    const status = readFileSync(`/proc/${process}/status`, 'utf8');
    return 1024 * Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0);
  } catch {
    return 0;
  }
}
