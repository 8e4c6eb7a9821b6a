import { describe, expect, test } from 'vitest';
import { GraphBuilder } from '../src/ir/builder.ts';
import * as D from '../src/ir/dim.ts';
import type { OpNode, Value } from '../src/ir/graph.ts';
import { adjointCompute } from '../src/ir/interpret/adjoint.ts';
import { interpretCompute } from '../src/ir/interpret/compute.ts';
import { fixAttrs, fixType, interpretGraph } from '../src/ir/interpret/graph.ts';
import { ndarray, size } from '../src/ir/ndarray.ts';
import type { Attrs, NdArray } from '../src/ir/primitive.ts';
import { ShapeError } from '../src/ir/primitive.ts';
import type { TensorType } from '../src/ir/type.ts';
import { printType, tensor } from '../src/ir/type.ts';
import * as B from '../src/ops/build.ts';
import { primitive } from '../src/ops/list.ts';
import { difference, generator, slope } from './arbitrary/numbers.ts';
import { reverse } from './arbitrary/reverse.ts';

/** Single cases of the ops whose right answer is known by hand. */

const op = (name: string) => primitive(name)!;
const f32 = (...shape: (number | D.Dim)[]) => tensor('f32', shape);

/** The outputs of `build`, given arrays for its inputs. */
function evaluate(
  arrays: readonly NdArray[],
  build: (b: GraphBuilder, inputs: Value[]) => Value[],
): number[][] {
  const b = new GraphBuilder('case');
  const inputs = arrays.map((x, i) => b.input('input', `x${i}`, tensor(x.dtype, x.shape)));
  build(b, inputs).forEach((value, i) => {
    b.output({ name: `y${i}`, role: 'result', value });
  });
  const { outputs } = interpretGraph(b.build(), Object.fromEntries(arrays.map((x, i) => [`x${i}`, x])));
  return [...outputs.values()].map(y => [...y.data].map(v => v + 0));
}

/** Gradient of sum(op(x)) with respect to each input. */
function gradients(name: string, arrays: readonly NdArray[], attrs: Attrs = {}): number[][] {
  return evaluate(arrays, (b, inputs) => {
    const y = b.emit(op(name), inputs, attrs);
    return reverse(b, [[y, B.onesLike(b, y)]], inputs).map((g, i) => g ?? B.zerosLike(b, inputs[i]!));
  });
}

const vector = (...values: number[]) => ndarray('f32', [values.length], values);

describe('ties and kinks', () => {
  test('maximum and minimum share the gradient of a tie', () => {
    expect(gradients('maximum', [vector(1, 2, 3), vector(3, 2, 1)])).toEqual([
      [0, 0.5, 1],
      [1, 0.5, 0],
    ]);
    expect(gradients('minimum', [vector(1, 2, 3), vector(3, 2, 1)])).toEqual([
      [1, 0.5, 0],
      [0, 0.5, 1],
    ]);
  });

  test('relu and abs have gradient 0 at 0', () => {
    expect(gradients('relu', [vector(-1, 0, 2)])).toEqual([[0, 0, 1]]);
    expect(gradients('abs', [vector(-1, 0, 2)])).toEqual([[-1, 0, 1]]);
  });

  test('pow has no gradient but a number at base 0 and exponent 0', () => {
    const [base, exponent] = gradients('pow', [vector(0, 0, 0, -2, 3), vector(0, 1, 2, 3, 2)]);
    expect(base).toEqual([0, 1, 0, 12, 6]);
    expect(exponent!.slice(0, 4)).toEqual([0, 0, 0, 0]);
    expect(exponent![4]).toBeCloseTo(9 * Math.log(3), 12);
  });

  test('reduce_max over two axes: the first winner in row-major order has it all', () => {
    const x = ndarray('f32', [2, 2, 2], [1, 5, 5, 0, 5, 3, 3, 5]);
    expect(gradients('reduce_max', [x])).toEqual([[0, 1, 0, 0, 0, 0, 0, 0]]);
    expect(gradients('reduce_max', [x], { axes: [0, 2] })).toEqual([[0, 1, 1, 0, 0, 0, 0, 0]]);
    expect(gradients('reduce_max', [x], { axes: [0, 1], keep: true })).toEqual([[0, 1, 1, 0, 0, 0, 0, 0]]);
    expect(gradients('reduce_min', [vector(2, 1, 1)])).toEqual([[0, 1, 0]]);
  });

  test('argmax takes the first of equals, and the lowest value counts', () => {
    const lowest = -3.4028234663852886e38;
    expect(evaluate([vector(1, 3, 3)], (b, [x]) => [B.argmax(b, x!, 0)])).toEqual([[1]]);
    expect(evaluate([vector(lowest, lowest)], (b, [x]) => [B.argmax(b, x!, 0)])).toEqual([[0]]);
    expect(evaluate([vector(2, 1, 1)], (b, [x]) => [B.argmin(b, x!, -1)])).toEqual([[1]]);
  });
});

describe('reductions', () => {
  test('of no elements', () => {
    const empty = ndarray('f32', [2, 0], []);
    const fold = (name: string) => evaluate([empty], (b, [x]) => [b.emit(op(name), [x!], { axes: [1] })])[0];
    expect(fold('reduce_sum')).toEqual([0, 0]);
    expect(fold('reduce_prod')).toEqual([1, 1]);
    expect(fold('reduce_max')).toEqual([-3.4028234663852886e38, -3.4028234663852886e38]);
    expect(fold('reduce_min')).toEqual([3.4028234663852886e38, 3.4028234663852886e38]);
    expect(() => evaluate([empty], (b, [x]) => [B.argmax(b, x!, 1)])).toThrow(
      /argmax: axis 1 .* f32\[2, 0\]/,
    );
  });

  test('reduce_prod with no, one and two zeros', () => {
    expect(gradients('reduce_prod', [vector(2, 3, 4)])).toEqual([[12, 8, 6]]);
    expect(gradients('reduce_prod', [vector(2, 0, 4)])).toEqual([[0, 8, 0]]);
    expect(gradients('reduce_prod', [vector(0, 3, 0)])).toEqual([[0, 0, 0]]);
    const rows = ndarray('f32', [2, 2], [0, 5, 3, 0]);
    expect(gradients('reduce_prod', [rows], { axes: [0] })).toEqual([[3, 0, 0, 5]]);
  });

  test('second derivatives of reduce_prod with zeros', () => {
    const hessianRow = (x: NdArray, row: number) =>
      evaluate([x], (b, [v]) => {
        const y = b.emit(op('reduce_prod'), [v!]);
        const [g] = reverse(b, [[y, B.onesLike(b, y)]], [v!]);
        const one = B.slice(b, g!, [row], [row + 1]);
        return [reverse(b, [[one, B.onesLike(b, one)]], [v!])[0]!];
      })[0];
    expect(hessianRow(vector(2, 0, 4), 0)).toEqual([0, 4, 0]);
    expect(hessianRow(vector(2, 0, 4), 1)).toEqual([4, 0, 2]);
    expect(hessianRow(vector(0, 3, 0), 0)).toEqual([0, 0, 3]);
    expect(hessianRow(vector(0, 3, 0), 1)).toEqual([0, 0, 0]);
    expect(hessianRow(vector(0, 0, 0), 1)).toEqual([0, 0, 0]);
  });

  test('axes may be negative, and are refused when repeated or out of range', () => {
    const b = new GraphBuilder('case');
    const x = b.input('input', 'x', f32(2, 3, 4));
    expect(printType(B.reduceSum(b, x, [-1, 0]).type)).toBe('f32[3]');
    expect(B.reduceSum(b, x, [-1, 0])).toBe(B.reduceSum(b, x, [0, 2]));
    expect(() => B.reduceSum(b, x, [0, -3])).toThrow('reduce_sum: axes names axis 0 twice');
    expect(() => B.reduceSum(b, x, [3])).toThrow('reduce_sum: axes 3 is out of range for 3 axes');
  });
});

describe('views', () => {
  test('pad between, around and with crops', () => {
    const x = vector(1, 2, 3);
    const padded = (attrs: Attrs) => evaluate([x], (b, [v]) => [b.emit(op('pad'), [v!], attrs)])[0];
    expect(padded({ low: 1, high: 2 })).toEqual([0, 1, 2, 3, 0, 0]);
    expect(padded({ low: 0, high: 1, interior: 2, value: 9 })).toEqual([1, 9, 9, 2, 9, 9, 3, 9]);
    expect(padded({ low: -1, high: 1 })).toEqual([2, 3, 0]);
    expect(padded({ low: -1, high: -1, interior: 1 })).toEqual([0, 2, 0]);
    expect(padded({ low: -5, high: 4 })).toEqual([0, 0]);
    expect(gradients('pad', [x], { low: -1, high: -1, interior: 1 })).toEqual([[0, 1, 0]]);
    expect(gradients('pad', [x], { low: -1, high: 3 })).toEqual([[0, 1, 1]]);
    expect(() => padded({ low: -2, high: -2 })).toThrow(ShapeError);
  });

  test('slice with steps, and its gradient', () => {
    const x = vector(0, 1, 2, 3, 4, 5, 6);
    const attrs = { starts: [1], ends: [6], steps: [2] };
    expect(evaluate([x], (b, [v]) => [b.emit(op('slice'), [v!], attrs)])).toEqual([[1, 3, 5]]);
    expect(gradients('slice', [x], attrs)).toEqual([[0, 1, 0, 1, 0, 1, 0]]);
    expect(gradients('slice', [x], { starts: [3], ends: [3], steps: [2] })).toEqual([[0, 0, 0, 0, 0, 0, 0]]);
    expect(evaluate([x], (b, [v]) => [B.slice(b, v!, [-2], [7])])).toEqual([[5, 6]]);
  });

  test('bounds that do not hold for every size are refused', () => {
    const b = new GraphBuilder('case');
    const x = b.input('input', 'x', f32(D.symbol('T')));
    expect(printType(B.slice(b, x, [1], [D.symbol('T')]).type)).toBe('f32[T - 1]');
    expect(() => B.slice(b, x, [0], [5])).toThrow(
      '0 : 5 is not known to lie within axis 0 of x, which is f32[T]',
    );
  });

  test('reshape infers one size, also among symbols', () => {
    const b = new GraphBuilder('case');
    const n = D.symbol('N');
    const h = D.add(D.symbol('H'), D.constant(2));
    const x = b.input('input', 'x', f32(n, h, 6));
    expect(printType(B.reshape(b, x, [n, -1]).type)).toBe('f32[N, 6*H + 12]');
    expect(printType(B.reshape(b, x, [-1, h, 3]).type)).toBe('f32[2*N, H + 2, 3]');
    expect(() => B.reshape(b, x, [5, -1])).toThrow('reshape: cannot infer the -1');
    expect(() => B.reshape(b, x, [n, 6])).toThrow(
      'reshape: x is f32[N, H + 2, 6] with 6*H*N + 12*N elements',
    );
  });
});

describe('build', () => {
  const b = new GraphBuilder('case');
  const x = b.input('input', 'x', f32(D.symbol('N'), 256, 56, 56));
  const y = b.input('input', 'y', f32(D.symbol('N'), 64, 56, 56));
  const bias = b.input('input', 'bias', f32(256, 1, 1));
  const count = b.input('input', 'count', tensor('i32', [3]));

  test('broadcasts from the right and names both shapes when it cannot', () => {
    expect(printType(B.add(b, bias, x).type)).toBe('f32[N, 256, 56, 56]');
    expect(printType(B.where(b, B.gt(b, bias, 0), x, 1).type)).toBe('f32[N, 256, 56, 56]');
    expect(() => B.add(b, x, y)).toThrow(
      'add: shapes do not match: f32[N, 256, 56, 56] and f32[N, 64, 56, 56] differ on axis 1, 256 against 64',
    );
  });

  test('numbers and constants take the dtype of what they meet', () => {
    expect(printType(B.add(b, count, 1).type)).toBe('i32[3]');
    expect(printType(B.add(b, B.scalar(b, 2, 'i32'), bias).type)).toBe('f32[256, 1, 1]');
    expect(printType(B.add(b, B.scalar(b, 2, 'i32'), 0.5).type)).toBe('f32');
    expect(() => B.add(b, count, 0.5)).toThrow('add: 0.5 does not go together with i32');
    expect(() => B.add(b, count, b.input('input', 'z', f32(3)))).toThrow('does not go together');
  });

  test('a constant is finite and one of its dtype', () => {
    expect(() => B.scalar(b, Number.NaN)).toThrow('constant: NaN is not a finite f32');
    expect(() => B.scalar(b, 0.5, 'i32')).toThrow('constant: 0.5 is not a finite i32');
  });

  test('constants are seen through broadcasts', () => {
    expect(B.constantOf(B.full(b, 3, x.type))).toBe(3);
    const doubled = B.pow(b, x, 2);
    expect(op('pow').simplify!(b, doubled.node.inputs, {}, [doubled])).toEqual([B.mul(b, x, x)]);
    const same = B.add(b, x, 0);
    expect(op('add').simplify!(b, same.node.inputs, {}, [same])).toEqual([x]);
  });
});

/** One op on types with free dims: shapes, lowering and gradient at several sizes. */
const N = D.symbol('N');
const H = D.symbol('H');
const half = D.floorDiv(H, D.constant(2));
const symbolic: readonly [string, readonly TensorType[], Attrs][] = [
  ['reshape', [f32(N, 2, H)], { shape: [N, -1] }],
  ['reshape', [f32(N, D.scale(H, 2))], { shape: [D.scale(N, 2), H] }],
  ['reshape', [f32(N, D.add(H, D.constant(2)), 3)], { shape: [D.mul(N, D.add(H, D.constant(2))), 3] }],
  ['transpose', [f32(N, 3, H)], { perm: [2, 0, 1] }],
  ['broadcast', [f32(H, 1)], { shape: [N, H, 4] }],
  ['slice', [f32(N, H)], { starts: [0, D.sub(H, D.constant(1))], ends: [N, H], steps: 1 }],
  ['slice', [f32(N, H)], { starts: [0, 0], ends: [N, H], steps: [1, 2] }],
  ['slice', [f32(N, H)], { starts: [0, 1], ends: [N, H], steps: [1, 3] }],
  ['pad', [f32(N, H)], { low: [0, 1], high: [N, H], interior: [1, 2] }],
  ['pad', [f32(half, N)], { low: [1, D.scale(N, -1)], high: [1, 2], interior: [1, 0] }],
  ['concat', [f32(N, H), f32(N, 2), f32(N, half)], { axis: 1 }],
  ['reduce_sum', [f32(N, H, 3)], { axes: [0, 2] }],
  ['reduce_max', [f32(N, 2, H)], { axes: [0, 2], keep: true }],
  ['reduce_min', [f32(H, N)], { axes: [0] }],
  ['reduce_prod', [f32(N, H)], { axes: [1] }],
  ['sigmoid', [f32(N, H)], {}],
  ['mul', [f32(N, H), f32(N, H)], {}],
  ['size', [], { dim: D.mul(N, half), dtype: 'f32' }],
  ['iota', [], { shape: [N, H], axis: 1, dtype: 'f32' }],
];

describe.each(symbolic)('%s of free dims (%#)', (name, types, attrs) => {
  const b = new GraphBuilder('case');
  const inputs = types.map((type, i) => b.input('input', `x${i}`, type));
  const y = b.emit(op(name), inputs, attrs);
  const node = y.node as OpNode;
  const ct = b.input('input', 'ct', y.type);
  const grads = inputs.length > 0 ? reverse(b, [[y, ct]], inputs) : [];
  const seconds = grads.map((g, i) => g && reverse(b, [[g, inputs[i]!]], [ct])[0]);
  b.output({ name: 'y', role: 'result', value: y });
  grads.forEach((value, i) => {
    if (value) b.output({ name: `g${i}`, role: 'result', value });
  });
  seconds.forEach((value, i) => {
    if (value) b.output({ name: `h${i}`, role: 'result', value });
  });

  test.each([
    { N: 1, H: 1 },
    { N: 1, H: 4 },
    { N: 3, H: 5 },
    { N: 4, H: 2 },
  ])('at %o', dims => {
    const next = generator(5);
    const random = (type: TensorType) => {
      const shape = type.shape.map(d => D.evaluate(d, dims));
      return ndarray(type.dtype, shape, Array.from({ length: size(shape) }, next));
    };
    const arrays = types.map(random);
    const cotangent = random(y.type);
    const compute = op(name).lower!(types, node.attrs, [y.type]);
    const [lowered] = interpretCompute(compute, arrays, dims);
    const [reference] = op(name).reference(
      arrays,
      fixAttrs(node.attrs, dims),
      [fixType(y.type, dims)],
      'f64',
    );
    expect(difference(lowered!, reference!, 1e-12)).toBeUndefined();
    const fed = { ...Object.fromEntries(arrays.map((x, i) => [`x${i}`, x])), ct: cotangent };
    const { outputs } = interpretGraph(b.build(), fed, { dims });
    expect(difference(outputs.get('y')!, reference!, 1e-12)).toBeUndefined();
    adjointCompute(compute, arrays, [cotangent], dims).forEach((exact, i) => {
      expect(difference(outputs.get(`g${i}`)!, exact!, 1e-9)).toBeUndefined();
    });
  });
});

test('the oracle itself: a slope it cannot know by luck', () => {
  expect(slope(h => Math.sin(1 + h))).toBeCloseTo(Math.cos(1), 10);
});
