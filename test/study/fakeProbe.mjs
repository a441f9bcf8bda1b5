// Stands in for `carryover study probe`: the run's `data` entry says how many milliseconds a step takes,
// with one thread (`several`) and with all (`one`).
import { text } from 'node:stream/consumers';

const config = JSON.parse(await text(process.stdin));
const { one, several } = config.data;
const stepSeconds = (config.training.threads === 1 ? several : one) / 1000;
process.stdout.write(
  JSON.stringify({
    stepSeconds,
    evaluationSeconds: 0,
    readSeconds: 0,
    startSeconds: 0,
    parameters: 1,
    // A slow step is measured in a smaller batch and scaled, as the real probe does.
    measuredBatch: config.training.threads === 1 ? 8 : 64,
  }),
);
