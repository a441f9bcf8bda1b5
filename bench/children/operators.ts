/** Times small operators through the addon. Prints one JSON object: nanoseconds a call by operator. */
import { noGrad, ops, scope, setThreadCount, tensor } from '../../src/tensor/index.ts';
import { median } from '../../src/util/index.ts';

const CALLS = 20_000;
/** Tensors that a scope holds before it frees them: as many as a layer or two make. */
const SCOPE = 100;

setThreadCount(1);
const x = tensor([1, 1, 1, 1, 1, 1], { shape: [2, 3] });
const image = ops.ones([1, 1, 4, 4]);
const kernel = ops.ones([1, 1, 3, 3]);
const weight = ops.ones([3, 3]);
const many = Array.from({ length: 50 }, () => ops.ones([4]));
const cases: Record<string, () => unknown> = {
  add: () => ops.add(x, x),
  add_: () => ops.add_(x, 0),
  mul_scalar: () => ops.mul(x, 1.5),
  sum_dim: () => ops.sum(x, [1], true),
  reshape: () => ops.reshape(x, [3, 2]),
  linear: () => ops.linear(x, weight),
  cat: () => ops.cat([x, x], 0),
  conv2d: () => ops.conv2d(image, kernel, undefined, 1, 1),
  foreach_mul_: () => ops._foreachMul_(many, 1.5),
};

function nanosecondsOf(call: () => unknown): number {
  const rounds = Array.from({ length: 7 }, () => {
    const start = process.hrtime.bigint();
    for (let done = 0; done < CALLS; done += SCOPE) {
      scope(() => {
        for (let index = 0; index < SCOPE; index++) call();
      });
    }
    return Number(process.hrtime.bigint() - start) / CALLS;
  });
  return median(rounds);
}

const result = noGrad(() =>
  Object.fromEntries(Object.entries(cases).map(([name, call]) => [name, nanosecondsOf(call)])),
);
process.stdout.write(`${JSON.stringify(result)}\n`);
