import { expect, it, vi } from 'vitest';
import { engine } from '../../runtime/wasm/engine.ts';
import { BufferError, open, readWeights, type WasmModel } from '../../runtime/wasm/index.ts';
import { affine, bytes, counted, init, predict, step, withProgram } from './affine.ts';

const weights = { w: new Float32Array([1, 2, 3, 4]), count: new Uint8Array([7]) };
const openAffine = (model: WasmModel = affine, threads = 1) => open(model, { weights, threads });
const rows = (n: number, f = (i: number) => i / 8) => Float32Array.from({ length: 4 * n }, (_, i) => f(i));
const expected = (x: Float32Array, a: number) => x.map((v, i) => a * v + weights.w[i % 4]!);
/** `toEqual` takes seconds for large arrays. */
const same = (a: ArrayBufferView, b: ArrayBufferView) =>
  Buffer.from(a.buffer, a.byteOffset, a.byteLength).equals(Buffer.from(b.buffer, b.byteOffset, b.byteLength));

it('finds the free dim and computes, for more sizes than are kept', async () => {
  const session = await openAffine();
  const sizes = [1, 3, 100, 2, 100, 3000, 1, ...Array.from({ length: 100 }, (_, i) => 1 + ((i * 7) % 60))];
  for (const n of sizes) {
    const x = rows(n);
    const { y } = await session.run('predict', { x }, { a: 2 });
    expect(y).toMatchObject({ dtype: 'f32', shape: [n, 4] });
    expect(same(y!.data, expected(x, 2))).toBe(true);
    expect(y!.data.buffer).toBeInstanceOf(ArrayBuffer);
  }
  const shaped = await session.run('predict', { x: { data: rows(2), shape: [2, 4] } }, { a: 0.5 });
  expect(shaped.y!.data).toEqual(expected(rows(2), 0.5));
  session.dispose();
});

it('keeps calls in order without awaiting, and reads arrays before it returns', async () => {
  const session = await openAffine();
  const x = new Float32Array(new SharedArrayBuffer(16));
  const results = [];
  for (let i = 0; i < 20; i++) {
    x.fill(i);
    results.push(session.run('predict', { x }, { a: i }));
    if (i % 3 === 0)
      void session.run('step', { x: new Uint8Array([i, 0, 1]), on: new Uint8Array([5]) }, { a: 1 });
  }
  const w = [1, 2, 3, 4];
  for (let i = 0; i < 20; i++) {
    expect([...(await results[i]!).y!.data]).toEqual(w.map(v => i * i + v));
    if (i % 3 === 0) {
      w[0]! += i;
      w[2]! += 1;
    }
  }
  // `bool` counts as 1, u8 state reads as bytes.
  expect((await session.read('count')).data).toEqual(new Uint8Array([14]));
  session.dispose();
});

it('runs sizes that need a larger arena in between', async () => {
  const session = await openAffine();
  const sizes = [1, 2000, 3, 50_000, 1];
  const results = await Promise.all(sizes.map(n => session.run('predict', { x: rows(n) }, { a: 3 })));
  for (const [i, n] of sizes.entries()) expect(same(results[i]!.y!.data, expected(rows(n), 3))).toBe(true);
  session.dispose();
});

it('lets other work of the process have its turn', async () => {
  const session = await openAffine();
  let turns = 0;
  const timer = setInterval(() => turns++, 5);
  const end = performance.now() + 3000;
  // Without turns it would count to none.
  while (turns < 5 && performance.now() < end) await session.run('predict', { x: rows(10) }, { a: 1 });
  clearInterval(timer);
  expect(turns).toBe(5);
  session.dispose();
});

it('names what does not fit', async () => {
  const session = await openAffine();
  const run = (inputs: Parameters<typeof session.run>[1], scalars = { a: 1 } as Record<string, number>) =>
    session.run('predict', inputs, scalars).then(
      () => 'nothing thrown',
      (e: Error) => e.message,
    );
  expect(await run({})).toBe('Affine.predict: x: expected f32[N, 4], got nothing');
  expect(await run({ x: new Float32Array(6) })).toContain('got 6 values');
  expect(await run({ x: rows(1) }, {})).toContain('a: expected a number, got undefined');
  await expect(session.run('predit', {})).rejects.toThrow('no program predit; there are predict, step');
  expect((await session.run('predict', { x: rows(1) }, { a: 1 })).y!.shape).toEqual([1, 4]);
  session.dispose();
});

it('lists every weight that is missing, unknown or misshapen', async () => {
  const wrong = { w: new Float32Array(5), other: new Float32Array(1) };
  await expect(open(affine, { weights: wrong, threads: 1 })).rejects.toThrow(
    'Affine: w: expected f32[4], got 5 values\n' +
      'Affine: count: missing, expected u8[1]\n' +
      'Affine: other: the model has no such tensor',
  );
  const session = await open(affine, { threads: 1 });
  await expect(session.run('predict', { x: rows(1) }, { a: 1 })).rejects.toThrow('no weights yet');
  await session.load({ w: weights.w, other: wrong.other }, { partial: true, extra: true });
  expect((await session.run('predict', { x: rows(1) }, { a: 1 })).y!.data).toEqual(expected(rows(1), 1));
  session.dispose();
});

it('saves and loads, whole or parameters alone', async () => {
  const session = await openAffine();
  await session.run('step', { x: new Uint8Array([1, 2, 3]), on: new Uint8Array([1]) }, { a: 0.5 });
  const all = await session.save({ metadata: { made: 'by a test' } });
  expect(readWeights(all)).toEqual({
    w: { dtype: 'f32', shape: [4], data: new Float32Array([1.5, 3, 4.5, 4]) },
    count: { dtype: 'u8', shape: [1], data: new Uint8Array([8]) },
  });
  expect(Object.keys(readWeights(await session.save({ roles: ['param'] })))).toEqual(['w']);
  const again = await open(affine, { weights: all, threads: 1 });
  expect(await again.save({ metadata: { made: 'by a test' } })).toEqual(all);
  await again.write('w', new Float32Array([9, 9, 9, 9]));
  expect((await again.read('w')).data[3]).toBe(9);
  await expect(again.read('v')).rejects.toThrow('no tensor v');
  session.dispose();
  again.dispose();
});

it('makes what the weights leave open by `init`, with the seed', async () => {
  const model = withProgram('init', init);
  const seeded = await open(model, { seed: 5, threads: 1 });
  expect((await seeded.read('w')).data).toEqual(new Float32Array([5, 6, 7, 8]));
  const params = await open(model, { weights: { w: weights.w }, threads: 1 });
  expect((await params.read('w')).data).toEqual(weights.w);
  expect((await params.read('count')).data).toEqual(new Uint8Array([1]));
  seeded.dispose();
  params.dispose();
});

it('runs a prologue once for the parameters that there are', async () => {
  const session = await openAffine(withProgram('counted', counted));
  const times = async () => (await session.run('counted', {})).times!.data[0];
  const x = rows(2);
  const y = async () => (await session.run('predict', { x }, { a: 1 })).y!.data;
  expect(await times()).toBe(1);
  expect(await times()).toBe(1);
  // Programs with constants of their own, and memory that grows, change nothing.
  expect(await y()).toEqual(expected(x, 1));
  await session.run('predict', { x: rows(100_000) }, { a: 1 });
  expect(await times()).toBe(1);
  await session.write('w', new Float32Array([5, 5, 5, 5]));
  expect(await times()).toBe(2);
  expect(await y()).toEqual(x.map(v => v + 5));
  await session.load(weights);
  expect(await y()).toEqual(expected(x, 1));
  expect(await times()).toBe(3);
  await session.run('step', { x: new Uint8Array([1, 1, 1]), on: new Uint8Array([1]) }, { a: 1 });
  expect(await y()).toEqual(x.map((v, i) => v + [2, 3, 4, 4][i % 4]!));
  expect(await times()).toBe(4);
  session.dispose();
});

it('makes constants anew whose size depends on the dims', async () => {
  const sized = { ...predict, constantBytes: (N: number) => 20 * N };
  const session = await openAffine(withProgram('predict', sized));
  for (const n of [1, 40, 2, 1, 40]) {
    const { y } = await session.run('predict', { x: rows(n) }, { a: 2 });
    expect(y!.data).toEqual(expected(rows(n), 2));
  }
  session.dispose();
});

it('takes the first plan that fits', async () => {
  const few = { ...predict, fits: (N: number) => N < 8 };
  // The second adds its weights twice over: a kernel that traps would show less.
  const many = { ...predict, dispatches: [predict.dispatches[0]!, { ...predict.dispatches[1]!, groups: 1 }] };
  const session = await openAffine(withProgram('predict', few, many));
  const last = async (n: number) => (await session.run('predict', { x: rows(n) }, { a: 1 })).y!.data.at(-1);
  expect(await last(7)).toBe(expected(rows(7), 1).at(-1));
  expect(await last(8)).toBe(0);
  expect(await last(7)).toBe(expected(rows(7), 1).at(-1));
  const none = await openAffine(withProgram('predict', few));
  await expect(none.run('predict', { x: rows(9) }, { a: 1 })).rejects.toThrow('Affine.predict with N = 9:');
  session.dispose();
  none.dispose();
});

it('runs the dispatches of a loop once for each turn', async () => {
  const looped = { ...step, loops: [[0, 1, 3] as const, [0, 2, 2] as const] };
  const session = await openAffine(withProgram('step', looped));
  await session.run('step', { x: new Uint8Array([1, 2, 3]), on: new Uint8Array([1]) }, { a: 1 });
  expect((await session.read('w')).data).toEqual(new Float32Array([7, 14, 21, 4]));
  expect((await session.read('count')).data).toEqual(new Uint8Array([13]));
  session.dispose();
});

it('says what a size would take that there is no memory for, and goes on', async () => {
  const session = await openAffine(withProgram('huge', { ...predict, arenaBytes: N => N! * 2 ** 40 }));
  const error = await session.run('huge', { x: rows(2) }, { a: 1 }).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(BufferError);
  expect((error as Error).message).toMatch(
    /^Affine\.huge with N = 2 takes 2097152\.0 MiB, all together with parameters 20971.*WebAssembly has 4096\.0 MiB at most$/,
  );
  await expect(session.prepare('predict', { N: 2 })).resolves.toBeUndefined();
  expect((await session.run('predict', { x: rows(1) }, { a: 1 })).y!.data).toEqual(expected(rows(1), 1));
  session.dispose();
  await expect(open({ ...affine, stateBytes: 2 ** 33 }, { threads: 1 })).rejects.toThrow(
    'Affine: the parameters take 8192.0 MiB, WebAssembly has 4096.0 MiB at most',
  );
});

it('rejects after it is disposed, and after a kernel has failed', async () => {
  const session = await openAffine();
  session.dispose();
  session.dispose();
  const gone = 'Affine: the session is disposed';
  await expect(session.run('predict', { x: rows(1) }, { a: 1 })).rejects.toThrow(gone);
  await expect(session.prepare('predict')).rejects.toThrow(gone);
  await expect(session.load(weights)).rejects.toThrow(gone);
  await expect(session.save()).rejects.toThrow(gone);
  await expect(session.read('w')).rejects.toThrow(gone);
  expect(session.threads).toBe(1);
  const trap = { ...predict, dispatches: [{ ...predict.dispatches[1]!, kernel: 4 }], prologue: 0 };
  const broken = await openAffine(withProgram('trap', trap));
  await expect(broken.run('trap', { x: rows(1) }, { a: 1 })).rejects.toThrow('Affine.trap: unreachable');
  await expect(broken.run('predict', { x: rows(1) }, { a: 1 })).rejects.toThrow('Affine.trap: unreachable');
});

it('needs shared memory, and says so', async () => {
  const refusing = class {
    constructor() {
      throw new TypeError('no shared memory here');
    }
  };
  vi.spyOn(engine.WebAssembly, 'Memory').mockImplementation(refusing as never);
  await expect(open(affine, { threads: 1 })).rejects.toThrow(
    /^Affine: the parameters take 1280 bytes of shared WebAssembly memory: no shared memory here$/,
  );
  vi.restoreAllMocks();
});

it('takes its module from bytes, a file, its address, the net, or compiled', async () => {
  const { mkdtempSync, rmSync, writeFileSync } = await import('node:fs');
  const { join } = await import('node:path');
  const { pathToFileURL } = await import('node:url');
  const { createServer } = await import('node:http');
  const folder = mkdtempSync(join((await import('node:os')).tmpdir(), 'dnnc-wasm-'));
  const path = join(folder, 'affine.wasm');
  writeFileSync(path, bytes);
  const server = createServer((request, response) => {
    const type = request.url === '/typed' ? 'application/wasm' : 'application/octet-stream';
    if (request.url === '/none') response.writeHead(404).end();
    else response.setHeader('content-type', type).end(bytes);
  }).listen(0, '127.0.0.1');
  await new Promise(listening => server.once('listening', listening));
  const base = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  try {
    const compiled = await engine.WebAssembly.compile(bytes);
    const url = pathToFileURL(path);
    const sources = [bytes, bytes.buffer, path, url, url.href, `${base}/typed`, new URL(`${base}/other`)];
    for (const module of [...sources, compiled] as WasmModel['module'][]) {
      const session = await openAffine({ ...affine, module });
      expect((await session.run('predict', { x: rows(1) }, { a: 1 })).y!.data).toEqual(expected(rows(1), 1));
      session.dispose();
    }
    await expect(openAffine({ ...affine, module: `${base}/none` })).rejects.toThrow(
      `Affine: the WebAssembly module ${base}/none: 404 Not Found`,
    );
    await expect(openAffine({ ...affine, module: join(folder, 'none.wasm') })).rejects.toThrow(
      /none\.wasm.*ENOENT/,
    );
    await expect(openAffine({ ...affine, module: bytes.slice(0, 9) })).rejects.toThrow(
      'Affine: the WebAssembly module: ',
    );
  } finally {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
