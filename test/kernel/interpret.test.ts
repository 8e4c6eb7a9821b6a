import { describe, expect, it } from 'vitest';
import { interpretKernel } from '../../src/ir/interpret/kernel.ts';
import { threefry2x32 } from '../../src/ir/scalar.ts';
import { verifyKernel } from '../../src/ir/verify/kernel.ts';
import { getDevice } from '../gpu.ts';
import * as K from './build.ts';
import { elementwise, matmul, rowSum } from './kernels.ts';
import { runOnGpu } from './run.ts';

const device = await getDevice();

function noise(count: number, seed: number): Float64Array {
  return Float64Array.from({ length: count }, (_, i) =>
    Math.fround(threefry2x32(seed, 0, i, 0) / 2 ** 31 - 1),
  );
}

const uniforms = { N: 37, scale: 0.75 };
const words = [
  { name: 'N', dtype: 'u32' },
  { name: 'scale', dtype: 'f32' },
] as const;

describe('interpreted kernels', () => {
  it('multiplies matrices', () => {
    const buffers = { a: noise(37 * 12, 1), b: noise(12 * 8, 2), c: new Float64Array(37 * 8) };
    interpretKernel(matmul, buffers, uniforms);
    for (const [row, column] of [
      [0, 0],
      [36, 7],
      [20, 3],
    ] as const) {
      let sum = 0;
      for (let k = 0; k < 12; k++) sum += buffers.a[row * 12 + k]! * buffers.b[k * 8 + column]!;
      expect(buffers.c[row * 8 + column]).toBeCloseTo(sum * 0.75, 12);
    }
  });

  it('sums rows through workgroup memory', () => {
    const buffers = { x: noise(320, 3), y: new Float64Array(5) };
    interpretKernel(rowSum, buffers);
    for (let row = 0; row < 5; row++)
      expect(buffers.y[row]).toBeCloseTo(
        buffers.x.slice(row * 64, row * 64 + 64).reduce((a, b) => a + b),
        12,
      );
  });

  it('joins subgroups', () => {
    const buffers = { y: new Float64Array(8) };
    const body = [
      { kind: 'subgroup', op: 'add', name: 'sum', value: K.cast('f32', K.builtin('local')) },
      {
        kind: 'subgroup',
        op: 'broadcast',
        name: 'second',
        value: K.cast('f32', K.builtin('local')),
        lane: 1,
      },
      K.store('y', K.builtin('local'), K.add(K.mul(K.ref('sum', 'f32'), K.f32(100)), K.ref('second', 'f32'))),
    ] as const;
    interpretKernel(
      K.kernel('join', [K.buffer('y', 'f32', 'read_write')], body, { workgroupSize: 8 }),
      buffers,
    );
    expect([...buffers.y]).toEqual([601, 601, 601, 601, 2205, 2205, 2205, 2205]);
  });

  it('names kernel, buffer and index of an access out of range', () => {
    const y = K.buffer('y', 'f32', 'read_write');
    const load = elementwise(
      'reader',
      [K.buffer('x', 'f32'), y],
      K.load('x', K.add(K.ref('i'), K.i32(2))),
      4,
    );
    expect(() => interpretKernel(load, { x: noise(5, 1), y: new Float64Array(4) })).toThrow(
      'reader: load x[5] is out of range, it has 5 elements',
    );
    const store = elementwise('writer', [y], K.f32(1), 4);
    expect(() => interpretKernel(store, { y: new Float64Array(3) })).toThrow(
      'writer: store y[3] is out of range',
    );
    const hidden = K.select(K.binary('lt', K.ref('i'), K.i32(0)), K.load('x', K.i32(9)), K.f32(0));
    const masked = elementwise('masked', [K.buffer('x', 'f32'), y], hidden, 4);
    expect(() => interpretKernel(masked, { x: noise(5, 1), y: new Float64Array(4) })).toThrow('load x[9]');
  });

  it('refuses division of negative integers and barriers that not all reach', () => {
    const y = K.buffer('y', 'i32', 'read_write');
    const negative = K.binary('mod', K.binary('sub', K.ref('i'), K.i32(1)), K.i32(3));
    expect(() => interpretKernel(elementwise('m', [y], negative, 4), { y: new Float64Array(4) })).toThrow(
      'mod of -1 and 3',
    );
    const split = K.kernel('split', [], [K.when(K.binary('lt', K.builtin('local'), K.i32(3)), [K.barrier])]);
    expect(() => interpretKernel(split, {})).toThrow('not uniform');
  });

  it('asks for what is missing', () => {
    expect(() => interpretKernel(matmul, {}, uniforms)).toThrow('matmul: no buffer');
    const buffers = { a: noise(12, 1), b: noise(96, 2), c: new Float64Array(8) };
    expect(() => interpretKernel(matmul, buffers, { N: 1 })).toThrow('no value for uniform scale');
  });
});

describe.skipIf(!device)('on the adapter', () => {
  it.each([
    ['matmul', matmul, { a: noise(37 * 12, 1), b: noise(12 * 8, 2), c: new Float64Array(37 * 8) }],
    ['row_sum', rowSum, { x: noise(320, 3), y: new Float64Array(5) }],
  ] as const)('%s gives what the interpreter gives', async (_, kernel, buffers) => {
    expect(verifyKernel(kernel)).toEqual([]);
    const results = await runOnGpu(device!, kernel, buffers, uniforms, words);
    const own: Record<string, Float64Array> = { ...buffers };
    for (const name of Object.keys(results)) own[name] = new Float64Array(results[name]!.length);
    interpretKernel(kernel, own, uniforms, 'f32');
    // Additions may be fused with products: a few units in the last place of sums of about 10.
    for (const [name, data] of Object.entries(results))
      for (const [i, x] of data.entries()) expect(Math.abs(x - own[name]![i]!)).toBeLessThan(4e-6);
  });

  it('a folded grid runs every workgroup once and none too many', async () => {
    const y = K.buffer('y', 'i32', 'read_write');
    const at = K.builtin('group');
    const body = [K.store('y', at, K.add(K.load('y', at, 'i32'), K.i32(1)))];
    const kernel = K.kernel('count', [y], body, { groups: 65537, workgroupSize: 1 });
    const { y: counts } = await runOnGpu(device!, kernel, { y: new Float64Array(70000) });
    expect(counts!.findIndex((n, i) => n !== (i < 65537 ? 1 : 0))).toBe(-1);
  });

  it('gives the same random bits', async () => {
    const keys = [
      [0, 0],
      [1, 2],
      [0xffffffff, 0xdeadbeef],
    ] as const;
    for (const [key0, key1] of keys) {
      const word = (value: number) => K.konst(value, 'u32');
      const i = K.cast('u32', K.ref('i'));
      const args = [word(key0), word(key1), K.mul(i, word(0x9e3779b9)), i] as const;
      const kernel = elementwise(
        'bits',
        [K.buffer('y', 'u32', 'read_write')],
        { kind: 'random', dtype: 'u32', args },
        256,
      );
      const { y } = await runOnGpu(device!, kernel, { y: new Float64Array(256) });
      const wanted = Array.from({ length: 256 }, (_, n) =>
        threefry2x32(key0, key1, Math.imul(n, 0x9e3779b9), n),
      );
      expect([...y!]).toEqual(wanted);
      const own = { y: new Float64Array(256) };
      interpretKernel(kernel, own);
      expect([...own.y]).toEqual(wanted);
    }
  });

  it.skipIf(!device?.features.has('subgroups'))(
    'subgroup operations compile and agree within a subgroup',
    async () => {
      const buffers = [K.buffer('y', 'f32', 'read_write'), K.buffer('lanes', 'i32', 'read_write')];
      const body = [
        { kind: 'subgroup', op: 'add', name: 'sum', value: K.f32(1) },
        {
          kind: 'subgroup',
          op: 'broadcast',
          name: 'third',
          value: K.cast('f32', K.builtin('lane')),
          lane: 3,
        },
        K.store(
          'y',
          K.builtin('local'),
          K.add(K.ref('sum', 'f32'), K.mul(K.ref('third', 'f32'), K.f32(1000))),
        ),
        K.store('lanes', K.builtin('local'), K.builtin('lane')),
      ] as const;
      const kernel = K.kernel('join', buffers, body);
      const { y, lanes } = await runOnGpu(device!, kernel, {
        y: new Float64Array(64),
        lanes: new Float64Array(64),
      });
      const size = Math.max(...lanes!) + 1;
      expect([...y!]).toEqual(Array.from({ length: 64 }, () => 3000 + size));
    },
  );

  it.skipIf(!device?.features.has('shader-f16'))('f16 arithmetic compiles', async () => {
    const half = K.cast('f16', K.load('x', K.ref('i')));
    const value = K.cast('f32', K.unary('tanh', K.mul(half, K.konst(0.5, 'f16'))));
    const kernel = elementwise('half', [K.buffer('x', 'f32'), K.buffer('y', 'f32', 'read_write')], value, 64);
    const x = noise(64, 9);
    const { y } = await runOnGpu(device!, kernel, { x, y: new Float64Array(64) });
    for (const [i, v] of y!.entries()) expect(Math.abs(v - Math.tanh(x[i]! / 2))).toBeLessThan(2e-3);
  });
});
