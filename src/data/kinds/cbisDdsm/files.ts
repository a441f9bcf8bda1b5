/**
 * The pictures of CBIS-DDSM on disk, found by the case that each belongs to. The paths in the case
 * descriptions are those of an early release: TCIA's downloads name folders and files in two other
 * ways, and the crop's and the mask's paths are often exchanged. What holds in all of them is the
 * name of the case, which is a folder in the DICOM tree and PatientID in the JPEG re-release.
 */
import { join } from 'node:path';
import { dicomSummary } from '../../formats/dicom/summary.ts';
import { kindOf, listImages } from '../../imageFiles.ts';
import { findColumn, readTable } from '../../table.ts';
import { pathInside } from '../common.ts';

export interface CbisFile {
  path: string;
  /** Series description, where the file has one: full mammogram, cropped or ROI mask images. */
  description: string;
  /** Pixels, and bits of each: a mask is as large as its mammogram and of 8 bits. */
  area: number;
  bits: number;
}

export interface CbisFiles {
  /** How many pictures there are of all sorts. */
  count: number;
  /** The pictures of a case, or of a series where no case is known by that name. */
  filesOf: (name: string, series: string) => Promise<CbisFile[]>;
}

/** The DICOM tree, or the JPEG re-release where its index is there. */
export async function findFiles(root: string): Promise<CbisFiles> {
  for (const base of [root, join(root, 'CBIS-DDSM')]) {
    const index = join(base, 'csv', 'dicom_info.csv');
    if ((await kindOf(index)) === 'file') return jpegFiles(base, index);
  }
  return dicomFiles(root);
}

const caseName = /^(Mass|Calc)-(Training|Test)_P_\d+_(LEFT|RIGHT)_(CC|MLO)(_\d+)?$/;

async function dicomFiles(root: string): Promise<CbisFiles> {
  const { images } = await listImages(root);
  const byCase = new Map<string, string[]>();
  for (const path of images) {
    const name = path.split(/[\\/]/).find((part) => caseName.test(part));
    if (name === undefined) continue;
    const files = byCase.get(name);
    if (files) files.push(path);
    else byCase.set(name, [path]);
  }
  const count = [...byCase.values()].reduce((total, files) => total + files.length, 0);
  return { count, filesOf: async (name) => Promise.all((byCase.get(name) ?? []).map(describe)) };
}

async function describe(path: string): Promise<CbisFile> {
  const summary = await dicomSummary(path);
  return {
    path,
    description: summary?.description ?? '',
    area: (summary?.rows ?? 0) * (summary?.columns ?? 0),
    bits: summary?.bitsAllocated ?? 0,
  };
}

async function jpegFiles(root: string, index: string): Promise<CbisFiles> {
  const table = await readTable(index);
  const column = (name: string): string => findColumn(table, name, undefined, [name], true) ?? '';
  const columns = {
    path: column('image_path'),
    patient: column('PatientID'),
    series: column('SeriesInstanceUID'),
    description: column('SeriesDescription'),
    rows: column('Rows'),
    columns: column('Columns'),
    bits: column('BitsAllocated'),
  };
  const byName = new Map<string, CbisFile[]>();
  let count = 0;
  for (const { cells } of table.rows) {
    const cell = (name: string): string => cells.get(name) ?? '';
    const path = pathInside(root, cell(columns.path).replace(/^CBIS-DDSM[\\/]/, ''));
    if (path === undefined) continue;
    count++;
    const file: CbisFile = {
      path,
      description: cell(columns.description),
      area: Number(cell(columns.rows)) * Number(cell(columns.columns)),
      bits: Number(cell(columns.bits)),
    };
    for (const name of [cell(columns.patient), cell(columns.series)]) {
      const files = byName.get(name);
      if (files) files.push(file);
      else byName.set(name, [file]);
    }
  }
  return {
    count,
    filesOf: async (name, series) => byName.get(name) ?? byName.get(series) ?? [],
  };
}

/** The whole mammogram among the files of its case. */
export function wholeOf(files: readonly CbisFile[]): CbisFile | undefined {
  const named = files.filter(({ description }) => /full/i.test(description));
  return largest(named.length > 0 ? named : files);
}

/**
 * The crop among the files of an abnormality: what its description says, where it says one; else what
 * is deeper than 8 bits; else the smaller of several.
 */
export function cropOf(files: readonly CbisFile[]): CbisFile | undefined {
  const named = files.filter(({ description }) => /crop/i.test(description));
  const masks = files.filter(({ description }) => /mask/i.test(description));
  // Crop and mask in one series carry its one description between them.
  if (named.length === 1) return named[0];
  const open = named.length > 1 || masks.length === files.length ? files : without(files, masks);
  const deep = open.filter(({ bits }) => bits > 8);
  if (deep.length > 0) return smallest(deep);
  return open.length > 1 || masks.length < files.length ? smallest(open) : undefined;
}

function without(files: readonly CbisFile[], others: readonly CbisFile[]): CbisFile[] {
  return files.filter((file) => !others.includes(file));
}

function largest(files: readonly CbisFile[]): CbisFile | undefined {
  return files.length === 0 ? undefined : files.reduce((a, b) => (b.area > a.area ? b : a));
}

function smallest(files: readonly CbisFile[]): CbisFile | undefined {
  return files.length === 0 ? undefined : files.reduce((a, b) => (b.area < a.area ? b : a));
}
