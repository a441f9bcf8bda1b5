/** Small copies of APTOS 2019, ISIC 2019 and CheXpert in the files and columns of the originals. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { colourPicture, greyPicture, writeImage } from './draw.ts';

/** Writes a text file and its folder. */
export function writeText(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

/** train.csv and train_images/, and the test pictures, which carry no labels. */
export async function writeAptos2019(folder: string, count = 30): Promise<void> {
  const idOf = (index: number): string =>
    (0x0a1b2c3d4e5f + index * 0x10f3a7).toString(16).padStart(12, '0');
  const rows: string[] = [];
  for (let index = 0; index < count; index++) {
    const label = index % 5;
    rows.push(`${idOf(index)},${label}`);
    const picture = colourPicture(48, 40, { seed: index, label });
    await writeImage(join(folder, 'train_images', `${idOf(index)}.png`), picture, 48, 40);
  }
  writeText(join(folder, 'train.csv'), `id_code,diagnosis\n${rows.join('\n')}\n`);
  const test = idOf(count);
  writeText(join(folder, 'test.csv'), `id_code\n${test}\n`);
  const picture = colourPicture(48, 40, { seed: count, label: 0 });
  await writeImage(join(folder, 'test_images', `${test}.png`), picture, 48, 40);
}

const diagnoses = ['MEL', 'NV', 'BCC', 'AK', 'BKL', 'DF', 'VASC', 'SCC', 'UNK'];

/** Ground truth and metadata; some lesions have several pictures, some none is known of. */
export async function writeIsic2019(
  folder: string,
  count = 48,
  images = 'ISIC_2019_Training_Input',
): Promise<void> {
  const truth: string[] = [];
  const metadata: string[] = [];
  for (let index = 0; index < count; index++) {
    // Pictures of a lesion come in pairs and carry one diagnosis.
    const label = Math.floor(index / 2) % 8;
    const name = `ISIC_${String(index * 7).padStart(7, '0')}${index % 6 === 0 ? '_downsampled' : ''}`;
    const picture = colourPicture(50, 40, { seed: index, label });
    await writeImage(join(folder, images, `${name}.jpg`), picture, 50, 40);
    truth.push([name, ...diagnoses.map((_, column) => (column === label ? '1.0' : '0.0'))].join());
    const lesion = index % 8 === 7 ? '' : `BCN_${String(Math.floor(index / 2)).padStart(7, '0')}`;
    metadata.push(`${name},${30 + 5 * (index % 9)}.0,anterior torso,${lesion},female`);
  }
  const head = ['image', ...diagnoses].join();
  writeText(
    join(folder, 'ISIC_2019_Training_GroundTruth.csv'),
    `${head}\r\n${truth.join('\r\n')}\r\n`,
  );
  writeText(
    join(folder, 'ISIC_2019_Training_Metadata.csv'),
    `image,age_approx,anatom_site_general,lesion_id,sex\r\n${metadata.join('\r\n')}\r\n`,
  );
  writeText(join(folder, images, 'ATTRIBUTION.txt'), 'Pictures drawn by a program.\n');
}

const findings = [
  ...['No Finding', 'Enlarged Cardiomediastinum', 'Cardiomegaly', 'Lung Opacity', 'Lung Lesion'],
  ...['Edema', 'Consolidation', 'Pneumonia', 'Atelectasis', 'Pneumothorax', 'Pleural Effusion'],
  ...['Pleural Other', 'Fracture', 'Support Devices'],
];

/**
 * train.csv and valid.csv with the collection's name in every path, several studies and views a
 * patient, and labels of 1, 0, -1 and nothing.
 */
export async function writeChexpert(
  folder: string,
  patients = 24,
  name = 'CheXpert-v1.0-small',
): Promise<void> {
  const head = `Path,Sex,Age,Frontal/Lateral,AP/PA,${findings.join()}`;
  for (const [part, count] of [
    ['train', patients],
    ['valid', 4],
  ] as const) {
    const rows: string[] = [];
    for (let patient = 1; patient <= count; patient++) {
      const number = patient + (part === 'valid' ? 64_540 : 0);
      const views = patient % 3 === 0 ? ['view1_frontal', 'view2_lateral'] : ['view1_frontal'];
      for (const view of views) {
        const place = `${part}/patient${String(number).padStart(5, '0')}/study${1 + (patient % 2)}`;
        const isFrontal = view.endsWith('frontal');
        const seed = number * 2 + (isFrontal ? 0 : 1);
        const picture = greyPicture(39, 32, { seed, label: patient % 4 });
        await writeImage(join(folder, name, place, `${view}.jpg`), picture, 39, 32);
        const position = isFrontal ? 'Frontal,AP' : 'Lateral,';
        const labels = findings.map((_, column) => labelOf(patient, column, part));
        rows.push(
          `${name}/${place}/${view}.jpg,Female,${40 + patient},${position},${labels.join()}`,
        );
      }
    }
    writeText(join(folder, name, `${part}.csv`), `${head}\n${rows.join('\n')}\n`);
  }
}

/** Radiologists' labels of valid.csv are 0 and 1; those read from reports may be blank or uncertain. */
function labelOf(patient: number, column: number, part: 'train' | 'valid'): string {
  const draw = (patient * 5 + column * 3) % 7;
  if (part === 'valid') return draw < 2 ? '1.0' : '0.0';
  // Every sixth report says nothing but that there are no findings, every fifth nothing at all.
  if (patient % 6 === 0) return column === 0 ? '1.0' : '';
  if (patient % 5 === 0) return column === 7 ? '-1.0' : '';
  if (column === 0) return '';
  return draw < 2 ? '1.0' : draw === 2 ? '-1.0' : draw === 3 ? '0.0' : '';
}
