import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { printWasm, type WasmEntry } from '../../src/codegen/wasm/module.ts';
import { symbol } from '../../src/ir/dim.ts';
import * as K from '../kernel/build.ts';
import { type Exports, engine } from './run.ts';

const group = K.builtin('group');
const one = { workgroupSize: 1 };

/** y[i] = x[i] + x[N - 1 - i], through scratch memory: a stage needs all of the one before. */
const mirror = K.kernel(
  'mirror',
  [K.buffer('x', 'i32'), K.buffer('y', 'i32', 'read_write')],
  [
    K.storeShared('s', K.i32(0), K.load('x', group, 'i32')),
    K.bind('other', K.load('x', K.binary('sub', K.binary('sub', K.uniform('N'), group), K.i32(1)), 'i32')),
    K.store('y', group, K.add(K.add(K.loadShared('s', K.i32(0), 'i32'), K.ref('other')), group)),
  ],
  { ...one, groups: symbol('N'), shared: [{ name: 's', dtype: 'i32', size: 1 }] },
);
/** y[0] counts, so that a group which runs twice shows. */
const count = K.kernel(
  'count',
  [K.buffer('y', 'i32', 'read_write')],
  [K.store('y', group, K.add(K.load('y', group, 'i32'), K.i32(1)))],
  { ...one, groups: symbol('N') },
);
const uniforms = [{ name: 'N', dtype: 'u32' }] as const;
const entries: WasmEntry[] = [
  { kernel: count, uniforms },
  { kernel: mirror, uniforms },
];

const N = 1000;
const place = {
  block: 256,
  args: 320,
  table: 512,
  scratch: 60000,
  a: 65536,
  b: 65536 + 4 * N,
  counts: 65536 + 8 * N,
};
const stages = 60;

/** x goes to and fro between two buffers, and every third stage counts. */
function prepare(words: Int32Array, chunk: number): void {
  words.fill(0, 64);
  words[place.block / 4] = N;
  words.set([place.block, place.a, place.b], place.args / 4);
  words.set([place.block, place.b, place.a], place.args / 4 + 4);
  words.set([place.block, place.counts], place.args / 4 + 8);
  for (let i = 0; i < N; i++) words[place.a / 4 + i] = i * 7919;
  const dispatches = Array.from({ length: stages }, (_, i) => {
    if (i % 3 === 2) return [0, i === 2 ? 0 : N, place.args + 32, chunk];
    return [1, N, place.args + (i % 3 === 0 ? 0 : 16), chunk];
  });
  words.set([stages, place.scratch, 64, 0, ...dispatches.flat()], place.table / 4);
}

const workerCode = `
const { parentPort, workerData: { module, memory, thread, threads } } = require('node:worker_threads');
new WebAssembly.Instance(module, { env: { memory } }).exports.serve(thread, threads);
parentPort.postMessage('done');
`;

async function results(module: object, threads: number, chunk: number, runs: number): Promise<number[][]> {
  const memory = new engine.Memory({ initial: 4, maximum: 4, shared: true });
  const { exports } = new engine.Instance(module, { env: { memory } });
  const { run, start } = exports as Exports;
  const words = new Int32Array(memory.buffer);
  const workers = Array.from({ length: threads - 1 }, (_, i) => {
    const workerData = { module, memory, thread: i + 1, threads };
    return new Worker(workerCode, { eval: true, workerData });
  });
  const done = workers.map(w => new Promise(resolve => w.on('message', resolve)));
  const made: number[][] = [];
  for (let i = 0; i < runs; i++) {
    // Between some runs there is time to fall asleep.
    if (i % 2 === 1) await new Promise(resolve => setTimeout(resolve, 20));
    prepare(words, chunk);
    if (threads > 1) start(place.table);
    run(0, threads, place.table);
    made.push([...words.subarray(place.a / 4, place.counts / 4 + N)]);
  }
  if (threads > 1) start(0);
  await Promise.all(done);
  await Promise.all(workers.map(w => w.terminate()));
  return made;
}

test('any number of threads gives the same bits', async () => {
  const module = new engine.Module(await printWasm(entries));
  const [wanted] = await results(module, 1, 1, 1);
  expect(wanted!.slice(2 * N)).toEqual(Array.from({ length: N }, () => stages / 3 - 1));
  expect(new Set(wanted).size).toBeGreaterThan(N);
  for (const [threads, chunk] of [
    [1, 1000],
    [2, 1],
    [2, 37],
    [3, 10],
    [3, 100000],
  ] as const)
    for (const made of await results(module, threads, chunk, 6)) expect(made).toEqual(wanted);
});

test('a table of nothing', async () => {
  const module = new engine.Module(await printWasm(entries));
  const memory = new engine.Memory({ initial: 1, maximum: 1, shared: true });
  const { run } = new engine.Instance(module, { env: { memory } }).exports as Exports;
  run(0, 1, 512);
  run(0, 2, 512);
});

test('a kernel for workgroups and a word that is missing are refused', async () => {
  await expect(printWasm([{ kernel: { ...count, workgroupSize: 2 }, uniforms }])).rejects.toThrow(
    '2 invocations',
  );
  await expect(printWasm([{ kernel: mirror, uniforms: [] }])).rejects.toThrow('no word N');
});
