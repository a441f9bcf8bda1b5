/** The program's entry: importing this module runs the command line of this process. */
import { runProgram } from './program.ts';

// A reader that goes away (`carryover … | head`) is no error of ours.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0);
    throw error;
  });
}

// A run that a study started stops at a step boundary when the study's process is gone, however it went.
if (process.channel) {
  process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  process.channel.unref();
}

process.exitCode = await runProgram(process.argv.slice(2));
