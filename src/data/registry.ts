/** All kinds of data set. A new one is a file in kinds/ and a line here. */
import type { DataSetKind } from './kind.ts';
import { csvKind } from './kinds/csv.ts';
import { folderKind } from './kinds/folder.ts';
import { isic2019Kind } from './kinds/isic2019.ts';

export const kinds = { folder: folderKind, csv: csvKind, isic2019: isic2019Kind } as const;

export type KindName = keyof typeof kinds;

/** Name and one line of description of each kind, for help. */
export function describeKinds(): { kind: string; description: string }[] {
  return Object.values<Pick<DataSetKind, 'kind' | 'description'>>(kinds).map(
    ({ kind, description }) => ({ kind, description }),
  );
}
