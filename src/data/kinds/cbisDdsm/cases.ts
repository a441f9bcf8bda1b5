/** The four case descriptions of CBIS-DDSM: one row for each abnormality in each view. */
import { join } from 'node:path';
import { RequestError } from '../../../util/index.ts';
import { kindOf, subfolders } from '../../imageFiles.ts';
import { findColumn, readTable } from '../../table.ts';

export interface CbisCase {
  /** File and row, for errors. */
  where: string;
  patient: string;
  /** `P_00001_LEFT_CC`: one view of one breast. */
  view: string;
  /** Name of the whole mammogram's folder on TCIA: `Mass-Training_P_00001_LEFT_CC`. */
  whole: string;
  /** Name of the folder of the abnormality's crop and mask: the same with its number. */
  region: string;
  isMass: boolean;
  isMalignant: boolean;
  /** Series that the file names for the whole mammogram and the crop. */
  wholeSeries: string;
  regionSeries: string;
}

const parts = [
  { file: 'mass_case_description_train_set.csv', prefix: 'Mass-Training', isMass: true },
  { file: 'mass_case_description_test_set.csv', prefix: 'Mass-Test', isMass: true },
  { file: 'calc_case_description_train_set.csv', prefix: 'Calc-Training', isMass: false },
  { file: 'calc_case_description_test_set.csv', prefix: 'Calc-Test', isMass: false },
] as const;

const pathologies: Record<string, boolean | undefined> = {
  MALIGNANT: true,
  BENIGN: false,
  BENIGN_WITHOUT_CALLBACK: false,
};

/**
 * All rows of the files that are there, in the folder or one folder below.
 * @throws RequestError where masses or calcifications are described by no file.
 */
export async function readCases(
  root: string,
): Promise<{ cases: CbisCase[]; problems: string[]; notes: string[] }> {
  const cases: CbisCase[] = [];
  const problems: string[] = [];
  const absent: string[] = [];
  const present = new Set<boolean>();
  const folders = [root, ...(await subfolders(root)).map((name) => join(root, name))];
  for (const part of parts) {
    const path = await firstFile(folders, part.file);
    if (path === undefined) {
      absent.push(part.file);
      continue;
    }
    present.add(part.isMass);
    await readPart(path, part, cases, problems);
  }
  if (present.size < 2) {
    throw new RequestError({
      where: `cbis-ddsm:${root}`,
      expected: 'the case descriptions of masses and of calcifications',
      got: `no ${absent.join(', ')}`,
      hint: 'put the four CSV files of the collection into this folder',
    });
  }
  return { cases, problems, notes: absent.map((file) => `no ${file}`) };
}

async function firstFile(folders: readonly string[], name: string): Promise<string | undefined> {
  for (const folder of folders) {
    if ((await kindOf(join(folder, name))) === 'file') return join(folder, name);
  }
  return undefined;
}

async function readPart(
  path: string,
  { file, prefix, isMass }: (typeof parts)[number],
  cases: CbisCase[],
  problems: string[],
): Promise<void> {
  const table = await readTable(path);
  // Blanks and underscores differ between the files, as in "breast_density" and "breast density".
  const column = (name: string): string => findColumn(table, name, undefined, [name], true) ?? '';
  const columns = {
    patient: column('patient_id'),
    side: column('left or right breast'),
    view: column('image view'),
    number: column('abnormality id'),
    pathology: column('pathology'),
    whole: column('image file path'),
    region: column('cropped image file path'),
  };
  for (const { line, cells } of table.rows) {
    const cell = (name: string): string => cells.get(name) ?? '';
    const where = `${file}, row ${line}`;
    const patient = cell(columns.patient);
    const side = cell(columns.side).toUpperCase();
    const projection = cell(columns.view).toUpperCase();
    const number = cell(columns.number);
    const isMalignant = pathologies[cell(columns.pathology).toUpperCase()];
    const faults = [
      /^P_\d+$/.test(patient) ? undefined : `patient "${patient}", where P_00001 was expected`,
      /^(LEFT|RIGHT)$/.test(side) ? undefined : `side "${side}"`,
      /^(CC|MLO)$/.test(projection) ? undefined : `view "${projection}"`,
      /^\d+$/.test(number) ? undefined : `abnormality "${number}"`,
      isMalignant === undefined ? `pathology "${cell(columns.pathology)}"` : undefined,
    ].filter((text) => text !== undefined);
    problems.push(...faults.map((text) => `${where}: ${text}`));
    if (faults.length > 0) continue;
    const view = `${patient}_${side}_${projection}`;
    const whole = `${prefix}_${view}`;
    cases.push({
      where,
      patient,
      view,
      whole,
      region: `${whole}_${number}`,
      isMass,
      isMalignant: isMalignant === true,
      wholeSeries: seriesOf(cell(columns.whole)),
      regionSeries: seriesOf(cell(columns.region)),
    });
  }
}

/** The third part of a path: folder of the case, study, series, file. */
function seriesOf(path: string): string {
  return path.replaceAll('\\', '/').split('/')[2]?.trim() ?? '';
}
