import { builtin, type Engine, engine, type Thread } from './engine.ts';

// The global one, by its name: so that bundlers know it.
declare const Worker: Engine['Worker'];

let policy: ReturnType<NonNullable<Engine['trustedTypes']>['createPolicy']> | undefined;

/** A new worker that runs worker.js; throws where the page's policy allows none. */
export function spawn(): Thread {
  const node = builtin<{ Worker: new (address: URL, options: object) => Thread }>('node:worker_threads');
  if (node) {
    // Without the flags of the process: no loaders, no debugger.
    return new node.Worker(new URL('./worker.js', import.meta.url), { execArgv: [] });
  }
  try {
    // In this form bundlers find the worker's file.
    return new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
  } catch (error) {
    // A page that demands trusted types.
    policy ??= engine.trustedTypes?.createPolicy('dnnc', { createScriptURL: (address: string) => address });
    if (!policy) throw error;
    const address = new URL('./worker.js', import.meta.url).href;
    return new Worker(policy.createScriptURL(address), { type: 'module' });
  }
}

/** How many threads the machine runs at once. */
export const cores = (): number =>
  engine.navigator?.hardwareConcurrency ??
  builtin<{ availableParallelism(): number }>('node:os')?.availableParallelism() ??
  1;
