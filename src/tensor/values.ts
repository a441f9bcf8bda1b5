/** What may be passed to an overloaded operator, and the tests that pick the overload. */
import type { Generator } from './generator.ts';
import { type Scalar, Tensor } from './tensor.ts';

/** The trailing object of keyword-only arguments. */
export type OperatorOptions = Readonly<
  Record<string, Tensor | Scalar | string | readonly number[] | Generator | undefined>
>;

export type OperatorValue =
  | Tensor
  | Scalar
  | string
  | readonly Tensor[]
  | readonly (Tensor | undefined)[]
  | readonly number[]
  | readonly Scalar[]
  | OperatorOptions
  | undefined;

export function isScalar(value: OperatorValue): value is Scalar {
  return typeof value === 'number' || typeof value === 'boolean';
}

export function isTensorList(value: OperatorValue): value is readonly Tensor[] {
  return Array.isArray(value) && value[0] instanceof Tensor;
}

export function isNumberList(value: OperatorValue): value is readonly number[] {
  return Array.isArray(value) && !(value[0] instanceof Tensor);
}

export function isOptions(value: OperatorValue): value is OperatorOptions {
  return typeof value === 'object' && !Array.isArray(value) && !(value instanceof Tensor);
}
