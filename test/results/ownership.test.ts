/** Whether the process that a record names still works on the run: reuse, other machines, suspension. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { hostname, uptime } from 'node:os';
import { describe, expect, it } from 'vitest';
import { HEARTBEAT_LIMIT_SECONDS, isAlive, thisProcess } from '../../src/results/index.ts';

const own = thisProcess();
const [boot, start] = (own.processStart ?? '').split('/');
const onLinux = boot !== '' && start !== undefined;

const at = (time: number): string => new Date(time).toISOString();
const secondsAgo = (seconds: number): string => at(Date.now() - seconds * 1000);

function alive(owner: Partial<typeof own>, heartbeat: string, now?: number): boolean {
  return isAlive({ status: 'running', owner: { ...own, ...owner }, heartbeat }, now);
}

describe('a process on this machine', () => {
  it.runIf(onLinux)('lives however old its heartbeat is: the machine was suspended', () => {
    expect(alive({}, secondsAgo(100 * 3600))).toBe(true);
  });

  it.runIf(onLinux)('lives while it is stopped, and no longer once it is killed', async () => {
    const child = spawn('sleep', ['60']);
    const { pid = 0 } = child;
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    const processStart = `${boot}/${fields[19]}`;
    child.kill('SIGSTOP');
    expect(alive({ pid, processStart }, secondsAgo(3600))).toBe(true);
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
    expect(alive({ pid, processStart }, secondsAgo(0))).toBe(false);
  });

  it.runIf(onLinux)('is not another one that got its number', () => {
    expect(alive({ processStart: `${boot}/${Number(start) - 1}` }, secondsAgo(0))).toBe(false);
  });

  it('is asked for a heartbeat too where its start is not known', () => {
    expect(alive({ processStart: undefined }, secondsAgo(1))).toBe(true);
    expect(alive({ processStart: undefined }, secondsAgo(HEARTBEAT_LIMIT_SECONDS + 1))).toBe(false);
  });

  it.runIf(onLinux)('does not outlive a restart of the machine', () => {
    const started = Date.now() - uptime() * 1000;
    const before = { processStart: `another-boot/${start}` };
    expect(alive(before, at(started - 1000), started + 5000)).toBe(false);
  });
});

describe('a process elsewhere', () => {
  it('lives by its heartbeat', () => {
    const elsewhere = { host: 'another-machine.invalid' };
    expect(alive(elsewhere, secondsAgo(HEARTBEAT_LIMIT_SECONDS - 5))).toBe(true);
    expect(alive(elsewhere, secondsAgo(HEARTBEAT_LIMIT_SECONDS + 1))).toBe(false);
  });

  it.runIf(onLinux && uptime() > 60)('lives by it on a machine of the same name too', () => {
    const twin = { host: hostname(), pid: 2 ** 22 + 12345, processStart: `another-boot/${start}` };
    expect(alive(twin, secondsAgo(30))).toBe(true);
    expect(alive(twin, secondsAgo(HEARTBEAT_LIMIT_SECONDS + 1))).toBe(false);
  });
});

it('lives only while its record says running, and names it', () => {
  const heartbeat = secondsAgo(0);
  expect(isAlive({ status: 'stopped', owner: own, heartbeat })).toBe(false);
  expect(isAlive({ status: 'running', heartbeat })).toBe(false);
});
