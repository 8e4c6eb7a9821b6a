// Runs the work in Node, on the adapter that the page has, and prints the results.
import { release, requestDevice } from 'dnnc/runtime/node';
import * as gpu from './lenet-gpu.js';
import * as software from './lenet-software.js';
import { work } from './work.js';

const device = await requestDevice({ adapter: 'software' });
const results = {};
for (const [name, module] of Object.entries({ gpu, software })) {
  results[name] = await work(module, { device }, { device });
}
console.log(JSON.stringify(results));
release();
