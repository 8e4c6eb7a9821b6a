import { describe, expect, it } from 'vitest';
import { interpretKernel } from '../../src/ir/interpret/kernel.ts';
import type { KExpr, Stmt } from '../../src/ir/kernel.ts';
import { printKExpr } from '../../src/ir/print/kernel.ts';
import { verifyKernel } from '../../src/ir/verify/kernel.ts';
import * as V from '../../src/passes/schedule/kexpr.ts';
import * as K from './build.ts';

const four: KExpr = { kind: 'load', dtype: 'f32', buffer: 'x', index: K.i32(0), lanes: 4 };
const condition = V.binary('lt', four, K.f32(0));
const raw = (e: object): KExpr => ({ dtype: 'f32', ...e }) as unknown as KExpr;
const faults = (body: readonly Stmt[]): string[] =>
  verifyKernel(K.kernel('k', [K.buffer('x', 'f32'), K.buffer('y', 'f32', 'read_write')], body));

describe('lanes are checked', () => {
  it.each<[string, KExpr, string]>([
    ['three', raw({ ...four, lanes: 3 }), 'a value of 3 lanes'],
    [
      'operands',
      raw({ kind: 'binary', op: 'add', a: four, b: K.f32(1), lanes: 4 }),
      '1 lanes where 4 are wanted',
    ],
    ['result', raw({ kind: 'unary', op: 'exp', a: four }), '4 lanes where 1 are wanted'],
    [
      'condition',
      raw({ kind: 'select', condition: K.konst(1, 'bool'), a: four, b: four, lanes: 4 }),
      '1 lanes where 4 are wanted',
    ],
    ['mask', raw({ ...four, mask: K.konst(1, 'bool') }), 'a mask of 1 lanes for 4 elements'],
    ['dtype of a mask', raw({ ...four, mask: four }), 'a mask of f32'],
    ['index', raw({ kind: 'load', buffer: 'x', index: V.splat(K.i32(0), 4) }), 'an index of 4 lanes'],
    ['splat', raw({ kind: 'splat', a: four, lanes: 4 }), 'splat of 4 lanes'],
    ['parts', raw({ kind: 'lanes', parts: [K.f32(1)], lanes: 4 }), '1 parts for 4 lanes'],
    ['a part', raw({ kind: 'lanes', parts: [four, four, four, four], lanes: 4 }), 'a lane made of several'],
    [
      'dtype of a part',
      raw({ kind: 'lanes', parts: [1, 2, 3, 4].map(K.i32), lanes: 4 }),
      'i32 in lanes of f32',
    ],
    ['lane', raw({ kind: 'lane', a: four, lane: 4 }), 'lane 4 of 4'],
    ['picks', raw({ kind: 'shuffle', a: four, b: four, picks: [0], lanes: 4 }), '1 picks for 4 lanes'],
    [
      'pick',
      raw({ kind: 'shuffle', a: four, b: four, picks: [0, 1, 2, 8], lanes: 4 }),
      'pick of lane 8 out of 8',
    ],
    [
      'dtype of a shuffle',
      raw({ kind: 'shuffle', a: four, b: V.splat(K.i32(1), 4), picks: [0, 1, 2, 3], lanes: 4 }),
      'shuffle of i32',
    ],
  ])('%s', (_, value, problem) => {
    expect(faults([K.bind('v', value)]).join('\n')).toContain(problem);
  });

  it('of names and statements', () => {
    const variable: Stmt = { kind: 'var', name: 'v', dtype: 'f32', value: four };
    expect(faults([variable]).join()).toContain('4 lanes where 1 are wanted');
    const assigned: Stmt = { kind: 'assign', name: 'v', value: K.f32(0) };
    expect(faults([{ ...variable, lanes: 4 }, assigned]).join()).toContain('1 lanes where 4 are wanted');
    expect(faults([K.bind('v', four), K.bind('w', K.ref('v', 'f32'))]).join()).toContain(
      'v has 4 lanes and is taken for 1',
    );
    expect(faults([K.when(condition, [])]).join()).toContain('a condition of 4 lanes');
    expect(faults([K.loop('i', K.i32(0), V.splat(K.i32(1), 4), [])]).join()).toContain('a bound of 4 lanes');
    expect(faults([K.store('y', V.splat(K.i32(0), 4), four)]).join()).toContain('an index of 4 lanes');
  });
});

describe('constructors', () => {
  const splat = (value: number): KExpr => V.splat(K.f32(value), 4);
  it.each<[string, KExpr, string]>([
    ['a splat for one lane among several', V.binary('mul', four, K.f32(2)), 'x[0 : 4] * splat4(2.0)'],
    ['what is the same in all lanes, once', V.binary('mul', splat(3), K.ref('a', 'f32')), 'splat4(3.0 * a)'],
    ['a unary of a splat', V.unary('exp', V.splat(K.ref('a', 'f32'), 4)), 'splat4(exp(a))'],
    ['a cast', V.cast('i32', four), 'i32(x[0 : 4])'],
    [
      'a condition for all',
      V.select(K.binary('lt', K.ref('i'), K.i32(1)), four, splat(0)),
      'select(splat4(i < 1), x[0 : 4], splat4(0.0))',
    ],
    ['a condition that is known', V.select(V.splat(K.konst(0, 'bool'), 4), four, K.f32(0)), 'splat4(0.0)'],
    ['0 times several lanes', V.binary('mul', V.cast('i32', four), K.i32(0)), 'splat4(0)'],
    ['true and several lanes', V.binary('and', K.konst(1, 'bool'), condition), 'x[0 : 4] < splat4(0.0)'],
    ['equal lanes', V.lanes([1, 1, 1, 1].map(K.f32)), 'splat4(1.0)'],
    ['a lane of lanes', V.lane(V.lanes([1, 2, 3, 4].map(K.f32)), 2), '3.0'],
    ['a lane of a shuffle', V.lane(V.shuffle(four, splat(7), [0, 5, 1, 2]), 1), '7.0'],
    ['a shuffle that moves nothing', V.shuffle(four, splat(7), [0, 1, 2, 3]), 'x[0 : 4]'],
  ])('%s', (_, value, text) => {
    expect(printKExpr(value)).toBe(text);
  });
});

it('lanes are evaluated before the first is written, and those that a mask hides are not read', () => {
  const mask = V.lanes([1, 0, 1, 0].map(b => K.konst(b, 'bool')));
  const reversed = V.shuffle({ ...four, buffer: 'y' } as KExpr, four, [3, 2, 1, 4]);
  const masked = {
    ...four,
    index: K.i32(-2),
    mask: V.lanes([0, 0, 1, 1].map(b => K.konst(b, 'bool'))),
  } as KExpr;
  const kernel = K.kernel(
    'k',
    [K.buffer('x', 'f32'), K.buffer('y', 'f32', 'read_write')],
    [
      K.store('y', K.i32(0), reversed),
      K.store('y', K.i32(4), masked),
      K.store('y', K.i32(8), { ...four, mask } as KExpr),
    ],
    { workgroupSize: 1 },
  );
  expect(verifyKernel(kernel)).toEqual([]);
  const y = Float64Array.from({ length: 12 }, (_, i) => i + 1);
  interpretKernel(kernel, { x: Float64Array.of(10, 20, 30, 40), y });
  expect([...y]).toEqual([4, 3, 2, 10, 0, 0, 10, 20, 10, 0, 30, 0]);
});
