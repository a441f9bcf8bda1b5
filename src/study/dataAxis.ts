/** The data-size axis: one entry of a study file that stands for several parts of one data set. */
import type { DataAxisSpec, DataSpec } from '../data/index.ts';

/** A data set of a study. */
export interface NamedData {
  name: string;
  /** With absolute paths. */
  spec: DataSpec;
  /** The entry of the study file that it is a smaller part of: `isic2019` of `isic2019@500`. */
  partOf?: string;
}

/** The sizes that an entry lists; empty for a plain data set. */
export interface DataAxis {
  nTrain?: (number | 'all')[];
  fraction?: number[];
}

/** An entry without its lists, and the lists. A size that is no list stays in the entry. */
export function axisOf(entry: DataAxisSpec): { whole: DataSpec; axis: DataAxis } {
  const { fraction, nTrain, n_train, ...rest } = entry;
  const samples = nTrain ?? n_train;
  const plain = {
    ...(typeof fraction === 'number' ? { fraction } : {}),
    ...(typeof samples === 'number' ? { nTrain: samples } : {}),
  };
  return {
    whole: { ...rest, ...plain },
    axis: {
      ...(Array.isArray(fraction) ? { fraction } : {}),
      ...(Array.isArray(samples) ? { nTrain: samples } : {}),
    },
  };
}

/** The data sets of an axis: each size by its name, the whole training split by the entry's own. */
export function partsOf(name: string, spec: DataSpec, axis: DataAxis): NamedData[] {
  const { fraction, nTrain } = axis;
  if (fraction) {
    return fraction.map((share) =>
      share === 1
        ? { name, spec }
        : { name: `${name}@${share}`, spec: { ...spec, fraction: share }, partOf: name },
    );
  }
  if (!nTrain) return [{ name, spec }];
  return nTrain.map((size) =>
    size === 'all'
      ? { name, spec }
      : { name: `${name}@${size}`, spec: { ...spec, nTrain: size }, partOf: name },
  );
}
