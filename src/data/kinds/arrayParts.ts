/** Which arrays of a file hold pictures, labels, groups and splits. */
import { nearestNames, RequestError } from '../../util/index.ts';
import type { SplitName } from '../dataSet.ts';
import type { ArrayFile } from '../formats/arrayFile.ts';
import { shortList } from '../problems.ts';
import { splitOfWord } from './common.ts';

/** Arrays that belong together: all of a file, or those of one split. */
export interface ArrayPart {
  split?: SplitName;
  images: string;
  labels: string;
  groups?: string;
  splits?: string;
}

interface ArrayNames {
  imageArray?: string;
  labelArray?: string;
  groupArray?: string;
  splitArray?: string;
}

const common = {
  imageArray: ['images', 'image', 'x', 'imgs', 'img', 'pixels', 'data'],
  labelArray: ['labels', 'label', 'y', 'targets', 'target', 'classes', 'class'],
  groupArray: ['groups', 'group', 'patients', 'patient', 'patient_id', 'subject', 'lesion_id'],
  splitArray: ['splits', 'split', 'subset', 'partition'],
} as const;

type Role = keyof typeof common;

/** Arrays of one role: by split, or a single one for all pictures. */
type Found = Map<SplitName | 'all', string>;

/** @throws RequestError where pictures or labels are not to be found. */
export function findParts(file: ArrayFile, given: ArrayNames, notes: string[]): ArrayPart[] {
  const find = (role: Role, required: boolean): Found => {
    const found = findRole(file, role, given[role]);
    if (found.size === 0 && required) throw notFound(file, role, given[role]);
    if (found.size > 0 && given[role] === undefined) {
      notes.push(`${role} found by name: ${[...found.values()].join(', ')}`);
    }
    return found;
  };
  const images = find('imageArray', true);
  const labels = find('labelArray', true);
  const groups = find('groupArray', given.groupArray !== undefined);
  const splits = find('splitArray', given.splitArray !== undefined);
  return [...images].map(([split, name]) => {
    const label = labels.get(split);
    if (label === undefined) {
      throw new RequestError({
        where: file.path,
        expected: `labels for the pictures in ${name}`,
        got: `labels in ${[...labels.values()].join(', ')} only`,
        hint: 'name the arrays: imageArray and labelArray',
      });
    }
    const group = groups.get(split);
    const own = splits.get(split);
    return {
      ...(split === 'all' ? {} : { split }),
      images: name,
      labels: label,
      ...(group === undefined ? {} : { groups: group }),
      ...(own === undefined ? {} : { splits: own }),
    };
  });
}

/** Split and role in a name: train_images, train/images, images_train, images/train. */
function partsOfName(name: string): { split: SplitName; base: string }[] {
  return [/^([^_/]+)[_/](.+)$/, /^(.+)[_/]([^_/]+)$/].flatMap((pattern, position) => {
    const match = pattern.exec(name);
    const split = match && splitOfWord(match[position === 0 ? 1 : 2] ?? '');
    return match && split ? [{ split, base: match[position === 0 ? 2 : 1] ?? '' }] : [];
  });
}

/** The arrays that the user named, else those of the first common name that the file has. */
function findRole(file: ArrayFile, role: Role, named: string | undefined): Found {
  const found: Found = new Map();
  if (named !== undefined && file.names.includes(named)) return found.set('all', named);
  for (const candidate of named === undefined ? common[role] : [named]) {
    const isIt = (name: string): boolean =>
      named === undefined ? name.toLowerCase() === candidate : name === candidate;
    for (const name of file.names) {
      for (const { split, base } of partsOfName(name)) {
        if (isIt(base) && !found.has(split)) found.set(split, name);
      }
    }
    if (found.size > 0) return found;
    const plain = file.names.find(isIt);
    if (plain !== undefined) return found.set('all', plain);
  }
  return found;
}

function notFound(file: ArrayFile, role: Role, named: string | undefined): RequestError {
  const near = named === undefined ? [] : nearestNames(named, [...file.names]);
  return new RequestError({
    where: file.path,
    expected:
      named === undefined
        ? `an array named ${common[role].slice(0, 3).join(', ')} or the like (${role})`
        : `an array "${named}" (${role})`,
    got: file.names.length > 0 ? `the arrays ${shortList(file.names, 20)}` : 'no arrays',
    hint: near.length > 0 ? `did you mean ${near.join(', ')}?` : `name it: ${role}: <array>`,
  });
}
