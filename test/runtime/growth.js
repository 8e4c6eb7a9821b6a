// Runs in a process of its own: `node --expose-gc growth.js`. Prints what the process and the device hold after
// a warm-up and at the end, for 10,000 predictions and for 100 times loading and disposing.
import { release, requestDevice } from 'dnnc/runtime/node';
import { loadFit, loadTiny } from './tiny.js';

const device = await requestDevice();
const live = new Set();
const { createBuffer } = Object.getPrototypeOf(device);
device.createBuffer = descriptor => {
  const buffer = createBuffer.call(device, descriptor);
  const { destroy } = Object.getPrototypeOf(buffer);
  live.add(buffer);
  buffer.destroy = () => {
    live.delete(buffer);
    return destroy.call(buffer);
  };
  return buffer;
};

/** What is held when all that can be collected is: live buffers, MB of JavaScript, MB of the process. */
async function held() {
  await device.queue.onSubmittedWorkDone();
  for (let i = 0; i < 5; i++) {
    globalThis.gc();
    // What was collected is given back in a later turn.
    await new Promise(later => setTimeout(later, 20));
  }
  const { heapUsed, rss } = process.memoryUsage();
  return { buffers: live.size, heap: heapUsed / 2 ** 20, process: rss / 2 ** 20 };
}

async function measure(work, warmUp, times) {
  await work(warmUp);
  const before = await held();
  await work(times);
  return { before, after: await held() };
}

const trainer = await loadFit({ device, seed: 1 });
const weights = await trainer.save();
trainer.dispose();

const net = await loadTiny({ device, weights, extra: true });
const predictions = await measure(
  async times => {
    // Of sizes that change, one alone and three in flight at a time.
    for (let i = 0; i < times; i += 4) {
      const x = new Float32Array(4 * (1 + (i % 40)));
      await net.predict(x);
      await Promise.all([net.predict(x), net.predict(x), net.predict(x.subarray(0, 4))]);
    }
  },
  5000,
  10_000,
);
net.dispose();

const loads = await measure(
  async times => {
    for (let i = 0; i < times; i++) {
      const loaded = await loadTiny({ device, weights, extra: true });
      await loaded.predict(new Float32Array(16));
      // A loss is waited for in every app; what waits must not stay.
      loaded.lost.then(() => {});
      loaded.dispose();
    }
  },
  100,
  100,
);
console.log(JSON.stringify({ predictions, loads }));
release();
