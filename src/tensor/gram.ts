/** The Gram matrix of centred features on the processor, in one pass over them, from native/analysis/. */
import { loadExtension } from './extensions.ts';
import { handlesOf } from './modes.ts';
import { invoke, Operator } from './operator.ts';
import { Tensor } from './tensor.ts';

const operator = new Operator('carryover::gram');
const isLoaded = loadExtension('analysis') !== undefined;

export interface FeatureGram {
  /** [samples, samples] float64: products of features less their means. */
  products: Tensor;
  /** The sum of the features' squared means. */
  squaredMeans: number;
}

/**
 * @param parts a batch in parts, each [b, features] of float32 or all of bfloat16
 * @returns undefined where the addon is not there (`CARRYOVER_ANALYSIS=0` switches it off) or does not take the parts
 */
export function centredGram(parts: readonly Tensor[]): FeatureGram | undefined {
  if (!isLoaded || parts.some(({ device }) => device !== 'cpu')) return undefined;
  const result = invoke(operator, handlesOf(parts));
  if (!Array.isArray(result)) return undefined;
  const [products, squaredMeans] = result;
  if (typeof products !== 'number' || typeof squaredMeans !== 'number') return undefined;
  return { products: new Tensor(products), squaredMeans };
}
