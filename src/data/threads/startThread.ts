/** Starting one of the program's own modules as a worker thread, from the build or from sources. */
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { startable } from '../../util/index.ts';

/**
 * A thread that runs the module `relative` to `importMetaUrl`, named without extension. A source file
 * needs its loader inside the thread, which Node does not take from the command line there.
 */
export function startThread(relative: string, importMetaUrl: string): Worker {
  const { path } = startable(relative, importMetaUrl);
  if (!path.endsWith('.ts')) return new Worker(path, { execArgv: [] });
  const loader = import.meta.resolve('tsx/esm/api');
  const module = pathToFileURL(path).href;
  const start = `import(${JSON.stringify(loader)}).then((tsx) => {
    tsx.register();
    return import(${JSON.stringify(module)});
  });`;
  return new Worker(start, { eval: true, execArgv: [] });
}
