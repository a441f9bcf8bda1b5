/** Starting this project's own modules in workers and child processes, from sources or from the build. */
import { fileURLToPath } from 'node:url';

export interface Startable {
  /** Absolute path of the module. */
  path: string;
  /** Options for Node itself: the TypeScript loader where the module is a source file. */
  execArgv: string[];
}

/**
 * The module `relative` to `importMetaUrl`, named without extension, as something to start: the built
 * `.js` beside a built caller, the `.ts` source (through tsx) beside a source.
 */
export function startable(relative: string, importMetaUrl: string): Startable {
  const fromSource = importMetaUrl.endsWith('.ts');
  const path = fileURLToPath(new URL(`${relative}${fromSource ? '.ts' : '.js'}`, importMetaUrl));
  return { path, execArgv: fromSource ? ['--import', 'tsx'] : [] };
}
