/**
 * node --import tsx scripts/kill-study.ts [--kills 20] [--repeats 8] [--seed 0]
 * Runs a small study undisturbed, then again with its processes killed at random moments, and compares
 * every run's log and networks bit by bit. Ends with 1 where anything differs.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { killStudy } from '../test/study/killing.ts';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '20' },
    repeats: { type: 'string', default: '8' },
    seed: { type: 'string', default: '0' },
  },
});
const place = await mkdtemp(join(tmpdir(), 'carryover-kill-'));
try {
  const { kills, starts, identical, repeated, code, stderr } = await killStudy({
    place,
    kills: Number(values.kills),
    seeds: Number(values.repeats),
    seed: Number(values.seed),
    say: (line) => process.stderr.write(`${line}\n`),
  });
  const same = [...identical.values()].filter(Boolean).length;
  process.stdout.write(
    `${kills.runner} kills of runners, ${kills.run} of runs, ${starts} runners started; ` +
      `${same} of ${identical.size} runs bit-identical, ${repeated.length} finished more than once\n`,
  );
  if (code !== 0) process.stderr.write(stderr);
  process.exitCode = code === 0 && same === identical.size && repeated.length === 0 ? 0 : 1;
} finally {
  await rm(place, { recursive: true, force: true });
}
