/**
 * Small copies of CBIS-DDSM: the four case descriptions with their quirks (a column spelt in two ways,
 * line breaks inside cells, paths of an early release, crop and mask exchanged), and the pictures as
 * either of TCIA's DICOM trees or as the JPEG re-release.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type DicomElement, dicomFile, type SyntaxName } from './dicomWriter.ts';
import { greyPicture, writeImage } from './draw.ts';
import { writeText } from './publicSets.ts';

export type CbisLayout = 'classic' | 'descriptive' | 'jpeg';

interface Case {
  patient: string;
  side: 'LEFT' | 'RIGHT';
  view: 'CC' | 'MLO';
  number: number;
  isMass: boolean;
  isTest: boolean;
  pathology: string;
}

interface Picture {
  kind: 'full mammogram images' | 'cropped images' | 'ROI mask images';
  /** Case name: `Mass-Training_P_00001_LEFT_CC` with `_1` for crop and mask. */
  name: string;
  study: string;
  series: string;
  /** File name in the series' folder. */
  file: string;
  width: number;
  height: number;
  levels: Uint8Array;
  /** False where the re-release has lost the description. */
  described: boolean;
}

const uid = '1.3.6.1.4.1.9590.100.1.2.';

/** @param patients each has two views of one breast; every eighth has a mass and calcifications. */
export async function writeCbisDdsm(
  folder: string,
  layout: CbisLayout,
  patients = 32,
): Promise<void> {
  const cases = Array.from({ length: patients }, (_, index) => casesOf(index)).flat();
  const rows = new Map<string, string[]>();
  const pictures = new Map<string, Picture>();
  for (const [index, each] of cases.entries()) {
    const own = picturesOf(each, index, layout);
    for (const picture of own) {
      pictures.set(`${picture.name} ${picture.kind}`, picture);
    }
    const [whole, crop, mask] = own.map(originalPath);
    // In some rows of the originals the crop's path is the mask's, and the reverse.
    const [first, second] = index % 3 === 0 ? [mask, crop] : [crop, mask];
    const file = `${each.isMass ? 'mass' : 'calc'}_case_description_${each.isTest ? 'test' : 'train'}_set.csv`;
    const row = [
      ...[each.patient, 3, each.side, each.view, each.number],
      each.isMass ? 'mass' : 'calcification',
      ...(each.isMass
        ? ['IRREGULAR-ARCHITECTURAL_DISTORTION', 'SPICULATED']
        : ['PLEOMORPHIC', 'CLUSTERED']),
      ...[4, each.pathology, 4, whole, first],
      // Ends in a line break, inside quotes, as in the originals.
      `"${second}\n"`,
    ];
    rows.set(file, [...(rows.get(file) ?? []), row.join()]);
  }
  const tables = layout === 'jpeg' ? join(folder, 'csv') : folder;
  for (const [file, lines] of rows) {
    writeText(join(tables, file), `${headerOf(file.startsWith('mass'))}\n${lines.join('\n')}\n`);
  }
  if (layout === 'jpeg') await writeJpegs(folder, [...pictures.values()]);
  else await writeDicoms(folder, layout, [...pictures.values()]);
}

function casesOf(index: number): Case[] {
  const patient = `P_${String(index * 3 + 1).padStart(5, '0')}`;
  const side = index % 2 === 0 ? 'LEFT' : 'RIGHT';
  const isTest = index % 5 === 4;
  const pathology = ['MALIGNANT', 'BENIGN', 'BENIGN_WITHOUT_CALLBACK'][index % 3] ?? 'BENIGN';
  const kinds = index % 8 === 3 ? [true, false] : [index % 2 === 0];
  return kinds.flatMap((isMass) =>
    (['CC', 'MLO'] as const).map((view) => ({
      ...{ patient, side, view, isMass, isTest },
      ...{ number: 1, pathology: isMass ? pathology : 'BENIGN' },
    })),
  );
}

/** Mammogram, crop and mask of one row. */
function picturesOf(each: Case, index: number, layout: CbisLayout): [Picture, Picture, Picture] {
  const { patient, side, view, number, isMass, isTest } = each;
  const base = `${isMass ? 'Mass' : 'Calc'}-${isTest ? 'Test' : 'Training'}_${patient}_${side}_${view}`;
  const label = isMass ? 1 : 0;
  const dots = isMass ? 1 : 12;
  // The same view under both names is the same picture.
  const seed = Number(patient.slice(2)) * 10 + (view === 'CC' ? 0 : 1);
  const own = `${patient.slice(2)}${side === 'LEFT' ? 1 : 2}${view === 'CC' ? 1 : 2}${label}${number}`;
  const shared = { name: `${base}_${number}`, study: `${uid}2${own}`, described: index % 5 !== 0 };
  // Some series hold crop and mask together.
  const together = index % 2 === 0;
  const names = layout === 'classic' ? ['000000.dcm', '000001.dcm'] : ['1-1.dcm', '1-2.dcm'];
  const mask = new Uint8Array(40 * 60);
  for (let pixel = 0; pixel < mask.length; pixel++) mask[pixel] = pixel % 40 < 12 ? 255 : 0;
  return [
    {
      ...shared,
      ...{ kind: 'full mammogram images', name: base, study: `${uid}1${own}` },
      ...{ series: `${uid}11${own}`, file: names[0] ?? '', width: 40, height: 60 },
      levels: greyPicture(40, 60, { seed, label: 1, dots }),
    },
    {
      ...shared,
      ...{ kind: 'cropped images', series: `${uid}22${own}`, file: names[together ? 1 : 0] ?? '' },
      ...{ width: 18, height: 14, levels: greyPicture(18, 14, { seed, label, dots }) },
    },
    {
      ...shared,
      ...{ kind: 'ROI mask images', series: `${uid}2${together ? 2 : 3}${own}` },
      ...{ file: names[0] ?? '', width: 40, height: 60, levels: mask },
    },
  ];
}

/** Where an early release had the picture: what the case descriptions say. */
function originalPath({ name, study, series, kind }: Picture): string {
  return `${name}/${study}/${series}/${kind === 'cropped images' ? '000001' : '000000'}.dcm`;
}

function headerOf(isMass: boolean): string {
  const [density, first, second] = isMass
    ? ['breast_density', 'mass shape', 'mass margins']
    : ['breast density', 'calc type', 'calc distribution'];
  return [
    ...['patient_id', density, 'left or right breast', 'image view', 'abnormality id'],
    ...['abnormality type', first, second, 'assessment', 'pathology', 'subtlety'],
    ...['image file path', 'cropped image file path', 'ROI mask file path'],
  ].join();
}

const syntaxes: SyntaxName[] = [
  ...(['explicit', 'implicit', 'jpegLossless', 'runLength', 'jpeg2000'] as const),
  ...(['jpegLs', 'deflated', 'bigEndian', 'jpegLosslessFirst'] as const),
];

async function writeDicoms(
  folder: string,
  layout: CbisLayout,
  pictures: readonly Picture[],
): Promise<void> {
  for (const [index, picture] of pictures.entries()) {
    const { name, study, series, kind, file, width, height, levels } = picture;
    const tail = series.slice(-5);
    const place =
      layout === 'classic'
        ? join(study, series)
        : join(`08-07-2016-DDSM-NA-${study.slice(-5)}`, `1.000000-${kind}-${tail}`);
    const isMask = kind === 'ROI mask images';
    const elements: DicomElement[] = [
      { tag: '0008103e', vr: 'LO', value: kind },
      { tag: '00100020', vr: 'LO', value: name },
      { tag: '0020000d', vr: 'UI', value: study },
      { tag: '0020000e', vr: 'UI', value: series },
      ...(isMask
        ? []
        : [
            { tag: '00281050', vr: 'DS', value: '32768.0' },
            { tag: '00281051', vr: 'DS', value: '65535.0' },
          ]),
    ];
    const samples = isMask ? levels : Uint16Array.from(levels, (level) => level * 257);
    const syntax = syntaxes[index % syntaxes.length] ?? 'explicit';
    const bytes = await dicomFile({ rows: height, columns: width, samples }, { syntax, elements });
    const path = join(folder, 'CBIS-DDSM', name, place, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
  }
}

const infoColumns = [
  ...['file_path', 'image_path', 'BitsAllocated', 'BodyPartExamined', 'Columns', 'Laterality'],
  ...['Modality', 'PatientID', 'PhotometricInterpretation', 'Rows', 'SamplesPerPixel'],
  ...['SeriesDescription', 'SeriesInstanceUID', 'StudyInstanceUID'],
];

async function writeJpegs(folder: string, pictures: readonly Picture[]): Promise<void> {
  const rows: string[] = [];
  for (const picture of pictures) {
    const { name, study, series, kind, width, height, levels, described } = picture;
    const file = `${kind === 'cropped images' ? 1 : 2}-${series.slice(-3)}.jpg`;
    await writeImage(join(folder, 'jpeg', series, file), levels, width, height);
    rows.push(
      [
        ...[`CBIS-DDSM/dicom/${series}.dcm`, `CBIS-DDSM/jpeg/${series}/${file}`],
        ...[kind === 'ROI mask images' ? 8 : 16, 'BREAST', width, 'L', 'MG', name, 'MONOCHROME2'],
        ...[height, 1, described ? kind : '', series, study],
      ].join(),
    );
  }
  const text = `${infoColumns.join()}\n${rows.join('\n')}\n`;
  writeText(join(folder, 'csv', 'dicom_info.csv'), text);
  writeText(join(folder, 'csv', 'meta.csv'), 'SeriesInstanceUID,Collection\n');
}
