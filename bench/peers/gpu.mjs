// `navigator.gpu` in Node, on the same adapter as ours, and with what peers expect of it as browsers have it.

import { findAdapter } from '../../dist/runtime/node/adapters.js';
import { wait } from '../../dist/runtime/node/wait.js';
import { globals } from '../../node_modules/webgpu/index.js';

export function provide(choice) {
  Object.assign(globalThis, globals);
  const gpu = {
    requestAdapter: () => findAdapter(choice, []),
    getPreferredCanvasFormat: () => 'bgra8unorm',
    wgslLanguageFeatures: new Set(),
  };
  Object.defineProperty(globalThis, 'navigator', {
    value: { gpu, userAgent: 'node', platform: process.platform, language: 'en', hardwareConcurrency: 2 },
    configurable: true,
    writable: true,
  });
  slowPolling();
  sharedMemory();
}

/** Dawn polls in a busy loop in Node, which costs a software adapter one core of two; slowed as it is for ours. */
function slowPolling() {
  for (const [type, name] of [
    [GPUBuffer, 'mapAsync'],
    [GPUQueue, 'onSubmittedWorkDone'],
  ]) {
    const original = type.prototype[name];
    type.prototype[name] = function (...args) {
      const done = original.apply(this, args);
      wait(done);
      return done;
    };
  }
}

/** Dawn's binding refuses views of shared memory, which onnxruntime-web passes and browsers take. */
function sharedMemory() {
  const original = GPUQueue.prototype.writeBuffer;
  GPUQueue.prototype.writeBuffer = function (buffer, offset, data, from = 0, size = undefined) {
    const memory = ArrayBuffer.isView(data) ? data.buffer : data;
    if (!(memory instanceof SharedArrayBuffer)) return original.call(this, buffer, offset, data, from, size);
    const unit = data.BYTES_PER_ELEMENT ?? 1;
    const start = (data.byteOffset ?? 0) + from * unit;
    const bytes = size === undefined ? data.byteLength - from * unit : size * unit;
    return original.call(this, buffer, offset, new Uint8Array(memory, start, bytes).slice());
  };
}
