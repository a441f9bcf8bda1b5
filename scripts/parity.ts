/**
 * Compares the losses of training steps with a file of scripts/golden/train_losses.py: prints a table,
 * and fails where one differs by more than 1e-4 relative. Started by scripts/parity.sh.
 */
import { readFileSync } from 'node:fs';
import { availableCores, libtorchVersion, setThreadCount } from '../src/tensor/index.ts';
import { largestRelativeError, lossesOf, type ParityFile } from '../test/train/parityCases.ts';

const TOLERANCE = 1e-4;

const reference: ParityFile = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'));
if (!process.env.OMP_NUM_THREADS) setThreadCount(availableCores());
const lines = [`PyTorch ${reference.torch}, LibTorch here ${libtorchVersion()}, float32`];
for (const parity of reference.cases) {
  const ours = lossesOf(parity, reference.classes);
  const error = largestRelativeError(ours, parity.losses);
  const verdict = error <= TOLERANCE ? 'ok' : 'DIFFERS';
  if (error > TOLERANCE) process.exitCode = 1;
  lines.push(
    `${parity.name}: ${parity.size} px, batch ${parity.batch}, ${parity.optimizer}`,
    `  PyTorch ${parity.losses.map((loss) => loss.toFixed(7)).join('  ')}`,
    `  ours    ${ours.map((loss) => loss.toFixed(7)).join('  ')}`,
    `  largest relative difference ${error.toExponential(2)}: ${verdict}`,
  );
}
process.stdout.write(`${lines.join('\n')}\n`);
