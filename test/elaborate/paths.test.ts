import { describe, expect, test } from 'vitest';
import { place } from '../../src/support/source.ts';
import { f32, interpret, moduleOf, variables } from './helpers.ts';

const names = (text: string) =>
  variables(moduleOf(text).nets.at(-1)!.predict).filter(n => !n.endsWith('bias'));

describe('paths of parameters', () => {
  test('stages are named by their callee, numbered on clash, or labelled', () => {
    expect(
      names(
        'net A(x: f32[N, 4]) -> f32[N, 4] { return x -> dense(4) -> tanh -> dense(4) -> head: dense(4) }',
      ),
    ).toEqual(['A.dense.weight', 'A.dense_2.weight', 'A.head.weight']);
  });

  test('repeats are indexed from 0 whatever the loop variable', () => {
    expect(
      names(
        'net A(x: f32[N, 4]) -> f32[N, 4] { return x -> dense(4) -> repeat i in 3..5 { dense(4) -> dense(4) } }',
      ),
    ).toEqual([
      'A.dense.weight',
      'A.dense_2[0].weight',
      'A.dense_3[0].weight',
      'A.dense_2[1].weight',
      'A.dense_3[1].weight',
    ]);
  });

  test('a labelled repeat of one stage is that stage, of several a group', () => {
    const block = `block Unit(c: int)(x: f32[N, D]) -> f32[N, c] { return x -> dense(c) }
      net A(x: f32[N, 4]) -> f32[N, 4] {
        repeat i in 0..2 { x = x -> first: Unit(4) -> rest: repeat i + 1 { Unit(4) } }
        return x -> both: repeat 2 { dense(4) -> tanh -> dense(4) }
      }`;
    expect(names(block)).toEqual([
      'A.first[0].dense.weight',
      'A.rest[0][0].dense.weight',
      'A.first[1].dense.weight',
      'A.rest[1][0].dense.weight',
      'A.rest[1][1].dense.weight',
      'A.both[0].dense.weight',
      'A.both[0].dense_2.weight',
      'A.both[1].dense.weight',
      'A.both[1].dense_2.weight',
    ]);
  });

  test('an instance applied twice has one set of weights', () => {
    expect(
      names('net A(x: f32[N, 4]) -> f32[N, 4] { enc = dense(4) return x -> enc -> tanh -> enc }'),
    ).toEqual(['A.enc.weight']);
  });

  test('fields of instances are their parameters', () => {
    const tied =
      'net A(x: f32[N, 3]) -> f32[N, 3] { enc = dense(2, bias = false) code = enc(x) return code @ enc.weight }';
    const got = interpret(moduleOf(tied).nets[0]!.predict, {
      x: f32([1, 3], [1, 2, 3]),
      'A.enc.weight': f32([2, 3], [1, 0, 0, 0, 1, 1]),
    });
    expect(got.out).toEqual([1, 5, 5]);
  });

  test('a net is the root of its paths, wherever it is used', () => {
    const text = `block Coder(n: int)(x: f32[N, D]) -> f32[N, D] { return x -> dense(n) -> dense(D) }
      net B(x: f32[N, 5]) -> f32[N, 5] = Coder(2)
      net A(x: f32[N, 5]) -> f32[N, 1] { return B(x) -> head: dense(1) }`;
    expect(names(text)).toEqual(['B.dense.weight', 'B.dense_2.weight', 'A.head.weight']);
  });

  test('blocks as arguments and in lists', () => {
    const text = `block Small(c: int)(x: f32[N, D]) -> f32[N, c] { return x -> dense(c) }
      block Tower(unit: block)(x: f32[N, D]) -> f32[N, 2] { return x -> unit(3) -> last: unit(2) }
      net A = Tower(Small)
      net C(x: f32[N, 4]) -> f32[N, 2] { return x -> Tower(Small) }`;
    expect(names(text.replace('net A = Tower(Small)', ''))).toEqual([
      'C.Tower.unit.dense.weight',
      'C.Tower.last.dense.weight',
    ]);
  });
});

describe('named values', () => {
  const text = `block Body(n: int)(x: f32[N, 2]) -> (y: f32[N, 2], z: f32[N, 2]) {
      aux = x * 3
      w = x -> add(1) -> twice: mul(2)
      return x + n, w
    }
    net A(x: f32[N, 2]) -> f32[N, 2] {
      r = Body(10)(x)
      (a, b) = Body(20)(x)
      return RETURN
    }`;
  test.each<[string, number[]]>([
    ['r', [11, 12]],
    ['r.y', [11, 12]],
    ['r.z', [4, 6]],
    ['r.aux', [3, 6]],
    ['r.add', [2, 3]],
    ['r.twice', [4, 6]],
    ['b - a', [4 - 21, 6 - 22]],
    ['r + 0', [11, 12]],
  ])('%s', (expr, want) => {
    const { predict } = moduleOf(text.replace('RETURN', expr)).nets[0]!;
    expect(interpret(predict, { x: f32([1, 2], [1, 2]) }).out).toEqual(want);
  });

  test('turns of a repeat', () => {
    const net = `block B(n: int)(x: f32[N]) -> f32[N] { return x -> repeat i in 0..n { add(i + 1) } }
      net A(x: f32[N]) -> f32[N] { r = B(3)(x) return r.add[1] * 10 + r }`;
    expect(interpret(moduleOf(net).nets[0]!.predict, { x: f32([1], [1]) }).out).toEqual([47]);
  });

  test('results are named by their fields', () => {
    const { predict } = moduleOf('net A(x: f32[N]) -> (y: f32[N], z: f32[N]) { return x, x * 2 }').nets[0]!;
    expect(predict.outputs.map(o => [o.name, o.role])).toEqual([
      ['y', 'result'],
      ['z', 'result'],
    ]);
  });
});

test('nodes know the path and the place in the user’s own text', () => {
  const { predict } = moduleOf(`block Unit(c: int)(x: f32[N, D]) -> f32[N, c] {
  return x -> dense(c) -> tanh
}
net A(x: f32[N, 4]) -> f32[N, 4] {
  return x -> Unit(4)
}`).nets[0]!;
  const of = (op: string) => predict.nodes.find(n => n.kind === 'op' && n.op.name === op)!.origin;
  expect(of('matmul').path).toBe('A.Unit.dense');
  expect(place(of('matmul').span!)).toBe('test.dnn:2:15');
  expect(of('tanh').path).toBe('A.Unit.tanh');
});
