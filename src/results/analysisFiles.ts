/** Reading and writing analyses of runs. */
import { readFile } from 'node:fs/promises';
import { errorCode, WorkError, writeJson } from '../util/index.ts';
import { type AnalysisDocument, analysisPaths, analysisSchema } from './analysis.ts';

/**
 * Writes an analysis into a run's folder, whole or not at all.
 * @throws Error for a document that its schema refuses, NaN above all: a defect, nothing is written.
 */
export async function writeAnalysis(folder: string, document: AnalysisDocument): Promise<string> {
  const checked = analysisSchema.parse(document);
  const { json } = analysisPaths(folder, document.measure, document.against?.runId);
  await writeJson(json, checked);
  return json;
}

/**
 * An analysis that is there; `undefined` where there is none.
 * @throws WorkError for a file that is no analysis of this version.
 */
export async function readAnalysis(
  folder: string,
  measure: AnalysisDocument['measure'],
  against?: string,
): Promise<AnalysisDocument | undefined> {
  const { json } = analysisPaths(folder, measure, against);
  let text: string;
  try {
    text = await readFile(json, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  const parsed = analysisSchema.safeParse(parse(text));
  if (parsed.success && parsed.data.measure === measure) return parsed.data;
  const issue = parsed.success ? undefined : parsed.error.issues[0];
  throw new WorkError({
    where: json,
    expected: `an analysis "${measure}" of this version of carryover`,
    got: issue ? `${issue.path.join('.') || 'the file'}: ${issue.message}` : 'another measure',
    hint: 'remove the file and analyse again',
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
