/** Reading and writing a run's folder: where its files are, and what they say. */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode, WorkError, writeJson } from '../util/index.ts';
import {
  type EvaluationLine,
  evaluationLineSchema,
  type LogLine,
  logLineSchema,
  type RunRecord,
  runRecordSchema,
} from './run.ts';

/** The files of a run. */
export function runPaths(folder: string): {
  record: string;
  log: string;
  splits: string;
  initial: string;
  best: string;
  resumeFolder: string;
  resume: string;
} {
  const resumeFolder = join(folder, 'resume');
  return {
    record: join(folder, 'run.json'),
    log: join(folder, 'log.jsonl'),
    splits: join(folder, 'splits.csv'),
    initial: join(folder, 'initial.safetensors'),
    best: join(folder, 'best.safetensors'),
    resumeFolder,
    resume: join(resumeFolder, 'state.safetensors'),
  };
}

/**
 * The run.json of a folder; `undefined` where there is none.
 * @throws WorkError for a file that is no run record.
 */
export async function readRunRecord(folder: string): Promise<RunRecord | undefined> {
  const path = runPaths(folder).record;
  const text = readSmallFile(path);
  if (text === undefined) return undefined;
  const parsed = runRecordSchema.safeParse(parseJson(text, path));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new WorkError({
    where: path,
    expected: 'a run record of this version of carryover',
    got: `${issue?.path.join('.') || 'the file'}: ${issue?.message ?? 'something else'}`,
    hint: 'choose another --out, or remove the folder',
  });
}

/** Writes run.json, whole or not at all. */
export async function writeRunRecord(folder: string, record: RunRecord): Promise<void> {
  await writeJson(runPaths(folder).record, record);
}

/**
 * The lines of a run's log.jsonl, oldest first; empty where there is none. A last line that was cut off
 * is left out: the run that writes it is still going, or was killed.
 * @throws WorkError for any other line that is no log line.
 */
export async function readLog(folder: string): Promise<LogLine[]> {
  const path = runPaths(folder).log;
  const text = (await readIfThere(path)) ?? '';
  const lines = text.split('\n');
  const complete = lines.slice(0, -1);
  return complete.map((line, index) => {
    const where = `${path}, line ${index + 1}`;
    const parsed = logLineSchema.safeParse(parseJson(line, where));
    if (parsed.success) return parsed.data;
    throw new WorkError({ where, expected: 'a line of a run log', got: line.slice(0, 80) });
  });
}

/**
 * The evaluations of a run's log.jsonl alone, oldest first. The lines between them, most of a long log,
 * are not parsed.
 * @throws WorkError for an evaluation that is no log line.
 */
export async function readEvaluations(folder: string): Promise<EvaluationLine[]> {
  const path = runPaths(folder).log;
  const text = (await readIfThere(path)) ?? '';
  const evaluations: EvaluationLine[] = [];
  const complete = text.split('\n').slice(0, -1);
  for (const [index, line] of complete.entries()) {
    if (!line.includes('"evaluation"')) continue;
    const where = `${path}, line ${index + 1}`;
    const parsed = evaluationLineSchema.safeParse(parseJson(line, where));
    if (!parsed.success) {
      throw new WorkError({ where, expected: 'a line of a run log', got: line.slice(0, 80) });
    }
    evaluations.push(parsed.data);
  }
  return evaluations;
}

/** Read at once: through the thread pool a file of this size costs ten times the processor time. */
function readSmallFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = errorCode(error) ?? '';
    // Where the folder is a file, there is no record in it either.
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    if (code === '') throw error;
    throw new WorkError(
      { where: path, expected: 'a file that can be read', got: code },
      { cause: error },
    );
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new WorkError(
      { where, expected: 'JSON', got: text.slice(0, 40) || 'an empty file' },
      { cause: error },
    );
  }
}
