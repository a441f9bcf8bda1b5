/**
 * Reads the hostile files that are named, or all, in this process alone and prints one JSON object for each:
 * the error, the milliseconds that reading took, the most memory in use so far and before. Run by
 * hostile.test.ts.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readWeights } from '../../src/weights/index.ts';
import { hostileFiles } from './hostileFiles.ts';

const folder = mkdtempSync(join(tmpdir(), 'carryover-hostile-'));
try {
  for (const [name, make] of Object.entries(hostileFiles)) {
    const { bytes, suffix } = make();
    const path = join(folder, `file${suffix}`);
    writeFileSync(path, bytes);
    const before = process.resourceUsage().maxRSS;
    // What other work on the machine takes does not count.
    const started = process.cpuUsage();
    const error = await readWeights(path).then(
      () => 'none',
      (reason: unknown) => String(reason),
    );
    const { user, system } = process.cpuUsage(started);
    const megabytes = process.resourceUsage().maxRSS / 1024;
    const result = {
      name,
      error,
      seconds: (user + system) / 1e6,
      megabytes,
      before: before / 1024,
    };
    process.stdout.write(`${JSON.stringify(result)}\n`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
