/** The program's entry: importing this module runs the command line of this process. */
import { runProgram } from './program.ts';

// A reader that goes away (`carryover … | head`) is no error of ours.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0);
    throw error;
  });
}

process.exitCode = await runProgram(process.argv.slice(2));
