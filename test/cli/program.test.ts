import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { formatTable, Output } from '../../src/cli/output.ts';
import { createProgram } from '../../src/cli/program.ts';
import { runCaught } from './caught.ts';

function descendants(command: Command): Command[] {
  return [command, ...command.commands.flatMap(descendants)];
}

describe('the command line program', () => {
  it('prints help and version with code 0', async () => {
    const help = await runCaught('--help');
    expect(help.code).toBe(0);
    expect(help.stdout).toContain('Usage: carryover');
    expect(help.stderr).toBe('');
    const version = await runCaught('--version');
    expect(version.code).toBe(0);
    expect(version.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it('has an example in the help of every command', async () => {
    for (const command of descendants(createProgram())) {
      const path: string[] = [];
      for (let at: Command | null = command; at?.parent; at = at.parent) path.unshift(at.name());
      const { code, stdout } = await runCaught(...path, '--help');
      expect(code, path.join(' ')).toBe(0);
      expect(stdout, path.join(' ')).toMatch(/Examples?:\n {2}\$ carryover/);
    }
  });

  it('names the nearest commands and options, on one line, with code 2', async () => {
    const command = await runCaught('studdy');
    expect(command.code).toBe(2);
    expect(command.stderr).toMatch(
      /^error: carryover: expected one of the commands .*, got "studdy" \(did you mean study\? .*\)\n$/,
    );
    const option = await runCaught('--jsno');
    expect(option.code).toBe(2);
    expect(option.stderr).toMatch(
      /^error: carryover: expected a known option, got --jsno \(did you mean --json\? .*\)\n$/,
    );
    expect(option.stdout).toBe('');
  });

  it('prints one JSON document for an error under --json', async () => {
    const { code, stdout, stderr } = await runCaught('studdy', '--json');
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ error: { exitCode: 2, where: 'carryover' } });
    expect(stderr).toMatch(/^error: /);
  });

  it('shows a stack only with --debug', async () => {
    expect((await runCaught('studdy')).stderr).not.toContain('    at ');
    expect((await runCaught('studdy', '--debug')).stderr).toContain('    at ');
  });

  it('prints help on stderr and code 2 for a group without a command', async () => {
    const { code, stdout, stderr } = await runCaught();
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain('Usage: carryover');
  });
});

describe('carryover study', () => {
  it('says what is wrong with its options and arguments', async () => {
    const parallel = await runCaught('study', 'run', 'study.yaml', '--parallel', 'many');
    expect(parallel.code).toBe(2);
    expect(parallel.stderr).toBe(
      'error: --parallel: expected a whole number of at least 1, got "many"\n',
    );
    const missing = await runCaught('study', 'run');
    expect(missing.code).toBe(2);
    expect(missing.stderr).toMatch(/^error: carryover study run: expected <study>, got nothing/);
    const unknown = await runCaught('study', 'rum', 'study.yaml');
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toMatch(/got "rum" \(did you mean run\?/);
  });

  it('says where a study that was not begun would be', async () => {
    const { code, stdout, stderr } = await runCaught('study', 'status', '/no/such.yaml', '--json');
    expect(code).toBe(2);
    expect(stderr).toBe(
      'error: /no/such.yaml: expected a study file, or the folder of a study, got neither\n',
    );
    expect(JSON.parse(stdout)).toHaveProperty('error.exitCode', 2);
    const begun = await runCaught('study', 'report', 'study.yaml', '--out', '/no/such/folder');
    expect(begun.stderr).toMatch(/expected the folder of a study that was begun, got no plan.json/);
  });
});

describe('LibTorch', () => {
  it.each([
    { args: ['--help'], loaded: false },
    { args: ['study', 'run', '--help'], loaded: false },
    { args: ['models', '--help'], loaded: false },
    { args: ['study', 'status', '/no/such/study', '--out', '/no/such/study'], loaded: false },
    // The other way round, so that the test is seen to notice.
    { args: ['doctor', '--json'], loaded: true },
  ])('is loaded by $args: $loaded', ({ args, loaded }) => {
    const script = fileURLToPath(new URL('loaded.ts', import.meta.url));
    const { stderr } = spawnSync(process.execPath, ['--import', 'tsx', script, ...args], {
      encoding: 'utf8',
    });
    expect(stderr).toMatch(new RegExp(`LOADED \\d ${loaded}\n`));
  });
});

describe('Output', () => {
  it('keeps stdout for the one document under --json', () => {
    let stdout = '';
    let stderr = '';
    const output = new Output({
      json: true,
      stdout: { write: (text: string) => (stdout += text) },
      stderr: { write: (text: string) => (stderr += text) },
    });
    output.line('for people');
    output.document({ answer: 42 });
    expect(JSON.parse(stdout)).toEqual({ answer: 42 });
    expect(stderr).toBe('for people\n');
    expect(() => output.document({})).toThrow(/second JSON document/);
  });

  it('aligns tables, numbers to the right', () => {
    expect(
      formatTable({
        columns: ['model', 'n'],
        rows: [
          ['resnet18', 5],
          ['deit', 1200],
        ],
      }),
    ).toEqual(['model        n', '--------  ----', 'resnet18     5', 'deit      1200']);
  });
});
