/** Features that are numbers. */
import { WorkError } from '../util/index.ts';

/** Where a bad number was seen. */
export interface FeaturePlace {
  tap: string;
  image: string;
}

/** @throws WorkError that names the tap and the first image with a value that is not finite. */
export function requireFiniteRows(
  values: ArrayLike<number>,
  width: number,
  placeOf: (row: number) => FeaturePlace,
): void {
  for (let at = 0; at < values.length; at++) {
    if (!Number.isFinite(values[at])) throw nonFinite(placeOf(Math.floor(at / width)), values[at]);
  }
}

export function nonFinite({ tap, image }: FeaturePlace, value: number | undefined): WorkError {
  return new WorkError({
    where: `features of ${image} at ${tap}`,
    expected: 'finite numbers',
    got: String(value),
    hint: 'the network has diverged; with bf16, try --precision fp32',
  });
}
