/** Runs the program on this process's arguments and tells on stderr which shared libraries are loaded. */
import { runProgram } from '../../src/cli/program.ts';

const code = await runProgram(process.argv.slice(2));
const report: unknown = process.report.getReport();
process.stderr.write(`\nLOADED ${code} ${JSON.stringify(report).includes('libtorch')}\n`);
