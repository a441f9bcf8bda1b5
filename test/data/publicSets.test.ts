/** Each public data set in its published format, small and made by a program: opened, split, batched. */
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  writeMedmnist,
  writeOwnHdf5,
  writePatchCamelyon,
} from '../../scripts/format-copies/arraySets.ts';
import { type CbisLayout, writeCbisDdsm } from '../../scripts/format-copies/cbisDdsm.ts';
import {
  writeAptos2019,
  writeChexpert,
  writeIsic2019,
} from '../../scripts/format-copies/publicSets.ts';
import {
  classCounts,
  type DataSet,
  Loader,
  makeSplits,
  openDataSet,
  parseDataArgument,
} from '../../src/data/index.ts';
import { messageOf, temporaryFolder } from './pictures.ts';

const base = temporaryFolder();
const cacheFolder = join(base, 'cache');
const open = (argument: string, settings: Record<string, unknown> = {}): Promise<DataSet> =>
  openDataSet(parseDataArgument(argument, {}, settings), { cacheFolder });

/** The first batch of the training split. */
async function firstBatch(dataset: DataSet): Promise<{ images: number[]; labels: number[] }> {
  const { train } = makeSplits(dataset, { seed: 0 });
  const loader = await Loader.open({
    ...{ dataset, indices: train, size: 32, resize: 32, batchSize: 4, seed: 0, workers: 0 },
    ...{ shuffle: false, dropLast: false, onBadImage: 'error', cacheFolder },
    ...{ mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
  });
  try {
    for await (const batch of loader.epoch(0)) {
      const shapes = { images: [...batch.images.shape], labels: [...batch.labels.shape] };
      batch.dispose();
      return shapes;
    }
    return { images: [], labels: [] };
  } finally {
    await loader.close();
  }
}

function sizesOf(dataset: DataSet): number[] {
  const { train, val, test } = makeSplits(dataset, { seed: 0 });
  return [train.length, val.length, test.length];
}

/** Groups that lie in more than one split. */
function dividedGroups(dataset: DataSet): number {
  const splits = makeSplits(dataset, { seed: 0 });
  const seen = new Map<string, Set<string>>();
  for (const name of ['train', 'val', 'test'] as const) {
    for (const index of splits[name]) {
      const group = dataset.samples[index]?.group ?? `sample ${index}`;
      seen.set(group, new Set([...(seen.get(group) ?? []), name]));
    }
  }
  return [...seen.values()].filter((names) => names.size > 1).length;
}

describe('APTOS 2019', () => {
  const root = join(base, 'aptos');

  it('has five grades, kappa, and splits of 70, 15 and 15 parts', async () => {
    await writeAptos2019(root);
    const dataset = await open(`aptos2019:${root}`);
    expect([dataset.task, dataset.metric]).toEqual(['ordinal', 'kappa']);
    expect(classCounts(dataset)).toEqual([6, 6, 6, 6, 6]);
    expect(sizesOf(dataset)).toEqual([21, 5, 4]);
    expect(dataset.notes).toContain('30 pictures, of 3,662 published');
    expect(await firstBatch(dataset)).toEqual({ images: [4, 3, 32, 32], labels: [4] });
  });

  it('has faulty rows listed; a name in another case or with folder and ending is found', async () => {
    const folder = join(root, 'train_images');
    const [first = '', second = '', third = ''] = readdirSync(folder).sort();
    const path = join(root, 'train.csv');
    const text = readFileSync(path, 'utf8');
    const stem = (name: string): string => name.replace('.png', '');
    renameSync(join(folder, first), join(folder, first.toUpperCase()));
    writeFileSync(path, text.replace(stem(second), `train_images\\${second}`));
    expect((await open(`aptos2019:${root}`)).samples).toHaveLength(30);
    const faulty = `${text.replace(`${stem(third)},2`, `${stem(third)},5`)}${stem(second)},1\nabsent,0\n../secret,0\n`;
    writeFileSync(path, faulty);
    const message = await messageOf(() => open(`aptos2019:${root}`));
    expect(message).toContain('4 faults');
    expect(message).toContain('row 4: diagnosis "5", where 0 to 4 was expected');
    expect(message).toContain(`row 32: the same image as row 3, ${stem(second)}`);
    expect(message).toContain('row 33: missing file absent');
    expect(message).toContain('row 34: a path outside the data set: ../secret');
  });
});

describe('CBIS-DDSM', () => {
  it.each<CbisLayout>(['classic', 'descriptive', 'jpeg'])(
    'in the %s layout: whole mammograms and crops, masses and pathology, patients undivided',
    async (layout) => {
      const root = join(base, `cbis-${layout}`);
      await writeCbisDdsm(root, layout);
      const dataset = await open(`cbis-ddsm:${root}`);
      expect(dataset.samples).toHaveLength(64);
      expect(classCounts(dataset)).toEqual([24, 40]);
      expect([dataset.task, dataset.metric]).toEqual(['binary', 'auc']);
      expect(dataset.notes).toContain('216 pictures of all sorts, of 10,239 published');
      expect(dataset.notes.join()).toContain('8 views show a mass and calcifications');
      expect(dividedGroups(dataset)).toBe(0);
      expect(await firstBatch(dataset)).toEqual({ images: [4, 3, 32, 32], labels: [4] });
      const crops = await open(`cbis-ddsm:${root}`, { view: 'crop', task: 'pathology' });
      expect(crops.classes).toEqual(['benign', 'malignant']);
      expect(crops.samples).toHaveLength(72);
      // The crop is found whatever its path is said to be: masks are another picture.
      const files = new Set(crops.samples.map(({ path }) => path));
      expect(files.size).toBe(72);
      expect(await cropSizes(crops)).toEqual(['18 × 14']);
    },
  );

  it('has missing pictures and unknown values listed', async () => {
    const root = join(base, 'cbis-broken');
    await writeCbisDdsm(root, 'classic', 8);
    const path = join(root, 'mass_case_description_train_set.csv');
    const text = readFileSync(path, 'utf8');
    const [first = ''] = text.split('\n').slice(1);
    const patient = first.split(',')[0] ?? '';
    rmSync(join(root, 'CBIS-DDSM', `Mass-Training_${patient}_LEFT_CC`), { recursive: true });
    writeFileSync(path, text.replaceAll('BENIGN_WITHOUT_CALLBACK', 'PERHAPS'));
    const message = await messageOf(() => open(`cbis-ddsm:${root}`));
    expect(message).toContain(`no mammogram of Mass-Training_${patient}_LEFT_CC`);
    expect(message).toContain('pathology "PERHAPS"');
    rmSync(path);
    rmSync(join(root, 'mass_case_description_test_set.csv'));
    expect(await messageOf(() => open(`cbis-ddsm:${root}`))).toContain(
      'the case descriptions of masses and of calcifications',
    );
  });
});

async function cropSizes(dataset: DataSet): Promise<string[]> {
  const { decodeImage } = await import('../../src/data/images/decode.ts');
  const sizes = new Set<string>();
  for (const { path } of dataset.samples) {
    const { width, height } = await decodeImage(path);
    sizes.add(`${width} × ${height}`);
  }
  return [...sizes];
}

describe('ISIC 2019', () => {
  it.each(['ISIC_2019_Training_Input', 'train'])('in %s/, lesions undivided', async (images) => {
    const root = join(base, `isic-${images}`);
    await writeIsic2019(root, 48, images);
    const dataset = await open(`isic2019:${root}`);
    expect(classCounts(dataset)).toEqual([6, 6, 6, 6, 6, 6, 6, 6, 0]);
    expect(dataset.notes).toContain('48 pictures, of 25,331 published');
    expect(dividedGroups(dataset)).toBe(0);
    expect(await firstBatch(dataset)).toEqual({ images: [4, 3, 32, 32], labels: [4] });
  });
});

describe('CheXpert', () => {
  const root = join(base, 'chexpert');
  const labelsOf = (dataset: DataSet, patient: string): (number | number[])[] =>
    dataset.samples.filter(({ group }) => group === patient).map(({ label }) => label);

  it('has fourteen labels, patients undivided, rows without a positive as No Finding', async () => {
    await writeChexpert(root);
    const dataset = await open(`chexpert:${root}`);
    expect([dataset.task, dataset.metric, dataset.classes.length]).toEqual([
      'multilabel',
      'auc',
      14,
    ]);
    expect(dataset.samples).toHaveLength(32);
    expect(dataset.notes).toContain('32 rows in train.csv, of 223,414 published');
    expect(dividedGroups(dataset)).toBe(0);
    expect(labelsOf(dataset, 'patient00005')).toEqual([[1, ...Array(13).fill(0)]]);
    expect(await firstBatch(dataset)).toEqual({ images: [4, 3, 32, 32], labels: [4, 14] });
    const again = await open(`chexpert:${join(root, 'CheXpert-v1.0-small')}`);
    expect(again.identity).toBe(dataset.identity);
  });

  it('treats uncertain labels as asked, and takes frontal views or the official split', async () => {
    const asOne = await open(`chexpert:${root}`, { uncertain: 'ones' });
    expect(labelsOf(asOne, 'patient00005')).toEqual([
      Array.from({ length: 14 }, (_, label) => (label === 7 ? 1 : 0)),
    ]);
    const left = await open(`chexpert:${root}`, { uncertain: 'ignore' });
    expect(labelsOf(left, 'patient00005')).toEqual([
      Array.from({ length: 14 }, (_, label) => (label === 7 ? -1 : label === 0 ? 1 : 0)),
    ]);
    const positives = classCounts(left);
    expect(positives).toEqual(classCounts(await open(`chexpert:${root}`)));
    expect((await open(`chexpert:${root}`, { views: 'frontal' })).samples).toHaveLength(24);
    const official = await open(`chexpert:${root}`, { valid: 'test' });
    expect(official.samples.filter(({ split }) => split === 'test')).toHaveLength(5);
    expect(sizesOf(official)[2]).toBe(5);
    expect(official.notes).toContain('5 rows in valid.csv, of 234 published');
  });

  it('has faulty rows listed', async () => {
    const folder = join(base, 'chexpert-broken');
    await writeChexpert(folder, 6, 'CheXpert-v1.0');
    const path = join(folder, 'CheXpert-v1.0', 'train.csv');
    const [header = '', ...rows] = readFileSync(path, 'utf8').trim().split('\n');
    const changed = [
      rows[0]?.replaceAll('/', '\\'),
      rows[1]?.replace('1.0,', '2.0,').replace('v1.0', 'v1.0'),
      rows[1]?.replace('patient00002', 'patient99999'),
      rows[2]?.replace('CheXpert-v1.0/train', '../../etc'),
      ...rows.slice(3),
      rows[4],
    ];
    changed[1] = rows[1]?.replace(/,-1\.0|,1\.0/, ',2.0');
    writeFileSync(path, [header, ...changed].join('\n'));
    const message = await messageOf(() => open(`chexpert:${folder}`));
    expect(message).toContain('4 faults');
    expect(message).toMatch(/row 3: "2\.0" in column /);
    expect(message).toContain('row 4: missing file CheXpert-v1.0/train/patient99999');
    expect(message).toContain('row 5: a path outside');
    expect(message).toMatch(/row \d+: the same image as row 7/);
  });
});

describe('PatchCamelyon', () => {
  const root = join(base, 'pcam');

  it('is read in its official split, from chunked, plain and gzipped files', async () => {
    await writePatchCamelyon(root);
    const dataset = await open(`patch-camelyon:${root}`);
    expect([dataset.task, dataset.metric]).toEqual(['binary', 'auc']);
    expect(sizesOf(dataset)).toEqual([24, 12, 12]);
    expect(dataset.notes).toContain('24 patches in train, of 262,144 published');
    expect(dataset.samples[0]?.group).toBe('camelyon16_train_normal_000');
    expect(await firstBatch(dataset)).toEqual({ images: [4, 3, 32, 32], labels: [4] });
    // Hashes are remembered: the same the second time.
    expect((await open(`pcam:${root}`)).identity).toBe(dataset.identity);
  });

  it('is refused where files are missing or disagree', async () => {
    const y = join(root, 'camelyonpatch_level_2_split_valid_y.h5');
    const train = join(root, 'camelyonpatch_level_2_split_train_y.h5');
    const kept = readFileSync(y);
    writeFileSync(y, readFileSync(train));
    expect(await messageOf(() => open(`pcam:${root}`))).toContain(
      'as many patches as there are labels, 24, got 12',
    );
    rmSync(y);
    expect(await messageOf(() => open(`pcam:${root}`))).toContain(
      'no camelyonpatch_level_2_split_valid_y.h5',
    );
    writeFileSync(y, kept.subarray(0, 1000));
    expect(await messageOf(() => open(`pcam:${root}`))).toMatch(
      /valid_y\.h5: expected a whole HDF5 file, got truncated file/,
    );
    const x = join(root, 'camelyonpatch_level_2_split_test_x.h5.gz');
    writeFileSync(y, kept);
    writeFileSync(x, readFileSync(x).subarray(0, 2000));
    expect(await messageOf(() => open(`pcam:${root}`))).toMatch(
      /test_x\.h5\.gz: expected .* in full, got truncated or damaged data/,
    );
  });
});

describe('arrays', () => {
  it('MedMNIST: any size, grey and colour, classes and labels, compressed or not', async () => {
    const path = join(base, 'medmnist', 'path.npz');
    await writeMedmnist(path);
    const dataset = await open(`medmnist:${path}`);
    expect([dataset.task, dataset.classes]).toEqual(['multiclass', ['0', '1', '2']]);
    expect(sizesOf(dataset)).toEqual([24, 12, 12]);
    expect(await firstBatch(dataset)).toEqual({ images: [4, 3, 32, 32], labels: [4] });
    const grey = join(base, 'medmnist', 'chest_64.npz');
    await writeMedmnist(grey, { colour: false, columns: 5, size: 64, compressed: false });
    const chest = await open(`npz:${grey}`);
    expect([chest.task, chest.metric, chest.classes.length]).toEqual(['multilabel', 'auc', 5]);
    expect(await firstBatch(chest)).toEqual({ images: [4, 3, 32, 32], labels: [4, 5] });
  });

  it('HDF5 with arrays of any name, texts as classes, groups', async () => {
    const path = join(base, 'own.h5');
    await writeOwnHdf5(path);
    const settings = {
      ...{ imageArray: 'scans/images', labelArray: 'scans/finding' },
      groupArray: 'scans/patient',
    };
    const dataset = await open(`hdf5:${path}`, settings);
    expect([dataset.task, dataset.classes]).toEqual(['binary', ['clear', 'nodule']]);
    expect(dividedGroups(dataset)).toBe(0);
    expect(await firstBatch(dataset)).toEqual({ images: [4, 3, 32, 32], labels: [4] });
    const message = await messageOf(() => open(`hdf5:${path}`, { imageArray: 'scan/images' }));
    expect(message).toContain('did you mean scans/images?');
  });
});
