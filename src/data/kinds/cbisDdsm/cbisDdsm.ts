/**
 * CBIS-DDSM, as TCIA's DICOM tree (either of its ways to name folders) or as the JPEG re-release, with
 * the collection's four case descriptions (METHODS: data sets). The collection holds no breast without
 * a finding: "no mass" means calcifications.
 */
import { z } from 'zod';
import { mapBounded, RequestError } from '../../../util/index.ts';
import { assemble, type DataSetDraft } from '../../assemble.ts';
import type { DataSet } from '../../dataSet.ts';
import { kindOf, requireFolder } from '../../imageFiles.ts';
import type { DataSetKind, OpenOptions } from '../../kind.ts';
import { problemList } from '../../problems.ts';
import { splitSettings } from '../../splitSettings.ts';
import { commonKeys, pathSchema, publishedNote } from '../common.ts';
import { type CbisCase, readCases } from './cases.ts';
import { type CbisFiles, cropOf, findFiles, wholeOf } from './files.ts';

export const cbisDdsmSchema = z.strictObject({
  kind: z.literal('cbis-ddsm'),
  path: pathSchema.describe(
    'The folder with the CSV files and the DICOM tree, or with csv/ and jpeg/.',
  ),
  view: z
    .enum(['whole', 'crop'])
    .optional()
    .describe('Whole mammograms, or the crop around each abnormality.'),
  task: z
    .enum(['mass', 'pathology'])
    .optional()
    .describe("Whether there is a mass (the paper's task), or whether what there is is malignant."),
  ...commonKeys,
});

type CbisSpec = z.output<typeof cbisDdsmSchema>;

export const cbisDdsmKind: DataSetKind<typeof cbisDdsmSchema> = {
  kind: 'cbis-ddsm',
  description: 'CBIS-DDSM as published: DICOM tree or JPEG re-release, and its case descriptions',
  schema: cbisDdsmSchema,
  pathKeys: ['path'],
  open: openCbisDdsm,
};

const classes = { mass: ['no mass', 'mass'], pathology: ['benign', 'malignant'] } as const;

/** Pictures of all sorts in the whole collection: mammograms, crops and masks. */
const published = 10_239;

/** A picture and the rows that speak of it. */
interface Picture {
  id: string;
  cases: CbisCase[];
}

/** Files looked for at once. */
const concurrency = 16;

async function openCbisDdsm(spec: CbisSpec, options: OpenOptions): Promise<DataSet> {
  const root = spec.path;
  const { view = 'whole', task = 'mass' } = spec;
  await requireFolder(root, `cbis-ddsm:${root}`);
  const { cases, problems, notes } = await readCases(root);
  const files = await findFiles(root);
  notes.unshift(publishedNote(files.count, published, 'pictures of all sorts'));
  const pictures = picturesOf(cases, view);
  const found = await mapBounded(pictures, concurrency, async (picture) => {
    options.signal?.throwIfAborted();
    return locate(files, picture, view);
  });
  const samples: DataSetDraft['samples'] = [];
  pictures.forEach((picture, index) => {
    const result = found[index] ?? { fault: 'missing' };
    const [first] = picture.cases;
    if (!first) return;
    if (result.path === undefined) {
      problems.push(`${first.where}: ${result.fault}`);
      return;
    }
    const isPositive = ({ isMass, isMalignant }: CbisCase): boolean =>
      task === 'mass' ? isMass : isMalignant;
    const label = picture.cases.some(isPositive) ? 1 : 0;
    samples.push({ id: picture.id, path: result.path, label, group: first.patient });
  });
  if (problems.length > 0) {
    throw new RequestError({
      where: root,
      expected: `in every row of the case descriptions a ${view === 'whole' ? 'mammogram' : 'crop'} that is there`,
      got: problemList(problems, 'fault'),
      hint: 'complete the download, or remove these rows',
    });
  }
  const mixed = pictures.filter(({ cases: all }) => new Set(all.map((c) => c.isMass)).size > 1);
  if (mixed.length > 0) {
    notes.push(
      `${mixed.length} views show a mass and calcifications: one picture each, with a mass`,
    );
  }
  if (task === 'mass') notes.push('"no mass" means calcifications: every picture has a finding');
  return assemble(
    {
      name: spec.name ?? 'cbis-ddsm',
      kind: 'cbis-ddsm',
      root,
      task: 'binary',
      metric: 'auc',
      classes: [...classes[task]],
      samples,
      split: splitSettings(spec.split),
      notes,
    },
    options,
  );
}

/**
 * One picture for each view of a breast, however many abnormalities it shows (the collection holds
 * views with masses and calcifications twice), or one for each abnormality.
 */
function picturesOf(cases: readonly CbisCase[], view: 'whole' | 'crop'): Picture[] {
  const byId = new Map<string, Picture>();
  for (const each of cases) {
    const id = view === 'whole' ? each.view : each.region;
    const picture = byId.get(id);
    if (picture) picture.cases.push(each);
    else byId.set(id, { id, cases: [each] });
  }
  return [...byId.values()];
}

async function locate(
  files: CbisFiles,
  { cases }: Picture,
  view: 'whole' | 'crop',
): Promise<{ path: string; fault?: undefined } | { path?: undefined; fault: string }> {
  let fault = '';
  for (const { whole, region, wholeSeries, regionSeries } of cases) {
    const [name, series] = view === 'whole' ? [whole, wholeSeries] : [region, regionSeries];
    const candidates = await files.filesOf(name, series);
    const file = view === 'whole' ? wholeOf(candidates) : cropOf(candidates);
    if (file && (await kindOf(file.path)) === 'file') return { path: file.path };
    fault ||= file
      ? `missing file ${file.path}`
      : `no ${view === 'whole' ? 'mammogram' : 'crop'} of ${name}${candidates.length > 0 ? ', only a mask' : ''}`;
  }
  return { fault };
}
