import { describe, expect, test } from 'vitest';
import { printWat } from '../../src/codegen/wasm/module.ts';
import { interpretKernel } from '../../src/ir/interpret/kernel.ts';
import type { KExpr, Kernel, Stmt } from '../../src/ir/kernel.ts';
import { printKernel } from '../../src/ir/print/kernel.ts';
import type { DType } from '../../src/ir/type.ts';
import { verifyKernel } from '../../src/ir/verify/kernel.ts';
import * as V from '../../src/passes/schedule/kexpr.ts';
import { getDevice } from '../gpu.ts';
import * as K from '../kernel/build.ts';
import { runOnGpu } from '../kernel/run.ts';
import { loadLanes } from './kernels.ts';
import { type Buffers, WasmKernels } from './run.ts';

const numbers = (count: number, scale = 1): Float64Array =>
  Float64Array.from({ length: count }, (_, i) => Math.fround(Math.sin(i * 12.9898) * scale));

const wholes = (count: number, below: number): Float64Array =>
  Float64Array.from({ length: count }, (_, i) => (i * 7919) % below);

/** Runs the kernel in WebAssembly, in the interpreter and, where WGSL has its types, on the GPU, over the same memory. */
async function agree(kernel: Kernel, buffers: Buffers, uniforms: Record<string, number> = {}): Promise<void> {
  expect(verifyKernel(kernel)).toEqual([]);
  const words = Object.keys(uniforms).map(
    name => ({ name, dtype: name === 'scale' ? 'f32' : 'u32' }) as const,
  );
  const kernels = await WasmKernels.of([{ kernel, uniforms: words }]);
  const copy = (): Buffers =>
    Object.fromEntries(Object.entries(buffers).map(([name, data]) => [name, data.slice()]));
  const [mine, wanted] = [copy(), copy()];
  interpretKernel(kernel, wanted, uniforms, 'f32');
  kernels.run(0, mine, uniforms);
  expect(mine).toEqual(wanted);
  expect(wanted).not.toEqual(buffers);
  const text = JSON.stringify([kernel.body, kernel.buffers.map(b => b.dtype)]);
  if (!device || text.includes('"lanes":8') || text.includes('"f16"')) return;
  const onGpu = await runOnGpu(device, kernel, copy(), uniforms, words);
  for (const [name, data] of Object.entries(onGpu))
    for (const [i, x] of data.entries()) expect(Math.abs(x - wanted[name]![i]!)).toBeLessThan(2e-6);
}

const device = await getDevice();

const one = { workgroupSize: 1 };
const group = K.builtin('group');
const out = (dtype: DType = 'f32') => K.buffer('y', dtype, 'read_write');

describe.each([4, 8] as const)('values of %i lanes', lanes => {
  const ramp = V.lanes(Array.from({ length: lanes }, (_, i) => K.i32(i)));
  const at = K.mul(group, K.i32(lanes));

  test('masked loads read no lane that fails', async () => {
    // Windows of a row that begin before it and end behind it: most of what the mask hides is no memory.
    const first = K.binary('sub', K.mul(group, K.i32(3)), K.i32(1000));
    const index = V.binary('add', first, ramp);
    const mask = V.binary('and', V.binary('ge', index, K.i32(0)), V.binary('lt', index, K.i32(13)));
    for (const dtype of ['f32', 'i32', 'u8', 'f16', 'bool'] as const) {
      const value = loadLanes('x', first, lanes, dtype, mask);
      const to = dtype === 'u8' ? 'u32' : dtype;
      const body = [K.store('y', at, value)];
      const kernel = K.kernel('masked', [K.buffer('x', dtype), out(to)], body, { ...one, groups: 700 });
      const x =
        dtype === 'f16'
          ? numbers(13).map(v => Math.round(v * 64) / 64)
          : wholes(13, 2).map(v => v + (dtype === 'bool' ? 0 : 5));
      await agree(kernel, { x, y: new Float64Array(700 * lanes).fill(1) });
    }
  });

  test('a load of one lane under a mask', async () => {
    const index = K.binary('sub', group, K.i32(100000));
    const inside = K.binary('ge', index, K.i32(0));
    for (const dtype of ['f32', 'f16'] as const) {
      const value = { kind: 'load', dtype, buffer: 'x', index, mask: inside } as const;
      const kernel = K.kernel('one', [K.buffer('x', dtype), out(dtype)], [K.store('y', group, value)], {
        ...one,
        groups: 9,
      });
      await agree(kernel, { x: numbers(2), y: new Float64Array(9).fill(1) });
    }
  });

  test('shuffles, splats and lanes of floats, ints and booleans', async () => {
    const picks = [
      Array.from({ length: lanes }, (_, i) => 2 * lanes - 1 - 2 * i),
      Array.from({ length: lanes }, (_, i) => (i * 5 + 3) % (2 * lanes)),
      Array.from({ length: lanes }, () => lanes),
    ];
    for (const dtype of ['f32', 'i32', 'bool'] as const) {
      const body: Stmt[] = [
        K.bind('a', loadLanes('x', at, lanes, dtype)),
        K.bind('b', loadLanes('x', K.add(at, K.i32(1)), lanes, dtype)),
        K.bind('s', V.splat(K.load('x', K.add(at, K.i32(2)), dtype), lanes)),
      ];
      const [a, b, s] = ['a', 'b', 's'].map(n => V.ref(n, dtype, lanes));
      const values: KExpr[] = [
        ...picks.map(p => V.shuffle(a!, b!, p)),
        s!,
        V.lanes(Array.from({ length: lanes }, (_, i) => V.lane(i % 2 ? a! : b!, (i * 3 + 1) % lanes))),
        V.select(dtype === 'bool' ? a! : V.binary('lt', a!, b!), b!, s!),
      ];
      for (const [i, value] of values.entries())
        body.push(K.store('y', K.add(K.mul(at, K.i32(values.length)), K.i32(i * lanes)), value));
      const kernel = K.kernel('moves', [K.buffer('x', dtype), out(dtype)], body, { ...one, groups: 5 });
      const x = dtype === 'f32' ? numbers(50) : wholes(50, dtype === 'bool' ? 2 : 1000);
      if (dtype === 'bool') x.set(wholes(50, 3).map(v => +(v > 1)));
      await agree(kernel, { x, y: new Float64Array(5 * lanes * values.length) });
    }
  });

  test('variables in loops, assigned from themselves', async () => {
    const v = V.ref('v', 'f32', lanes);
    const rotated = V.shuffle(
      v,
      v,
      Array.from({ length: lanes }, (_, i) => (i + 1) % lanes),
    );
    const body: Stmt[] = [
      { kind: 'var', name: 'v', dtype: 'f32', lanes, value: loadLanes('x', at, lanes, 'f32') },
      K.loop('k', K.i32(0), K.uniform('N'), [
        {
          kind: 'assign',
          name: 'v',
          value: V.binary('add', rotated, V.binary('mul', K.uniform('scale', 'f32'), v)),
        },
        K.when(K.binary('eq', K.binary('mod', K.ref('k'), K.i32(3)), K.i32(2)), [
          { kind: 'assign', name: 'v', value: V.binary('mul', v, K.f32(0.5)) },
        ]),
      ]),
      K.store('y', at, v),
    ];
    const kernel = K.kernel('turns', [K.buffer('x', 'f32'), out()], body, { ...one, groups: 3 });
    for (const N of [0, 1, 7])
      await agree(kernel, { x: numbers(3 * lanes), y: new Float64Array(3 * lanes) }, { N, scale: 0.75 });
  });

  test('a store over what it reads', async () => {
    const value = V.shuffle(
      loadLanes('y', K.i32(1), lanes, 'f32'),
      loadLanes('y', K.i32(0), lanes, 'f32'),
      Array.from({ length: lanes }, (_, i) => (i * 3) % (2 * lanes)),
    );
    await agree(K.kernel('over', [out()], [K.store('y', K.i32(0), value)], one), { y: numbers(lanes + 1) });
  });

  test('scratch memory', async () => {
    for (const dtype of ['f32', 'f16', 'i32'] as const) {
      const x =
        dtype === 'i32' ? wholes(lanes * 4, 99) : numbers(lanes * 4).map(v => Math.round(v * 64) / 64);
      const loadShared = (array: string, index: KExpr): KExpr => ({
        kind: 'load-shared',
        dtype,
        array,
        index,
        lanes,
      });
      const body = [
        K.storeShared('s', K.i32(0), K.load('x', K.i32(3), dtype)),
        K.storeShared('t', K.i32(lanes), loadLanes('x', at, lanes, dtype)),
        K.storeShared('t', K.i32(0), loadLanes('x', K.i32(1), lanes, dtype)),
        K.storeShared('t', K.i32(lanes), K.loadShared('s', K.i32(0), dtype)),
        K.store('y', at, V.binary('add', loadShared('t', K.i32(lanes)), loadShared('t', K.i32(1)))),
      ];
      const shared = [
        { name: 's', dtype, size: 3 },
        { name: 't', dtype, size: 2 * lanes },
      ];
      const kernel = K.kernel('scratch', [K.buffer('x', dtype), out(dtype)], body, {
        ...one,
        groups: 4,
        shared,
      });
      await agree(kernel, { x, y: new Float64Array(lanes * 4) });
    }
  });

  test('random words', async () => {
    const word = (n: number) => V.splat(K.konst(n, 'u32'), lanes);
    const counter = V.cast('u32', V.binary('add', at, ramp));
    const args = [
      word(0xffffffff),
      word(0xdeadbeef),
      counter,
      V.binary('mul', counter, word(0x9e3779b9)),
    ] as const;
    const value: KExpr = { kind: 'random', dtype: 'u32', lanes, args };
    await agree(K.kernel('bits', [out('u32')], [K.store('y', at, value)], { ...one, groups: 9 }), {
      y: new Float64Array(9 * lanes),
    });
  });
});

test('indices before the start of what has a constant added do not wrap around', async () => {
  // x[27 - 9 group + ...]: the part without the constant is far below 0, and x lies near the start of the memory.
  const reversed = K.add(K.mul(group, K.i32(-500)), K.i32(4500));
  const body = [K.store('y', group, K.load('x', reversed))];
  const kernel = K.kernel('reversed', [K.buffer('x', 'f32'), out()], body, { ...one, groups: 10 });
  await agree(kernel, { x: numbers(4501), y: new Float64Array(10) });
});

test('a kernel with lanes as text', async () => {
  const mask = V.binary('lt', loadLanes('x', K.i32(0), 4, 'f32'), K.f32(0));
  const body: Stmt[] = [
    { kind: 'var', name: 'v', dtype: 'f32', lanes: 4, value: loadLanes('x', group, 4, 'f32', mask) },
    K.store('y', K.i32(4), V.shuffle(V.ref('v', 'f32', 4), V.splat(K.f32(2), 4), [0, 4, 1, 5])),
  ];
  const kernel = K.kernel('text', [K.buffer('x', 'f32'), out()], body, { ...one, comments: ['of lanes'] });
  expect(printKernel(kernel)).toMatchInlineSnapshot(`
    "kernel text, 1 workgroups of 1
      // of lanes
      read x : f32 of f32[1]
      read_write y : f32 of f32[1]
      var v : f32x4 = x[$group : 4 if x[0 : 4] < splat4(0.0)]
      y[4 : 4] = shuffle(v, splat4(2.0); 0 4 1 5)"
  `);
  const wat = await printWat([{ kernel, uniforms: [] }]);
  expect(wat).toMatch(/;; of lanes\n \(func \$kernel_text/);
  expect(wat).toContain('i8x16.shuffle');
  const relaxed = {
    ...kernel,
    body: [
      K.store(
        'y',
        K.i32(0),
        V.binary(
          'add',
          V.binary('mul', loadLanes('x', group, 4, 'f32'), K.f32(3)),
          loadLanes('x', K.i32(4), 4, 'f32'),
        ),
      ),
    ],
  };
  expect(await printWat([{ kernel: relaxed, uniforms: [] }])).not.toContain('relaxed');
  expect(await printWat([{ kernel: relaxed, uniforms: [] }], { relaxed: true })).toContain(
    'f32x4.relaxed_madd',
  );
});
