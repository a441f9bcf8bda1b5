/** GELU in bfloat16 on the processor, from the addon of native/activation/: LibTorch's up to rounding, and faster. */
import { loadExtension } from './extensions.ts';
import { invoke, Operator } from './operator.ts';
import { one } from './results.ts';
import type { Tensor } from './tensor.ts';

const operator = new Operator('carryover::gelu');
const isLoaded = loadExtension('activation') !== undefined;

/** Whether `fastGelu` is there: built, and not switched off by `CARRYOVER_ACTIVATION=0`. */
export function hasFastGelu(): boolean {
  return isLoaded;
}

/** x · Φ(x) of any shape; what is not bfloat16 on the processor goes to `aten::gelu`. First derivatives only. */
export function fastGelu(input: Tensor): Tensor {
  return one(invoke(operator, input.handle));
}
