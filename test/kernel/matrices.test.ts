import { describe, expect, it } from 'vitest';
import { printKernel as printWgsl } from '../../src/codegen/wgsl/kernel.ts';
import { interpretKernel } from '../../src/ir/interpret/kernel.ts';
import type { Kernel, MatrixType, Stmt } from '../../src/ir/kernel.ts';
import { bufferUses } from '../../src/ir/kernel-access.ts';
import { kernelKey } from '../../src/ir/kernel-key.ts';
import { printKernel } from '../../src/ir/print/kernel.ts';
import { verifyKernel } from '../../src/ir/verify/kernel.ts';
import * as K from './build.ts';

const left: MatrixType = { use: 'left', dtype: 'f32', rows: 2, columns: 3 };
const right: MatrixType = { use: 'right', dtype: 'f32', rows: 3, columns: 4 };
const result: MatrixType = { use: 'result', dtype: 'f32', rows: 2, columns: 4 };

/** Each of two subgroups multiplies its own rows of `a` (2 x 3) by `b` (3 x 4), which lies by columns in workgroup memory. */
const body: Stmt[] = [
  K.loop('i', K.i32(0), K.i32(12), [K.storeShared('tile', K.ref('i'), K.load('b', K.ref('i')))]),
  { kind: 'barrier' },
  { kind: 'matrix', name: 'c', type: result, value: 0 },
  {
    kind: 'load-matrix',
    name: 'l',
    type: left,
    buffer: 'a',
    index: K.mul(K.builtin('subgroup'), K.i32(6)),
    stride: K.i32(3),
  },
  {
    kind: 'load-matrix',
    name: 'r',
    type: right,
    array: 'tile',
    index: K.i32(0),
    stride: K.i32(3),
    byColumns: true,
  },
  { kind: 'multiply-matrix', result: 'c', left: 'l', right: 'r' },
  { kind: 'multiply-matrix', result: 'c', left: 'l', right: 'r' },
  {
    kind: 'store-matrix',
    matrix: 'c',
    buffer: 'y',
    index: K.mul(K.builtin('subgroup'), K.i32(8)),
    stride: K.i32(4),
  },
];

const buffers = [K.buffer('a', 'f32'), K.buffer('b', 'f32'), K.buffer('y', 'f32', 'read_write')];
const tile = [{ name: 'tile', dtype: 'f32', size: 12 }] as const;

function kernel(statements: readonly Stmt[] = body, rest: Partial<Kernel> = {}): Kernel {
  const made = K.kernel('k', buffers, statements, { shared: tile });
  return { ...made, workgroupSize: 8, subgroupSize: 4, ...rest };
}

const from = (length: number, f: (i: number) => number): Float64Array =>
  Float64Array.from({ length }, (_, i) => f(i));

describe('matrices of subgroups', () => {
  it('are multiplied and added up, for each subgroup its own', () => {
    const a = from(12, i => i - 4);
    const b = from(12, i => 2 * i + 1);
    const y = new Float64Array(16);
    interpretKernel(kernel(), { a, b, y });
    const expected = from(16, i => {
      const [row, column] = [Math.floor(i / 4), i % 4];
      return [0, 1, 2].reduce((sum, k) => sum + 2 * a[row * 3 + k]! * b[column * 3 + k]!, 0);
    });
    expect([...y]).toEqual([...expected]);
  });

  it('start from zero again', () => {
    const again = body.flatMap((s): Stmt[] =>
      s.kind === 'store-matrix' ? [{ kind: 'zero-matrix', name: 'c' }, s] : [s],
    );
    const y = new Float64Array(16).fill(7);
    interpretKernel(kernel(again), { a: from(12, i => i), b: from(12, i => i), y });
    expect([...y]).toEqual(Array(16).fill(0));
  });

  it('round to f16 as they are loaded', () => {
    const half: Stmt[] = [
      {
        kind: 'load-matrix',
        name: 'h',
        type: { ...result, dtype: 'f16' },
        buffer: 'a',
        index: K.i32(0),
        stride: K.i32(4),
      },
      { kind: 'store-matrix', matrix: 'h', buffer: 'y', index: K.i32(0), stride: K.i32(4) },
    ];
    const halves = [K.buffer('a', 'f16'), K.buffer('y', 'f16', 'read_write')];
    const y = new Float64Array(8);
    interpretKernel(
      kernel(half, { buffers: halves, workgroupSize: 4 }),
      { a: from(8, i => 1 + i * 1e-4), y },
      {},
      'f32',
    );
    expect([...y.slice(0, 6)]).toEqual([1, 1, 1, 1, 1, 1 + 2 ** -10]);
  });

  it('are not read or written out of range', () => {
    const y = new Float64Array(15);
    const run = () => interpretKernel(kernel(), { a: from(12, i => i), b: from(12, i => i), y });
    expect(run).toThrow('store y[15] is out of range');
  });

  it('are found sound, printed and told apart', () => {
    expect(verifyKernel(kernel())).toEqual([]);
    expect(printKernel(kernel())).toContain('let l : left f32[2, 3] = a[$subgroup * 6 by 3 a row]');
    expect(printKernel(kernel())).toContain('c += l ** r');
    const other = body.map(s => (s.kind === 'multiply-matrix' ? { ...s, left: 'r', right: 'l' } : s));
    expect(kernelKey(kernel(other))).not.toBe(kernelKey(kernel()));
    expect(kernelKey(kernel(body, { subgroupSize: 8 }))).not.toBe(kernelKey(kernel()));
    expect(bufferUses(kernel())).toEqual({ reads: new Set(['a', 'b']), writes: new Set(['y']) });
  });

  it('are printed as WGSL', () => {
    const code = printWgsl(kernel(), []);
    expect(code).toContain('enable chromium_experimental_subgroup_matrix;\nenable subgroups;');
    expect(code).toContain('@builtin(subgroup_id) subgroup_id: u32');
    expect(code).toContain(
      'subgroupMatrixLoad<subgroup_matrix_left<f32, 3, 2>, row_major>(&a, subgroup * 6, 3)',
    );
    expect(code).toContain('subgroupMatrixLoad<subgroup_matrix_right<f32, 4, 3>, col_major>(&tile, 0, 3)');
    expect(code).toContain('subgroupMatrixStore<row_major>(&y, subgroup * 8, c, 4);');
  });
});

describe('faults of matrices', () => {
  const change = (kind: Stmt['kind'], to: object): Stmt[] =>
    body.map(s => (s.kind === kind ? ({ ...s, ...to } as Stmt) : s));

  it.each<[string, Kernel, string]>([
    [
      'no size of subgroups',
      { ...kernel(), subgroupSize: undefined } as unknown as Kernel,
      'the size of a subgroup is not given',
    ],
    ['half a subgroup', kernel(body, { workgroupSize: 10 }), 'a workgroup of 10 in subgroups of 4'],
    [
      'a place that differs in the subgroup',
      kernel(change('store-matrix', { index: K.builtin('lane') })),
      'may differ in the subgroup',
    ],
    [
      'a place out of memory',
      kernel(change('store-matrix', { stride: K.cast('i32', K.load('a', K.i32(0))) })),
      'a stride that may differ',
    ],
    [
      'sizes',
      kernel(change('matrix', { type: { ...result, columns: 3 } })),
      '2 x 3 times 3 x 4 added to 2 x 3',
    ],
    ['use', kernel(change('multiply-matrix', { left: 'c' })), 'a result matrix where a left one is wanted'],
    [
      'adding to what is loaded',
      kernel(change('multiply-matrix', { result: 'l' })),
      'l is loaded and cannot be changed',
    ],
    ['no such matrix', kernel(change('store-matrix', { matrix: 'd' })), 'there is no matrix d'],
    [
      'a buffer for reading',
      kernel(change('store-matrix', { buffer: 'b' })),
      'a store to b, which is bound for reading',
    ],
    [
      'dtype of memory',
      kernel(change('matrix', { type: { ...result, dtype: 'f16' } })),
      'y holds f32 and not f16',
    ],
    [
      'a stride too short',
      kernel(change('store-matrix', { stride: K.i32(3) })),
      'a stride of 3, less than 4',
    ],
    [
      'control flow that is not uniform',
      kernel([
        { kind: 'if', condition: K.binary('lt', K.builtin('subgroup'), K.i32(1)), then: body.slice(2) },
      ]),
      'load-matrix where not all invocations come by',
    ],
    ['declared twice', kernel([...body, body[2]!]), 'c is declared twice'],
  ])('%s', (_, k, fault) => {
    expect(verifyKernel(k).join('\n')).toContain(fault);
  });
});
