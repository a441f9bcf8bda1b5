/** `carryover study status`: once, or again and again until the study has ended. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import type { Plan, RunState, StudyStatus } from '../../../study/index.ts';
import { type Output, outputOf } from '../../output.ts';
import { Screen } from '../../screen.ts';
import { stopOnSignals } from '../../signals.ts';
import { statusDetails, statusDocument, statusLine } from '../../statusText.ts';
import { showStates } from '../../studyText.ts';
import { loadStudies, type StudyOptions } from './prepare.ts';

interface StatusOptions extends StudyOptions {
  watch?: boolean;
  all?: boolean;
}

/** A study of no more runs than this is listed run by run. */
const LISTED_RUNS = 60;
/** Seconds between two looks, on a terminal and elsewhere; and between two lines that say the same. */
const TERMINAL_INTERVAL = 2;
const PLAIN_INTERVAL = 15;
const REPEAT_INTERVAL = 600;

export function registerStatus(study: Command): void {
  study
    .command('status')
    .description(
      'how far a study is: what is done, running and where, failed and why; time to go and pace',
    )
    .argument('<study>', 'the study file, or the folder of the study')
    .option('--out <folder>', "the study's folder (default: runs/<study>)")
    .option('--watch', 'look again and again, until nothing is running or to be done, or Ctrl-C')
    .option('--all', `list every run, also of studies of more than ${LISTED_RUNS} runs`)
    .addHelpText(
      'after',
      '\nReads the files of the runs, so that it works from any machine that has the folder.\n' +
        '\nExamples:\n  $ carryover study status studies/isic2019-mini.yaml --watch\n' +
        '  $ carryover study status runs/isic2019-mini --json',
    )
    .action((path: string, options: StatusOptions, command: Command) =>
      status(path, options, outputOf(command)),
    );
}

interface Look {
  plan: Plan;
  states: RunState[];
  status: StudyStatus;
}

async function status(path: string, options: StatusOptions, output: Output): Promise<void> {
  const { initLabel, locateFolder, readPlan, runTitle, StateReader, studyStatus } =
    await loadStudies();
  const folder = await locateFolder(path, options.out);
  const reader = new StateReader(folder);
  const look = async (): Promise<Look> => {
    const plan = await readPlan(folder);
    const states = await reader.read(plan.runs);
    return { plan, states, status: await studyStatus(folder, states) };
  };
  const details = (seen: StudyStatus): string[] =>
    statusDetails(seen, runTitle, options.all ? Number.POSITIVE_INFINITY : undefined);
  if (options.watch) {
    const last = await watch(look, details, output);
    output.document(statusDocument(last.plan, last.states, last.status));
    return;
  }
  const seen = await look();
  if (options.all || seen.states.length <= LISTED_RUNS) {
    showStates(seen.states, output, initLabel);
    output.line();
  }
  output.line(statusLine(seen.plan, seen.status));
  for (const line of details(seen.status)) output.line(line);
  output.document(statusDocument(seen.plan, seen.states, seen.status));
}

/** Shows the status until the study has ended or a signal comes. @returns the last look */
async function watch(
  look: () => Promise<Look>,
  details: (status: StudyStatus) => string[],
  output: Output,
): Promise<Look> {
  using stop = stopOnSignals();
  const screen = output.people.isTTY ? new Screen(output.people) : undefined;
  let shown: { text: string; at: number } | undefined;
  for (;;) {
    const seen = await look();
    const line = statusLine(seen.plan, seen.status);
    const last = seen.status.ended || stop.signal.aborted;
    if (screen) {
      screen.draw([line, ...details(seen.status)]);
    } else {
      const text = JSON.stringify(seen.status.counts);
      const now = performance.now() / 1000;
      if (last || shown?.text !== text || now - shown.at >= REPEAT_INTERVAL) {
        output.line(`${new Date().toISOString().slice(11, 19)} ${line}`);
        shown = { text, at: now };
      }
    }
    if (last) {
      if (!screen) for (const text of details(seen.status)) output.line(text);
      return seen;
    }
    const seconds = screen ? TERMINAL_INTERVAL : PLAIN_INTERVAL;
    await delay(seconds * 1000, undefined, { signal: stop.signal }).catch(() => {});
  }
}
