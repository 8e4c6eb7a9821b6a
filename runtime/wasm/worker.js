// @ts-check
// A thread of the pool (pool.ts): makes an instance over the shared memory, says so, then serves until it is let go.
// A file of its own, without imports, so that it loads under a policy that allows scripts of the same origin alone.
const node = globalThis.process?.getBuiltinModule?.('node:worker_threads');
const port = /** @type {any} */ (node ? node.parentPort : globalThis);
/** @type {(thread: number, threads: number) => void} */
let serve;

port.onmessage = (/** @type {{ data: any }} */ { data }) => {
  if (data.module) {
    const { WebAssembly } = /** @type {any} */ (globalThis);
    ({ serve } = new WebAssembly.Instance(data.module, { env: { memory: data.memory } }).exports);
    port.postMessage('ready');
  } else {
    serve(data.thread, data.threads);
    port.close();
  }
};
