/** What an operator answers, wrapped. Used by the generated wrappers alone. */
import { WorkError } from '../util/index.ts';
import type { NativeResult } from './native.ts';
import { Tensor } from './tensor.ts';

function unexpected(expected: string, result: NativeResult): WorkError {
  return new WorkError({ where: 'operator', expected, got: String(result) });
}

/** A result that is one tensor. */
export function one(result: NativeResult): Tensor {
  if (typeof result !== 'number') throw unexpected('a tensor', result);
  return new Tensor(result);
}

/** A result that is a list of tensors, however many. */
export function list(result: NativeResult): Tensor[] {
  if (!Array.isArray(result)) throw unexpected('tensors', result);
  return result.map(one);
}

/** A result that is two tensors. */
export function pair(result: NativeResult): [Tensor, Tensor] {
  const [first, second, ...others] = list(result);
  if (!first || !second || others.length > 0) throw unexpected('two tensors', result);
  return [first, second];
}

/** A result that is three tensors. */
export function triple(result: NativeResult): [Tensor, Tensor, Tensor] {
  const [first, second, third, ...others] = list(result);
  if (!first || !second || !third || others.length > 0) throw unexpected('three tensors', result);
  return [first, second, third];
}

/** A result that is four tensors. */
export function quadruple(result: NativeResult): [Tensor, Tensor, Tensor, Tensor] {
  const [first, second, third, fourth, ...others] = list(result);
  if (!first || !second || !third || !fourth || others.length > 0) {
    throw unexpected('four tensors', result);
  }
  return [first, second, third, fourth];
}

/** A result that is a plain number. */
export function number(result: NativeResult): number {
  if (typeof result !== 'number') throw unexpected('a number', result);
  return result;
}

/** A result that is a truth value. */
export function truth(result: NativeResult): boolean {
  if (typeof result !== 'boolean') throw unexpected('a boolean', result);
  return result;
}
