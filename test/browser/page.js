// Runs the work in a page and tells the server what came out.
import * as gpu from './lenet-gpu.js';
import * as software from './lenet-software.js';
import { work } from './work.js';

const send = answer => fetch('/result', { method: 'POST', body: JSON.stringify(answer) });

try {
  let evaluates = true;
  try {
    new Function('return 1')();
  } catch {
    evaluates = false;
  }
  const uncaptured = [];
  const adapter = await navigator.gpu.requestAdapter();
  const device = await adapter.requestDevice();
  device.addEventListener('uncapturederror', ({ error }) => uncaptured.push(error.message));
  // The training asks for a device of its own, the net gets the page's.
  const results = {};
  for (const [name, module] of Object.entries({ gpu, software })) {
    results[name] = await work(module, {}, { device });
  }
  await device.queue.onSubmittedWorkDone();
  const { vendor, architecture } = adapter.info;
  await send({ results, evaluates, uncaptured, adapter: `${vendor} ${architecture}` });
} catch (error) {
  await send({ error: String(error?.stack ?? error) });
}
