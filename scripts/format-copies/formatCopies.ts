/** Small copies of public data sets in their published formats, made by a program. */
import { join } from 'node:path';
import { writeMedmnist, writeOwnHdf5, writePatchCamelyon } from './arraySets.ts';
import { writeCbisDdsm } from './cbisDdsm.ts';
import { writeAptos2019, writeChexpert, writeIsic2019 } from './publicSets.ts';

/** By what `--data` is to say of them: the kind, and the path below the folder. */
export const formatCopies: Readonly<Record<string, (path: string) => Promise<void>>> = {
  'aptos2019:aptos2019': (path) => writeAptos2019(path),
  'cbis-ddsm:cbis-ddsm-classic': (path) => writeCbisDdsm(path, 'classic'),
  'cbis-ddsm:cbis-ddsm-descriptive': (path) => writeCbisDdsm(path, 'descriptive'),
  'cbis-ddsm:cbis-ddsm-jpeg': (path) => writeCbisDdsm(path, 'jpeg'),
  'isic2019:isic2019': (path) => writeIsic2019(path),
  'chexpert:chexpert': (path) => writeChexpert(path),
  'patch-camelyon:patch-camelyon': (path) => writePatchCamelyon(path),
  'npz:medmnist/pathmnist.npz': (path) => writeMedmnist(path),
  'npz:medmnist/chestmnist.npz': (path) => writeMedmnist(path, { colour: false, columns: 5 }),
  'hdf5:own.h5': (path) => writeOwnHdf5(path),
};

/** Writes all of them. @returns what `--data` is to say of each. */
export async function writeFormatCopies(folder: string): Promise<string[]> {
  const names: string[] = [];
  for (const [name, write] of Object.entries(formatCopies)) {
    const [kind = '', path = ''] = name.split(':');
    await write(join(folder, path));
    names.push(`${kind}:${join(folder, path)}`);
  }
  return names;
}
