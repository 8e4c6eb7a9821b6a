import { symbol } from '../../src/ir/dim.ts';
import type { Kernel } from '../../src/ir/kernel.ts';
import * as K from './build.ts';

const id = K.add(K.mul(K.builtin('group'), K.i32(64)), K.builtin('local'));

/** Naive matrix product c[N, 8] = a[N, 12] @ b[12, 8], scaled by a run-time scalar. */
export const matmul: Kernel = K.kernel(
  'matmul',
  [K.buffer('a', 'f32'), K.buffer('b', 'f32'), K.buffer('c', 'f32', 'read_write')],
  [
    K.bind('id', id),
    K.when(K.binary('lt', K.ref('id'), K.mul(K.uniform('N'), K.i32(8))), [
      K.bind('row', K.binary('floordiv', K.ref('id'), K.i32(8))),
      K.bind('column', K.binary('mod', K.ref('id'), K.i32(8))),
      { kind: 'var', name: 'acc', dtype: 'f32', value: K.f32(0) },
      K.loop(
        'k',
        K.i32(0),
        K.i32(12),
        [
          {
            kind: 'assign',
            name: 'acc',
            value: [0, 1, 2].reduce(
              (acc, tap) => {
                const k = K.add(K.ref('k'), K.i32(tap));
                const x = K.load('a', K.add(K.mul(K.ref('row'), K.i32(12)), k));
                const y = K.load('b', K.add(K.mul(k, K.i32(8)), K.ref('column')));
                return K.add(acc, K.mul(x, y));
              },
              K.ref('acc', 'f32'),
            ),
          },
        ],
        3,
      ),
      K.store('c', K.ref('id'), K.mul(K.ref('acc', 'f32'), K.uniform('scale', 'f32'))),
    ]),
  ],
  { groups: symbol('N'), comments: ['c = a @ b * scale', 'from net.dnn:3:4'] },
);

/** Sum of each row of 64 elements by halving in workgroup memory. */
export const rowSum: Kernel = K.kernel(
  'row_sum',
  [K.buffer('x', 'f32'), K.buffer('y', 'f32', 'read_write')],
  [
    K.storeShared('partial', K.builtin('local'), K.load('x', id)),
    K.barrier,
    { kind: 'var', name: 'half', dtype: 'i32', value: K.i32(32) },
    K.loop('round', K.i32(0), K.i32(6), [
      K.when(K.binary('lt', K.builtin('local'), K.ref('half')), [
        K.bind('mine', K.loadShared('partial', K.builtin('local'))),
        K.bind('other', K.loadShared('partial', K.add(K.builtin('local'), K.ref('half')))),
        K.storeShared('partial', K.builtin('local'), K.add(K.ref('mine', 'f32'), K.ref('other', 'f32'))),
      ]),
      K.barrier,
      { kind: 'assign', name: 'half', value: K.binary('floordiv', K.ref('half'), K.i32(2)) },
    ]),
    K.when(K.binary('eq', K.builtin('local'), K.i32(0)), [
      K.store('y', K.builtin('group'), K.loadShared('partial', K.i32(0))),
    ]),
  ],
  { groups: 5, shared: [{ name: 'partial', dtype: 'f32', size: 64 }] },
);

/** One element an invocation: y[i] = value(i). */
export function elementwise(
  name: string,
  buffers: Parameters<typeof K.kernel>[1],
  value: Parameters<typeof K.bind>[1],
  count: number,
): Kernel {
  const body = K.when(K.binary('lt', K.ref('i'), K.i32(count)), [K.store('y', K.ref('i'), value)]);
  return K.kernel(name, buffers, [K.bind('i', id), body], { groups: Math.ceil(count / 64) });
}
