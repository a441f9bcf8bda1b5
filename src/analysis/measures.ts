/** The measures of runs by name: one line each. */
import type { MeasureName } from '../results/index.ts';
import { nearestNames, RequestError } from '../util/index.ts';
import { attention } from './attention.ts';
import { calibration } from './calibration.ts';
import { cka } from './cka.ts';
import { convergence } from './convergence.ts';
import { knn } from './knn.ts';
import { l2 } from './l2.ts';
import type { Measure } from './measure.ts';
import { reinit } from './reinit.ts';

const measures: Record<MeasureName, Measure> = {
  knn,
  cka,
  l2,
  reinit,
  attention,
  convergence,
  calibration,
};

export function allMeasures(): Measure[] {
  return Object.values(measures);
}

/** @throws RequestError for an unknown name, with the nearest. */
export function measureOf(name: string): Measure {
  const measure = allMeasures().find((one) => one.name === name);
  if (measure) return measure;
  const known = allMeasures().map((one) => one.name);
  const near = nearestNames(name, known);
  throw new RequestError({
    where: 'measure',
    expected: `one of ${known.join(', ')}`,
    got: `"${name}"`,
    hint: near.length > 0 ? `did you mean ${near.join(' or ')}?` : undefined,
  });
}
