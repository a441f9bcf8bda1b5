/** `carryover doctor`: what this machine has, how fast it is, and what to mend. */
import type { Command } from 'commander';
import type { Examination } from '../doctor/examine.ts';
import { describeDevices } from '../doctor/gpus.ts';
import { outputOf } from '../output.ts';

const gibibyte = 2 ** 30;

export function registerDoctor(program: Command): void {
  program
    .command('doctor')
    .description('what this machine has, how fast it multiplies, and what to mend')
    .addHelpText('after', '\nExample:\n  $ carryover doctor')
    .action(async (_options: unknown, command: Command) => {
      const output = outputOf(command);
      // Loads LibTorch, and says what to do where that fails.
      const { examine } = await import('../doctor/examine.ts');
      const examination = await examine(process.cwd());
      for (const [label, value] of describe(examination)) {
        output.line(`${label.padEnd(12)}${value}`);
      }
      output.line();
      for (const { level, message, advice } of examination.findings) {
        output.line(`${level}: ${message}${advice === undefined ? '' : ` (${advice})`}`);
      }
      output.document(examination);
    });
}

function describe(seen: Examination): [label: string, value: string][] {
  const speeds = seen.speeds.map(({ device, float32, bfloat16 }): [string, string] => [
    `GEMM ${device}`,
    `${gigaflops(float32)} GFLOP/s in float32, ` +
      (bfloat16 === undefined ? 'no bfloat16' : `${gigaflops(bfloat16)} in bfloat16`),
  ]);
  const devices = seen.speeds.map(({ device }) => device);
  return [
    ['Node', `${seen.node} on ${seen.system}`],
    ['LibTorch', `${seen.libtorch} in ${seen.place}`],
    ['processor', `${seen.processor}, ${seen.instructions} kernels`],
    ['devices', describeDevices(devices, seen)],
    ['threads', `${seen.cores} (the cores that this process may use)`],
    ['BLAS', seen.blas],
    ['kernels', seen.kernels],
    ['JPEG files', `decoded by ${seen.jpeg}`],
    ...speeds,
    ['bfloat16', seen.bfloat16Hardware ? 'in the processor’s hardware' : 'not in the processor'],
    ['memory', `${size(seen.availableMemory)} of ${size(seen.totalMemory)} free`],
    ['disk', `${size(seen.freeDisk)} free in ${seen.folder}`],
  ];
}

function size(bytes: number): string {
  return `${(bytes / gibibyte).toFixed(1)} GiB`;
}

function gigaflops(value: number): string {
  return value < 10 ? value.toFixed(1) : value.toFixed(0);
}
