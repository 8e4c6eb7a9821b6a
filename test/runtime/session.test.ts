import { afterAll, describe, expect, it } from 'vitest';
import { DeviceLostError, KernelError, type Model, open, readWeights } from '../../runtime/index.ts';
import { requestDevice } from '../../runtime/node/index.ts';
import { getDevice } from '../gpu.ts';
import { affine, counted, withProgram } from './affine.ts';

const device = await getDevice();
const weights = { w: new Float32Array([1, 2, 3, 4]), count: new Uint8Array([7]) };
const openAffine = (model: Model = affine) => open(model, { device: device!, weights });
const rows = (n: number, f = (i: number) => i / 8) => Float32Array.from({ length: 4 * n }, (_, i) => f(i));
const expected = (x: Float32Array, a: number) => x.map((v, i) => a * v + weights.w[i % 4]!);

describe.skipIf(!device)('session', () => {
  afterAll(() => device?.destroy());

  it('finds the free dim and computes, for several sizes in turn', async () => {
    const session = await openAffine();
    for (const n of [1, 3, 100, 2, 100, 5000, 1]) {
      const x = rows(n);
      const { y } = await session.run('predict', { x }, { a: 2 });
      expect(y).toEqual({ dtype: 'f32', shape: [n, 4], data: expected(x, 2) });
    }
    const shaped = await session.run('predict', { x: { data: rows(2), shape: [2, 4] } }, { a: 0.5 });
    expect(shaped.y!.data).toEqual(expected(rows(2), 0.5));
    session.dispose();
  });

  it('runs more workgroups than one dimension of a grid holds', async () => {
    const code = `@group(0) @binding(0) var<storage, read_write> times: array<i32>;
@group(0) @binding(1) var<storage, read_write> told: array<i32>;
@compute @workgroup_size(1) fn tell(@builtin(workgroup_id) id: vec3u, @builtin(num_workgroups) n: vec3u) {
  if (id.x + id.y * n.x == 69999u) { told[0] = times[0] + i32(n.y); }
}`;
    const kernels = [counted.kernels[0]!, { ...counted.kernels[1]!, code }];
    const dispatches = [counted.dispatches[0]!, { ...counted.dispatches[1]!, groups: 70_000 }];
    const session = await openAffine(withProgram('wide', { ...counted, kernels, dispatches }));
    expect((await session.run('wide', {})).times!.data[0]).toBe(3);
    session.dispose();
  });

  it('runs a prologue once for the parameters that there are', async () => {
    const session = await openAffine(withProgram('counted', counted));
    const times = async () => (await session.run('counted', {})).times!.data[0];
    const predict = (n: number) => session.run('predict', { x: rows(n) }, { a: 1 });
    expect(await times()).toBe(1);
    expect(await times()).toBe(1);
    // What changes no parameters, and memory that grows, change nothing.
    await predict(2);
    await predict(100_000);
    expect(await times()).toBe(1);
    await session.write('w', new Float32Array([5, 5, 5, 5]));
    expect(await times()).toBe(2);
    await session.load(weights);
    expect(await times()).toBe(3);
    await session.run('step', { x: new Uint8Array([1, 1, 1]), on: new Uint8Array([1]) }, { a: 1 });
    expect(await times()).toBe(4);
    expect(await times()).toBe(4);
    session.dispose();
  });

  it('runs it in the order of the calls', async () => {
    const session = await openAffine(withProgram('counted', counted));
    await session.run('counted', {});
    const told = [];
    for (let i = 0; i < 3; i++) {
      void session.write('w', new Float32Array(4).fill(i));
      told.push(session.run('counted', {}), session.run('counted', {}));
    }
    expect((await Promise.all(told)).map(t => t.times!.data[0])).toEqual([2, 2, 3, 3, 4, 4]);
    session.dispose();
  });

  it('gives the same bits every time', async () => {
    const session = await openAffine();
    const x = rows(1000, i => Math.sin(i) * 10 ** ((i % 30) - 15));
    const first = await session.run('predict', { x }, { a: 1.1 });
    for (let i = 0; i < 3; i++) expect(await session.run('predict', { x }, { a: 1.1 })).toEqual(first);
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
    // The same again now that everything is prepared, so that nothing waits before the submit.
    const later = Array.from({ length: 5 }, (_, i) => {
      x.fill(i);
      return session.run('predict', { x }, { a: 1 });
    });
    for (const [i, r] of later.entries()) expect((await r).y!.data[0]).toBe(i + w[0]!);
    session.dispose();
  });

  it('runs sizes that need a larger arena while smaller ones are in flight', async () => {
    const session = await openAffine();
    const sizes = [1, 2000, 3, 50_000, 1];
    const results = await Promise.all(sizes.map(n => session.run('predict', { x: rows(n) }, { a: 3 })));
    for (const [i, n] of sizes.entries()) expect(results[i]!.y!.data).toEqual(expected(rows(n), 3));
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
    expect(await run({ x: new Float32Array(6) })).toContain('x: expected f32[N, 4]');
    expect(await run({ x: new Float32Array(6) })).toContain('got 6 values');
    expect(await run({ x: { data: rows(2), shape: [4, 2] } })).toContain('got f32[4, 2]');
    expect(await run({ x: { data: rows(2), shape: [3, 4] } })).toContain('got shape [3, 4] with 8 values');
    expect(await run({ x: new Int32Array(4) })).toContain('expected f32 in a Float32Array, got Int32Array');
    expect(await run({ x: new Float32Array(0) })).toContain('got 0 values');
    expect(await run({ x: rows(1), z: rows(1) })).toContain('z: no such input; expected x');
    expect(await run({ x: rows(1) }, {})).toContain('a: expected a number, got undefined');
    await expect(session.run('predit', {})).rejects.toThrow('no program predit; there are predict, step');
    expect((await session.run('predict', { x: rows(1) }, { a: 1 })).y!.shape).toEqual([1, 4]);
    session.dispose();
  });

  it('lists every weight that is missing, unknown or misshapen', async () => {
    const wrong = { w: new Float32Array(5), other: new Float32Array(1) };
    await expect(open(affine, { device: device!, weights: wrong })).rejects.toThrow(
      'Affine: w: expected f32[4], got 5 values\n' +
        'Affine: count: missing, expected u8[1]\n' +
        'Affine: other: the model has no such tensor',
    );
    const session = await open(affine, { device: device! });
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
    const again = await open(affine, { device: device!, weights: all });
    expect(await again.save({ metadata: { made: 'by a test' } })).toEqual(all);
    await again.write('w', new Float32Array([9, 9, 9, 9]));
    expect((await again.read('w')).data[3]).toBe(9);
    await expect(again.read('v')).rejects.toThrow('no tensor v');
    session.dispose();
    again.dispose();
  });

  it('makes what the weights leave open by `init`, with the seed', async () => {
    const init = {
      dims: [],
      scalars: [{ name: 'seed', dtype: 'u32' as const }],
      arenaBytes: 0,
      inputs: [],
      outputs: [],
      kernels: [
        {
          name: 'init',
          from: 'affine.dnn:1:1',
          uniform: true,
          code: `@group(0) @binding(0) var<storage, read_write> w: array<f32>;
@group(0) @binding(1) var<storage, read_write> count: array<u32>;
@group(0) @binding(2) var<uniform> seed: u32;
@compute @workgroup_size(4) fn init(@builtin(local_invocation_index) i: u32) {
  w[i] = f32(seed + i);
  count[0] = 1u;
}`,
        },
      ],
      dispatches: [
        {
          kernel: 0,
          bindings: [
            [0, 0, 16],
            [0, 256, 4],
          ] as const,
          groups: 1,
        },
      ],
    };
    const model = withProgram('init', init);
    const seeded = await open(model, { device: device!, seed: 5 });
    expect((await seeded.read('w')).data).toEqual(new Float32Array([5, 6, 7, 8]));
    const params = await open(model, { device: device!, weights: { w: weights.w } });
    expect((await params.read('w')).data).toEqual(weights.w);
    expect((await params.read('count')).data).toEqual(new Uint8Array([1]));
    seeded.dispose();
    params.dispose();
  });

  it('names the kernel, its place and the message of a shader that does not compile', async () => {
    const good = affine.programs.predict!;
    const kernel = { ...good.kernels[0]!, code: good.kernels[0]!.code.replace('u.a *', 'u.b *') };
    const session = await openAffine(withProgram('bad', { ...good, kernels: [kernel] }));
    const error = await session.prepare('bad').catch((e: unknown) => e);
    expect(error).toBeInstanceOf(KernelError);
    expect((error as Error).message).toMatch(
      /kernel affine \(affine\.dnn:3:7\) does not compile: .*member b.* at WGSL 7:/s,
    );
    await expect(session.run('bad', { x: rows(1) }, { a: 1 })).rejects.toThrow('affine.dnn:3:7');
    expect((await session.run('predict', { x: rows(1) }, { a: 1 })).y!.data).toEqual(expected(rows(1), 1));
    session.dispose();
  });

  it('says what a size would take that the device cannot hold', async () => {
    const good = affine.programs.predict!;
    const session = await openAffine(withProgram('huge', { ...good, arenaBytes: N => N! * 2 ** 40 }));
    await expect(session.run('huge', { x: rows(2) }, { a: 1 })).rejects.toThrow(
      /Affine\.huge with N = 2 takes 2097152\.0 MiB, the device allows .* \(maxBufferSize\)/,
    );
    await expect(session.prepare('predict', { N: 2 })).resolves.toBeUndefined();
    expect((await session.run('predict', { x: rows(1) }, { a: 1 })).y!.data).toEqual(expected(rows(1), 1));
    session.dispose();
  });

  it('reports commands that the device refuses', async () => {
    const good = affine.programs.predict!;
    const dispatches = [{ ...good.dispatches[0]!, groups: 2 ** 40 }];
    const session = await openAffine(withProgram('wide', { ...good, dispatches }));
    await expect(session.run('wide', { x: rows(1) }, { a: 1 })).rejects.toThrow(/Affine\.wide: .*16777473/s);
    const bindings = [...good.dispatches[0]!.bindings].slice(1);
    const less = await openAffine(
      withProgram('less', { ...good, dispatches: [{ ...good.dispatches[0]!, bindings }] }),
    );
    await expect(less.run('less', { x: rows(1) }, { a: 1 })).rejects.toThrow(
      /Affine\.less with N = 1: .*affine/s,
    );
    session.dispose();
    less.dispose();
  });

  it('asks for the features and limits of the model', async () => {
    const model = { ...affine, features: ['no-such-feature'], limits: { maxBindGroups: 99 } };
    await expect(openAffine(model)).rejects.toThrow(
      'Affine: the given device lacks the feature no-such-feature, maxBindGroups of 99 (it has 4)',
    );
    const other = device!.adapterInfo.subgroupMaxSize === 32 ? 64 : 32;
    await expect(openAffine({ ...affine, subgroupSize: other })).rejects.toThrow(
      `Affine: the given device lacks subgroups of ${other}`,
    );
    await expect(open(affine)).rejects.toThrow("import { requestDevice } from 'dnnc/runtime/node'");
  });

  it('rejects after dispose and leaves the device of the caller alone', async () => {
    const session = await openAffine();
    const pending = session.run('predict', { x: rows(1) }, { a: 1 });
    session.dispose();
    session.dispose();
    await expect(pending).rejects.toThrow('Affine: the session is disposed');
    await expect(session.run('predict', { x: rows(1) }, { a: 1 })).rejects.toThrow('disposed');
    await expect(session.save()).rejects.toThrow('disposed');
    const next = await openAffine();
    expect((await next.run('predict', { x: rows(1) }, { a: 1 })).y!.data).toEqual(expected(rows(1), 1));
    next.dispose();
  });

  it('reports a lost device to pending and later calls', async () => {
    const own = await requestDevice();
    const session = await open(affine, { device: own, weights });
    await session.run('predict', { x: rows(1) }, { a: 1 });
    const pending = [1, 2, 3].map(n => session.run('predict', { x: rows(n * 100_000) }, { a: 1 }));
    own.destroy();
    for (const result of await Promise.allSettled(pending)) {
      expect(result).toMatchObject({
        status: 'rejected',
        reason: { name: 'DeviceLostError', reason: 'destroyed' },
      });
    }
    expect(await session.lost).toMatchObject({ reason: 'destroyed' });
    await expect(session.run('predict', { x: rows(1) }, { a: 1 })).rejects.toThrow(DeviceLostError);
    await expect(session.read('w')).rejects.toThrow(DeviceLostError);
  });
});
