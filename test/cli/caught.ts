/** The program in this process, with its output caught. */
import { runProgram } from '../../src/cli/program.ts';

export interface Caught {
  code: number;
  stdout: string;
  stderr: string;
}

export async function runCaught(...argv: string[]): Promise<Caught> {
  let stdout = '';
  let stderr = '';
  process.exitCode = undefined;
  const code = await runProgram(argv, {
    stdout: { write: (text: string) => (stdout += text) },
    stderr: { write: (text: string) => (stderr += text) },
  });
  // The program says by it how it ended; the tests themselves have not.
  process.exitCode = undefined;
  return { code, stdout, stderr };
}
