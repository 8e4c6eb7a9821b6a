// Runs the work in Node and prints the results.
import * as lenet from './lenet.js';
import { work } from './work.js';

console.log(JSON.stringify(await work(lenet, { threads: 2 }, { threads: 1 })));
