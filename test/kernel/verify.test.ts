import { describe, expect, it } from 'vitest';
import type { Kernel, Stmt } from '../../src/ir/kernel.ts';
import { printKernel } from '../../src/ir/print/kernel.ts';
import { verifyKernel } from '../../src/ir/verify/kernel.ts';
import * as K from './build.ts';
import { matmul, rowSum } from './kernels.ts';

const x = K.buffer('x', 'f32');
const y = K.buffer('y', 'f32', 'read_write');
const tile = [{ name: 'tile', dtype: 'f32', size: 64 }] as const;

function faults(body: readonly Stmt[], rest: Partial<Kernel> = {}): string[] {
  return verifyKernel({ ...K.kernel('k', [x, y], body, { shared: tile }), ...rest });
}

describe('verifyKernel', () => {
  it('finds nothing wrong with good kernels', () => {
    expect(verifyKernel(matmul)).toEqual([]);
    expect(verifyKernel(rowSum)).toEqual([]);
  });

  it.each<[string, Stmt[], string]>([
    ['undefined name', [K.store('y', K.ref('i'), K.f32(1))], 'i is used and not defined before'],
    [
      'name out of its block',
      [K.loop('i', K.i32(0), K.i32(2), []), K.store('y', K.ref('i'), K.f32(1))],
      'i is used and not defined',
    ],
    ['second declaration', [K.bind('a', K.i32(0)), K.bind('a', K.i32(1))], 'a is declared twice'],
    ['a local named like a buffer', [K.bind('x', K.i32(0))], 'x is declared twice'],
    [
      'dtype of a name',
      [K.bind('a', K.i32(0)), K.store('y', K.i32(0), K.ref('a', 'f32'))],
      'a is i32 and taken for f32',
    ],
    [
      'assignment to a let',
      [K.bind('a', K.i32(0)), { kind: 'assign', name: 'a', value: K.i32(1) }],
      'a is assigned and is not a var',
    ],
    [
      'assignment to nothing',
      [{ kind: 'assign', name: 'a', value: K.i32(1) }],
      'a is assigned and not defined before',
    ],
    ['store to an input', [K.store('x', K.i32(0), K.f32(1))], 'a store to x, which is bound for reading'],
    ['store to nothing', [K.store('q', K.i32(0), K.f32(1))], 'there is no buffer q'],
    ['store of another dtype', [K.store('y', K.i32(0), K.i32(1))], 'i32 where f32 is wanted'],
    ['float index', [K.store('y', K.f32(0), K.f32(1))], 'an index of f32'],
    ['load from nothing', [K.bind('a', K.load('q', K.i32(0)))], 'there is no buffer q'],
    [
      'load of another dtype',
      [K.bind('a', K.load('x', K.i32(0), 'i32'))],
      'x holds f32 and is loaded as i32',
    ],
    ['mixed operands', [K.bind('a', K.add(K.i32(0), K.f32(0)))], 'add of i32 and f32'],
    ['exp of an integer', [K.bind('a', K.unary('exp', K.i32(0)))], 'exp of i32'],
    [
      'select by a number',
      [K.bind('a', K.select(K.i32(1), K.f32(0), K.f32(1)))],
      'select by i32 instead of bool',
    ],
    ['condition of a number', [K.when(K.i32(1), [])], 'a condition of i32'],
    ['loop bound of a float', [K.loop('i', K.i32(0), K.f32(1), [])], 'a bound of f32'],
    ['step of nothing', [K.loop('i', K.i32(0), K.i32(1), [], 0)], 'a step of 0'],
    [
      'two dtypes of a uniform',
      [K.bind('a', K.uniform('N')), K.bind('b', K.uniform('N', 'f32'))],
      'uniform N is taken for i32 and for f32',
    ],
    ['shared array of nothing', [K.storeShared('q', K.i32(0), K.f32(0))], 'there is no shared array q'],
    [
      'broadcast from no lane',
      [{ kind: 'subgroup', op: 'broadcast', name: 's', value: K.f32(1) }],
      'from lane undefined',
    ],
  ])('%s', (_, body, problem) => {
    const found = faults(body);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(problem);
  });

  const nonUniform = 'a barrier where not all invocations come by';

  it.each<[string, Stmt[]]>([
    [
      'under a condition on the invocation',
      [K.when(K.binary('eq', K.builtin('local'), K.i32(0)), [K.barrier])],
    ],
    ['in a loop that ends by lane', [K.loop('i', K.i32(0), K.builtin('lane'), [K.barrier])]],
    ['under a condition on memory', [K.when(K.binary('gt', K.load('x', K.i32(0)), K.f32(0)), [K.barrier])]],
    [
      'under a variable that some invocations change',
      [
        { kind: 'var', name: 'n', dtype: 'i32', value: K.i32(0) },
        K.loop('i', K.i32(0), K.i32(2), [
          K.loop('j', K.i32(0), K.ref('n'), [K.barrier]),
          K.when(K.binary('eq', K.builtin('local'), K.i32(0)), [
            { kind: 'assign', name: 'n', value: K.i32(1) },
          ]),
        ]),
      ],
    ],
  ])('barrier %s', (_, body) => expect(faults(body)).toEqual([nonUniform]));

  it('accepts barriers in loops over uniforms and under conditions on the group', () => {
    const inner = K.loop('i', K.i32(0), K.uniform('N'), [K.barrier]);
    expect(faults([K.when(K.binary('eq', K.builtin('group'), K.i32(0)), [inner])])).toEqual([]);
  });

  it('checks sizes and bindings', () => {
    expect(faults([], { shared: [{ name: 'tile', dtype: 'f32', size: 0 }] })).toEqual([
      'shared array tile has size 0',
    ]);
    expect(faults([], { workgroupSize: 0.5 })).toEqual(['the workgroup size is 0.5']);
    expect(faults([], { buffers: [x, { ...x, name: 'again' }] })).toEqual([
      'the tensor of buffer again is bound twice',
    ]);
    const bytes = K.buffer('bytes', 'u8', 'read_write');
    const store = K.store('bytes', K.i32(0), { kind: 'const', dtype: 'u8', value: 1 });
    expect(faults([store], { buffers: [bytes] })).toEqual([
      'a store to bytes, whose u8 are packed four to a word',
    ]);
  });
});

it('prints kernels for reading', () => {
  expect(printKernel(matmul)).toMatchInlineSnapshot(`
    "kernel matmul, N workgroups of 64
      // c = a @ b * scale
      // from net.dnn:3:4
      read a : f32 of f32[1]
      read b : f32 of f32[1]
      read_write c : f32 of f32[1]
      let id = $group * 64 + $local
      if id < %N * 8
        let row = id ~/ 8
        let column = id % 8
        var acc : f32 = 0.0
        for k in 0 ..< 12 step 3
          acc = acc + a[row * 12 + (k + 0)] * b[(k + 0) * 8 + column] + a[row * 12 + (k + 1)] * b[(k + 1) * 8 + column] + a[row * 12 + (k + 2)] * b[(k + 2) * 8 + column]
        c[id] = acc * %scale"
  `);
  expect(printKernel(rowSum)).toMatchInlineSnapshot(`
    "kernel row_sum, 5 workgroups of 64
      read x : f32 of f32[1]
      read_write y : f32 of f32[1]
      shared partial : f32[64]
      partial[$local] = x[$group * 64 + $local]
      barrier
      var half : i32 = 32
      for round in 0 ..< 6
        if $local < half
          let mine = partial[$local]
          let other = partial[$local + half]
          partial[$local] = mine + other
        barrier
        half = half ~/ 2
      if $local == 0
        y[$group] = partial[0]"
  `);
});
