/** An ATen operator by name, prepared in the addon at its first call. */
import { type NativeArgument, type NativeResult, native } from './native.ts';

/** An operator and, after its first call, the addon's plan for its arguments. */
export class Operator {
  readonly name: string;
  readonly overload: string;
  /** The addon's id, -1 before the first call. */
  id = -1;

  constructor(name: string, overload = '') {
    this.name = name;
    this.overload = overload;
  }
}

/** Calls an operator with positional arguments, keyword-only ones after them in the schema's order. */
export function invoke(operator: Operator, ...values: NativeArgument[]): NativeResult {
  if (operator.id < 0) operator.id = native.operator(operator.name, operator.overload);
  return native.call(operator.id, ...values);
}
