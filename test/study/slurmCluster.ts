/** A Slurm of one node for tests: started by scripts/slurm/start.sh, in a folder that is removed again. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const script = (name: string): string =>
  fileURLToPath(new URL(`../../scripts/slurm/${name}`, import.meta.url));

/** Why there can be no cluster here; `undefined` where there can. */
export function whyNoCluster(): string | undefined {
  if (process.getuid?.() !== 0) return 'a test cluster needs root';
  const places = (process.env.PATH ?? '').split(':').concat('/usr/sbin', '/sbin');
  const missing = ['sbatch', 'squeue', 'slurmctld', 'slurmd', 'munged', 'runuser'].filter(
    (name) => !places.some((place) => existsSync(join(place, name))),
  );
  return missing.length === 0
    ? undefined
    : `there is no ${missing.join(', ')} (Debian: slurm-wlm and munge)`;
}

export class Cluster {
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;

  private constructor(folder: string) {
    this.folder = folder;
    this.env = { ...process.env, SLURM_CONF: join(folder, 'slurm.conf') };
  }

  static async start(): Promise<Cluster> {
    const cluster = new Cluster(await mkdtemp(join(tmpdir(), 'carryover-slurm-')));
    const port = 20_000 + (process.pid % 10_000) * 2;
    try {
      await run(script('start.sh'), [cluster.folder, String(port)]);
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    return cluster;
  }

  /** Ends the controller alone: jobs go on, and no command gets an answer. */
  async stopController(): Promise<void> {
    const pid = Number(readFileSync(join(this.folder, 'slurmctld.pid'), 'utf8'));
    process.kill(pid, 'SIGTERM');
    while (existsSync(`/proc/${pid}`)) await new Promise((done) => setTimeout(done, 50));
  }

  async startController(): Promise<void> {
    await run(script('controller.sh'), [this.folder]);
  }

  /** Runs one of Slurm's commands. @returns what it prints */
  async call(command: string, ...args: string[]): Promise<string> {
    return (await run(command, args, { env: this.env })).stdout.trim();
  }

  async stop(): Promise<void> {
    await run(script('stop.sh'), [this.folder]);
    await rm(this.folder, { recursive: true, force: true });
  }
}
