import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, expect, it, vi } from 'vitest';
import { type Exports, engine, type Thread } from '../../runtime/wasm/engine.ts';
import { open, type WasmModel } from '../../runtime/wasm/index.ts';
import * as spawning from '../../runtime/wasm/spawn.ts';
import { makeApp } from '../package/app.ts';
import { affine, bytes } from './affine.ts';

vi.mock('../../runtime/wasm/spawn.ts', { spy: true });
afterEach(() => {
  vi.mocked(spawning.spawn).mockReset();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const weights = { w: new Float32Array([0.1, 2, 3e-8, 4e9]), count: new Uint8Array([7]) };
const rows = (n: number) =>
  Float32Array.from({ length: 4 * n }, (_, i) => Math.sin(i) * 10 ** ((i % 30) - 15));
const live: Thread[] = [];

/** Counts the workers that have not ended. */
async function watched(model: WasmModel, threads: number) {
  live.length = 0;
  vi.mocked(spawning.spawn).mockImplementation(() => {
    const thread = real();
    live.push(thread);
    thread.on!('exit', () => live.splice(live.indexOf(thread), 1));
    return thread;
  });
  return open(model, { weights, threads });
}
const { spawn: real } = await vi.importActual<typeof spawning>('../../runtime/wasm/spawn.ts');

it('gives the same bits with any number of threads', async () => {
  const results: unknown[] = [];
  for (const threads of [1, 2, 3, 5]) {
    const session = await watched(affine, threads);
    // Runs before the workers have started count too.
    const early = await session.run('predict', { x: rows(1000) }, { a: 1.1 });
    await session.prepare('predict');
    expect(session.threads).toBe(threads);
    const all = [early];
    for (const n of [1, 1000, 3, 7]) all.push(await session.run('predict', { x: rows(n) }, { a: 1.1 }));
    for (let i = 0; i < 30; i++) {
      await session.run('step', { x: new Uint8Array([1, 2, 3]), on: new Uint8Array([1]) }, { a: 0.3 });
      all.push(await session.run('predict', { x: rows(20 + i) }, { a: 1.1 }));
    }
    results.push([all, await session.save()]);
    session.dispose();
    await vi.waitFor(() => expect(live).toEqual([]), 5000);
  }
  for (const other of results.slice(1)) expect(other).toEqual(results[0]);
});

it('works on with fewer threads where workers do not start', async () => {
  const x = rows(50);
  const expected = (await (await watched(affine, 1)).run('predict', { x }, { a: 2 })).y;
  const works = async (threads: number, left: number) => {
    const session = await open(affine, { weights, threads });
    await session.prepare('predict');
    expect(session.threads).toBe(left);
    expect((await session.run('predict', { x }, { a: 2 })).y).toEqual(expected);
    session.dispose();
  };
  // The second cannot be made.
  vi.mocked(spawning.spawn)
    .mockImplementationOnce(real)
    .mockImplementationOnce(() => {
      throw new Error('refused by policy');
    });
  await works(4, 2);
  // The second ends before it answers.
  const { Worker } = await import('node:worker_threads');
  const ending = () => new Worker('process.exit(0)', { eval: true }) as unknown as Thread;
  vi.mocked(spawning.spawn)
    .mockReset()
    .mockImplementation(real)
    .mockImplementationOnce(real)
    .mockImplementationOnce(ending);
  await works(4, 3);
  const failing = () => new Worker('throw new Error()', { eval: true }) as unknown as Thread;
  vi.mocked(spawning.spawn).mockReset().mockImplementation(failing);
  await works(3, 1);
});

it('gives up workers that never answer', async () => {
  const { Worker } = await import('node:worker_threads');
  const silent = () => new Worker('setInterval(() => {}, 1000)', { eval: true }) as unknown as Thread;
  vi.mocked(spawning.spawn).mockImplementation(real).mockImplementationOnce(silent);
  const session = await open(affine, { weights, threads: 3 });
  await session.run('predict', { x: rows(1) }, { a: 2 });
  expect(session.threads).toBe(1);
  await session.prepare('predict');
  expect(session.threads).toBe(2);
  await session.run('predict', { x: rows(100) }, { a: 2 });
  session.dispose();
}, 20_000);

it('goes on alone when a worker is lost later', async () => {
  const made: Thread[] = [];
  vi.mocked(spawning.spawn).mockImplementation(() => {
    const thread = real();
    made.push(thread);
    return thread;
  });
  const session = await open(affine, { weights, threads: 3 });
  await session.prepare('predict');
  await made[1]!.terminate();
  await vi.waitFor(() => expect(session.threads).toBe(1));
  expect((await session.run('predict', { x: rows(9) }, { a: 2 })).y!.shape).toEqual([9, 4]);
  session.dispose();
});

it('asks for no workers where memory cannot be shared, nor for one thread', async () => {
  for (const isolated of [false, true]) {
    vi.stubGlobal('crossOriginIsolated', isolated);
    const session = await watched(affine, isolated ? 1 : 4);
    await session.prepare('predict');
    expect(session.threads).toBe(1);
    expect(spawning.spawn).not.toHaveBeenCalled();
    session.dispose();
  }
});

it('wakes nobody for a program that has no work for two', async () => {
  let starts = 0;
  const { Instance } = engine.WebAssembly;
  const counting = class {
    readonly exports: Exports;
    constructor(...given: ConstructorParameters<typeof Instance>) {
      const { exports } = new Instance(...given);
      const start = (table: number) => {
        starts++;
        exports.start(table);
      };
      this.exports = { ...exports, start };
    }
  };
  vi.spyOn(engine.WebAssembly, 'Instance').mockImplementation(counting);
  const session = await watched(affine, 2);
  await session.prepare('predict');
  await session.run('step', { x: new Uint8Array([1, 2, 3]), on: new Uint8Array([1]) }, { a: 1 });
  await session.run('predict', { x: rows(1) }, { a: 2 });
  expect(starts).toBe(0);
  await session.run('predict', { x: rows(2) }, { a: 2 });
  expect(starts).toBe(1);
  session.dispose();
});

const script = `
  import { readdirSync } from 'node:fs';
  import { open } from 'dnnc/runtime/wasm';
  const program = {
    dims: [], scalars: [{ name: 'a', dtype: 'f32' }], arenaBytes: 512, constantBytes: 0, prologue: 0, writes: true,
    scratchBytes: 0, outputs: [],
    inputs: [
      { name: 'x', dtype: 'u8', shape: [3], offset: 0 },
      { name: 'on', dtype: 'bool', shape: [], offset: 256 },
    ],
    dispatches: [{ kernel: 1, groups: 2, bindings: [[1, 0, 4], [1, 256, 4], [0, 0, 16], [0, 256, 4]] }],
  };
  const model = {
    name: 'Affine', stateBytes: 2 ** 22, programs: { step: [program] }, module: new URL('affine.wasm', import.meta.url),
    state: [{ name: 'w', role: 'param', dtype: 'f32', shape: [2 ** 20], offset: 0 }],
  };
  const run = async wait => {
    const session = await open(model, { threads: 3, weights: { w: new Float32Array(2 ** 20).fill(1) } });
    if (wait) await session.prepare('step');
    await session.run('step', { x: new Uint8Array([1, 2, 3]), on: new Uint8Array([1]) }, { a: 1 });
    return session;
  };
  const threads = () => readdirSync('/proc/self/task').length;
`;

it('keeps no process alive, and a process that waits for threads gets them', async () => {
  const app = makeApp();
  try {
    writeFileSync(join(app.folder, 'affine.wasm'), bytes);
    const node = async (name: string, text: string) => {
      app.write(name, script + text);
      const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', name], {
        cwd: app.folder,
        timeout: 20_000,
      });
      return stdout.trim();
    };
    expect(await node('at-once.js', 'await run(false); console.log(1);')).toBe('1');
    expect(await node('ready.js', 'console.log((await run(true)).threads);')).toBe('3');
    // Fifty sessions that are disposed leave neither threads nor memory: 4 MiB each.
    const text = `
      const hold = async () => {
        const begun = performance.now();
        while (performance.now() < begun + 5000 && threads() > before) await new Promise(r => setTimeout(r, 10));
        for (let i = 0; i < 5; i++) {
          globalThis.gc();
          // What was collected is given back in a later turn.
          await new Promise(later => setTimeout(later, 20));
        }
        return [threads(), process.memoryUsage().rss / 2 ** 20];
      };
      const before = threads();
      const work = async times => {
        for (let i = 0; i < times; i++) (await run(i % 2 === 0)).dispose();
        return hold();
      };
      const [, first] = await work(10);
      const [left, last] = await work(50);
      console.log(JSON.stringify({ threads: left - before, grown: last - first }));`;
    if (process.platform !== 'linux') return;
    const { threads, grown } = JSON.parse(await node('often.js', text)) as Record<string, number>;
    expect(threads).toBe(0);
    // Each holds several MB: kept ones would come to hundreds. What V8 holds back varies.
    expect(grown).toBeLessThan(32);
  } finally {
    app.remove();
  }
}, 60_000);
