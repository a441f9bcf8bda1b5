/**
 * Times a re-initialisation sweep with activations re-used and by whole passes, and says whether the
 * logits are equal to the bit. Prints one JSON object: seconds of both.
 */
import { parseArgs } from 'node:util';
import { ResetSweep } from '../../src/analysis/index.ts';
import { createModel } from '../../src/models/index.ts';
import { ops, setThreadCount } from '../../src/tensor/index.ts';
import { initialise } from '../../src/transfer/index.ts';

const { values: flags } = parseArgs({
  options: {
    model: { type: 'string', default: 'resnet50' },
    batch: { type: 'string', default: '32' },
    threads: { type: 'string', default: '2' },
  },
});
setThreadCount(Number(flags.threads));
const networkOf = (seed: number) => {
  const model = createModel(flags.model, { classes: 8 });
  initialise(model, { scheme: 'ri', seed });
  return model.eval();
};
const [model, initial] = [networkOf(0), networkOf(1)];
const sweep = new ResetSweep(model, initial, { device: 'cpu', precision: 'fp32' });
const size = model.inputSize;
const images = ops
  .normal_(ops.zeros([Number(flags.batch), 3, size, size]))
  .contiguous('channelsLast');
sweep.logits(images);
const ours: number[] = [];
const plain: number[] = [];
let equal = true;
for (let round = 0; round < 2; round++) {
  const first = performance.now();
  const shared = sweep.logits(images);
  const second = performance.now();
  const whole = sweep.plainLogits(images);
  ours.push((second - first) / 1000);
  plain.push((performance.now() - second) / 1000);
  for (const [tap, values] of shared.reset) {
    equal &&= values.every((value, at) => value === whole.reset.get(tap)?.[at]);
  }
}
process.stdout.write(
  `${JSON.stringify({ ours: Math.min(...ours), plain: Math.min(...plain), equal })}\n`,
);
