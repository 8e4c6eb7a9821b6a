import { builtin, engine, type Thread } from './engine.ts';

/** A new worker that runs worker.js; throws where the page's policy allows none. */
export function spawn(): Thread {
  const node = builtin<{ Worker: new (address: URL, options: object) => Thread }>('node:worker_threads');
  if (node) {
    // Without the flags of the process: no loaders, no debugger.
    return new node.Worker(new URL('./worker.js', import.meta.url), { execArgv: [] });
  }
  const { Worker } = engine;
  // In this form bundlers find the worker's file.
  return new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
}

/** How many threads the machine runs at once. */
export const cores = (): number =>
  engine.navigator?.hardwareConcurrency ??
  builtin<{ availableParallelism(): number }>('node:os')?.availableParallelism() ??
  1;
