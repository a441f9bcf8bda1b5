import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import {
  classCounts,
  makeSplits,
  openDataSet,
  parseDataArgument,
  parseDataSpec,
} from '../../src/data/index.ts';
import { messageOf, temporaryFolder, writePictures, writeText } from './pictures.ts';

const base = temporaryFolder();
const cacheFolder = join(base, 'cache');
const names = ['ISIC_01', 'ISIC_02_downsampled', 'ISIC_03', 'ISIC_04'];
await writePictures(
  join(base, 'full', 'ISIC_2019_Training_Input'),
  names.map((name) => `${name}.jpg`),
);
const root = join(base, 'full');
const truth = join(root, 'ISIC_2019_Training_GroundTruth.csv');
const eight = 'image,MEL,NV,BCC,AK,BKL,DF,VASC,SCC';
const rowOf = (name: string, position: number, width: number): string =>
  [name, ...Array.from({ length: width }, (_, k) => (k === position ? '1.0' : '0.0'))].join(',');
const open = () => openDataSet(parseDataArgument(`isic2019:${root}`), { cacheFolder });

describe('ISIC 2019', () => {
  it('is read in its official layout, with eight or nine columns', async () => {
    writeText(truth, `${eight}\n${names.map((name, k) => rowOf(name, k % 2, 8)).join('\n')}\n`);
    const dataset = await open();
    expect(dataset.classes).toHaveLength(8);
    expect(dataset.samples.map(({ id, label }) => [id, label])).toEqual([
      ['ISIC_01', 0],
      ['ISIC_02_downsampled', 1],
      ['ISIC_03', 0],
      ['ISIC_04', 1],
    ]);
    expect([dataset.task, dataset.metric]).toEqual(['multiclass', 'recall']);
    expect(dataset.notes.join('\n')).toContain('no samples of BCC, AK, BKL, DF, VASC, SCC');
    writeText(truth, `${eight},UNK\n${names.map((name) => rowOf(name, 8, 9)).join('\n')}\n`);
    expect((await open()).samples.every(({ label }) => label === 8)).toBe(true);
  });

  it('takes groups from the metadata, where a lesion is named', async () => {
    writeText(truth, `${eight}\n${names.map((name, k) => rowOf(name, k % 2, 8)).join('\n')}\n`);
    expect((await open()).notes[0]).toContain('no ISIC_2019_Training_Metadata.csv');
    const metadata = `image,age_approx,anatom_site_general,lesion_id,sex\n${names[0]},55,,L1,male\n${names[1]},55,,L1,male\n${names[2]},,,,\n`;
    const path = writeText(join(base, 'metadata.csv'), metadata);
    const spec = parseDataSpec({ kind: 'isic2019', path: root, metadata: path });
    const { samples } = await openDataSet(spec, { cacheFolder });
    expect(samples.map(({ group }) => group)).toEqual(['L1', 'L1', undefined, undefined]);
  });

  it('has all faulty rows listed', async () => {
    const rows = [
      rowOf('ISIC_01', 0, 8),
      rowOf('ISIC_01', 0, 8),
      rowOf('ISIC_09', 1, 8),
      rowOf('ISIC_03', 99, 8),
      'ISIC_04,1.0,1.0,0,0,0,0,0,0',
    ];
    writeText(truth, `${eight}\n${rows.join('\n')}\n`);
    const message = await messageOf(open);
    expect(message).toContain('row 3: the same image as row 2, ISIC_01');
    expect(message).toContain('row 4: missing file ISIC_09');
    expect(message).toContain('row 5: not a single 1 among 0 for ISIC_03');
    expect(message).toContain('row 6: not a single 1 among 0 for ISIC_04');
    expect(message).toContain('4 faults:');
  });

  it('is refused with other columns, or without its parts', async () => {
    writeText(truth, 'image,MEL,NV\nISIC_01,1,0\n');
    expect(await messageOf(open)).toContain('8 or 9 diagnoses');
    const spec = parseDataArgument(`isic2019:${join(root, 'ISIC_2019_Training_Input')}`);
    expect(await messageOf(() => openDataSet(spec))).toContain('no such file');
  });
});

const real = fileURLToPath(new URL('../../../shared/data/isic2019-mini', import.meta.url));

describe.skipIf(!existsSync(real))(`real dermoscopy (skipped without ${real})`, () => {
  it('is opened, split and identified the same twice', async () => {
    const spec = parseDataArgument(`isic2019:${real}`);
    const dataset = await openDataSet(spec, { cacheFolder });
    expect(dataset.samples).toHaveLength(2000);
    expect(dataset.classes).toEqual(['MEL', 'NV', 'BCC', 'AK', 'BKL', 'DF', 'VASC', 'SCC', 'UNK']);
    expect(classCounts(dataset)).toEqual([400, 520, 300, 200, 380, 90, 110, 0, 0]);
    const splits = makeSplits(dataset, { seed: 0 });
    expect(classCounts(dataset, splits.test)).toEqual([40, 52, 30, 20, 38, 9, 11, 0, 0]);
    expect((await openDataSet(spec, { cacheFolder })).identity).toBe(dataset.identity);
  });
});
