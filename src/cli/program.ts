/**
 * The command line program: its commands, how it reports errors, and its exit code. Nothing here
 * loads LibTorch: every command's action imports what it needs when it runs.
 */
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { CarryoverError, nearestNames, RequestError } from '../util/index.ts';
import { registerAnalyze } from './commands/analyze.ts';
import { registerData } from './commands/data.ts';
import { registerDemo } from './commands/demo.ts';
import { registerDoctor } from './commands/doctor.ts';
import { registerFeatures } from './commands/features.ts';
import { registerModels } from './commands/models.ts';
import { registerPredict } from './commands/predict.ts';
import { registerStudy } from './commands/study/index.ts';
import { registerTrain } from './commands/train.ts';
import { registerWeights } from './commands/weights.ts';
import { Output, setOutput } from './output.ts';
import type { TextStream } from './progress.ts';

/** The version in package.json, two folders up from sources and from the build alike. */
function packageVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const parsed: unknown = JSON.parse(text);
  const version =
    typeof parsed === 'object' && parsed !== null && 'version' in parsed ? parsed.version : '';
  return String(version);
}

/** A command that has `--json` and `--debug`, and whose errors are this project's own. */
class CarryoverCommand extends Command {
  constructor(name?: string) {
    super(name);
    this.option('--json', 'print one JSON document on stdout, everything else on stderr');
    this.option('--debug', 'print the stack of an error');
    this.showSuggestionAfterError(false);
    this.#translateErrors();
  }

  override createCommand(name?: string): Command {
    return new CarryoverCommand(name);
  }

  override copyInheritedSettings(source: Command): this {
    super.copyInheritedSettings(source);
    this.#translateErrors();
    return this;
  }

  #translateErrors(): void {
    this.exitOverride((error) => {
      throw translateError(error, this);
    });
  }
}

/** The command as a user types it, for example `carryover study plan`. */
function commandPath(command: Command): string {
  return command.parent ? `${commandPath(command.parent)} ${command.name()}` : command.name();
}

/** The long options that `command` takes, its parents' included. */
function optionNames(command: Command): string[] {
  const own = command.createHelp().visibleOptions(command);
  const names = own.flatMap((option) => (option.long ? [option.long] : []));
  return command.parent ? [...new Set([...names, ...optionNames(command.parent)])] : names;
}

function suggestion(name: string, valid: string[], command: Command): string {
  const near = nearestNames(name, valid);
  const help = `see ${commandPath(command)} --help`;
  return near.length > 0 ? `did you mean ${near.join(', ')}? ${help}` : help;
}

/** A parser's error as one of ours; help and version requests pass through. */
function translateError(error: CommanderError, command: Command): Error {
  const where = commandPath(command);
  const help = `see ${where} --help`;
  const quoted = /'([^']*)'/.exec(error.message)?.[1] ?? '';
  const subcommands = command.commands.map((child) => child.name());
  switch (error.code) {
    case 'commander.unknownOption':
      return new RequestError({
        where,
        expected: 'a known option',
        got: quoted,
        hint: suggestion(quoted, optionNames(command), command),
      });
    case 'commander.unknownCommand':
      return new RequestError({
        where,
        expected: `one of the commands ${subcommands.join(', ')}`,
        got: `"${quoted}"`,
        hint: suggestion(quoted, subcommands, command),
      });
    case 'commander.missingArgument':
      return new RequestError({ where, expected: `<${quoted}>`, got: 'nothing', hint: help });
    case 'commander.missingMandatoryOptionValue':
      return new RequestError({ where, expected: quoted, got: 'no such option', hint: help });
    case 'commander.optionMissingArgument':
      return new RequestError({ where, expected: quoted, got: 'no value', hint: help });
    case 'commander.excessArguments':
      return new RequestError({
        where,
        expected: `${command.registeredArguments.length} argument(s)`,
        got: command.args.join(' '),
        hint: help,
      });
    case 'commander.invalidArgument':
    case 'commander.conflictingOption':
      return new RequestError({
        where,
        expected: 'options that can be read',
        got: error.message.replace(/^error: /, ''),
        hint: help,
      });
    default:
      return error;
  }
}

/** Every command, registered. */
export function createProgram(): Command {
  const program = new CarryoverCommand('carryover');
  program
    .description(
      'Measures what transfer learning carries over to medical images, and why: fine-tunes networks\n' +
        'from pretrained weights (wt), from weight statistics (st) and from random weights (ri).',
    )
    .version(packageVersion(), '-V, --version', 'print the version')
    .addHelpText(
      'after',
      '\nExample:\n  $ carryover study run studies/isic2019-mini.yaml\n' +
        '\nExit codes: 0 done, 1 the work failed, 2 the request is wrong.',
    );
  registerStudy(program);
  registerData(program);
  registerTrain(program);
  registerPredict(program);
  registerFeatures(program);
  registerAnalyze(program);
  registerModels(program);
  registerWeights(program);
  registerDoctor(program);
  registerDemo(program);
  return program;
}

export interface Streams {
  stdout?: TextStream;
  stderr?: TextStream;
}

/** One line for people: `error: <where>: expected …, got … (what to do)`. */
function errorLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const oneLine = message.replaceAll(/\s*\n\s*/g, ' ');
  if (error instanceof CarryoverError) return `error: ${oneLine}`;
  return `error: carryover: expected to go on, got ${oneLine} (a defect; --debug shows the stack)`;
}

/** The stack of an error and of what caused it. */
function stacks(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `\ncaused by: ${stacks(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}

/**
 * Runs the program on `argv` (without node and script) and returns the exit code: 0 done, 1 the work
 * failed, 2 the request is wrong. An action that has failed in part sets `process.exitCode`.
 */
export async function runProgram(argv: string[], streams: Streams = {}): Promise<number> {
  const program = createProgram();
  const end = argv.indexOf('--');
  const options = end === -1 ? argv : argv.slice(0, end);
  const output = new Output({ json: options.includes('--json'), ...streams });
  const stdout = streams.stdout ?? process.stdout;
  const stderr = streams.stderr ?? process.stderr;
  setOutput(program, output);
  for (const command of withDescendants(program)) {
    command.configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      outputError: () => {},
    });
  }
  try {
    await program.parseAsync(argv, { from: 'user' });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    output.endProgress();
    if (error instanceof CommanderError) {
      // Help or the version was asked for (0), or a group of commands was named without one (2).
      return error.exitCode === 0 ? 0 : 2;
    }
    const exitCode = error instanceof CarryoverError ? error.exitCode : 1;
    output.note(errorLine(error));
    if (options.includes('--debug')) output.note(stacks(error));
    if (!output.documentWritten) {
      const message = error instanceof Error ? error.message : String(error);
      const where = error instanceof CarryoverError ? error.where : undefined;
      output.document({ error: { message, where, exitCode } });
    }
    return exitCode;
  } finally {
    output.endProgress();
  }
}

function withDescendants(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withDescendants)];
}
