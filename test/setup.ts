/**
 * The one numeric matcher: explicit tolerances, and it fails on NaN, on infinities that differ and on
 * lengths that differ.
 */
import { expect } from 'vitest';
import { Tensor } from '../src/tensor/index.ts';

type Numeric = number | ArrayLike<number | bigint> | Tensor;

interface Tolerance {
  /** Of the larger magnitude of the two. */
  relative?: number;
  absolute?: number;
}

function toNumbers(value: Numeric): number[] {
  if (typeof value === 'number') return [value];
  if (value instanceof Tensor) return value.toArray();
  return Array.from<number | bigint, number>(value, Number);
}

function firstDifference(
  actual: number[],
  expected: number[],
  tolerance: Tolerance,
): string | undefined {
  if (actual.length !== expected.length) return `${expected.length} values, got ${actual.length}`;
  const { relative = 0, absolute = 0 } = tolerance;
  for (let index = 0; index < actual.length; index++) {
    const [a = Number.NaN, e = Number.NaN] = [actual[index], expected[index]];
    if (a === e) continue;
    const allowed = absolute + relative * Math.max(Math.abs(a), Math.abs(e));
    // Written so that NaN on either side fails.
    if (!(Math.abs(a - e) <= allowed) || !Number.isFinite(allowed)) {
      return `${e} at index ${index} within ${allowed}, got ${a}`;
    }
  }
  return undefined;
}

expect.extend({
  toBeAllclose(actual: Numeric, expected: Numeric, tolerance: Tolerance) {
    const difference = firstDifference(toNumbers(actual), toNumbers(expected), tolerance);
    return {
      pass: difference === undefined,
      message: () => (difference ? `expected ${difference}` : 'expected values that differ'),
    };
  },
});

declare module 'vitest' {
  interface Matchers<T> {
    /** Every value within `absolute + relative · max(|actual|, |expected|)`; never true of NaN. */
    toBeAllclose(expected: Numeric, tolerance: Tolerance): T;
  }
}
