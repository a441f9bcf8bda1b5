/** All kinds of data set. A new one is a file in kinds/ and a line here. */
import type { DataSetKind } from './kind.ts';
import { aptos2019Kind } from './kinds/aptos2019.ts';
import { hdf5Kind, npzKind } from './kinds/arrays.ts';
import { cbisDdsmKind } from './kinds/cbisDdsm/cbisDdsm.ts';
import { chexpertKind } from './kinds/chexpert.ts';
import { csvKind } from './kinds/csv.ts';
import { folderKind } from './kinds/folder.ts';
import { imagesKind } from './kinds/images.ts';
import { isic2019Kind } from './kinds/isic2019.ts';
import { patchCamelyonKind } from './kinds/patchCamelyon.ts';

export const kinds = {
  folder: folderKind,
  csv: csvKind,
  isic2019: isic2019Kind,
  aptos2019: aptos2019Kind,
  'cbis-ddsm': cbisDdsmKind,
  chexpert: chexpertKind,
  'patch-camelyon': patchCamelyonKind,
  npz: npzKind,
  hdf5: hdf5Kind,
  images: imagesKind,
} as const;

export type KindName = keyof typeof kinds;

/** Other words for a kind, as people write them. */
export const kindAliases: Readonly<Record<string, KindName>> = {
  pcam: 'patch-camelyon',
  medmnist: 'npz',
  h5: 'hdf5',
};

/** Name and one line of description of each kind, for help. */
export function describeKinds(): { kind: string; description: string }[] {
  return Object.values<Pick<DataSetKind, 'kind' | 'description'>>(kinds).map(
    ({ kind, description }) => ({ kind, description }),
  );
}
