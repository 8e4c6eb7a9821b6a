import * as A from '../ir/affine.ts';
import type { GraphBuilder } from '../ir/builder.ts';
import type { Axis, Index } from '../ir/compute.ts';
import type { Dim } from '../ir/dim.ts';
import * as D from '../ir/dim.ts';
import * as E from '../ir/expr.ts';
import type { Value } from '../ir/graph.ts';
import { concreteShape, flatIndex, forEachIndex, zeros } from '../ir/ndarray.ts';
import type { Primitive } from '../ir/primitive.ts';
import { ShapeError } from '../ir/primitive.ts';
import type { TensorType } from '../ir/type.ts';
import { printType } from '../ir/type.ts';
import { requireCount } from './attributes.ts';
import * as B from './build.ts';
import { checkFloats, multiplyAdd, summation } from './contraction.ts';
import { values } from './window-samples.ts';

/** Batch dims of the product: aligned at the right, 1 goes with anything. */
function batchDims(a: TensorType, b: TensorType): Dim[] {
  const [left, right] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
  const count = Math.max(left.length, right.length);
  return Array.from({ length: count }, (_, i) => {
    const x = left[i - count + left.length] ?? D.constant(1);
    const y = right[i - count + right.length] ?? D.constant(1);
    if (D.equal(x, y) || D.isConstant(y, 1)) return x;
    if (D.isConstant(x, 1)) return y;
    throw new ShapeError(
      `batch dims ${D.print(x)} of a and ${D.print(y)} of b are neither equal nor 1: ${printType(a)} against ${printType(b)}`,
      { input: 1, sizes: [x, y] },
    );
  });
}

/** The batch part of an operand's index: position 0 where its dim is 1. */
function batchAt(type: TensorType, batch: readonly Axis[]): Index[] {
  const own = type.shape.slice(0, -2);
  return own.map((size, i) => A.index(D.isConstant(size, 1) ? 0 : batch[i - own.length + batch.length]!));
}

/** Swaps the last two axes. */
function swapped(b: GraphBuilder, x: Value): Value {
  const rank = x.type.shape.length;
  const axes = Array.from({ length: rank }, (_, i) => i);
  return B.transpose(b, x, [...axes.slice(0, -2), rank - 1, rank - 2]);
}

/** All rows of a batch of matrices as one matrix. */
function asRows(b: GraphBuilder, x: Value): Value {
  const { shape } = x.type;
  return B.reshape(b, x, [D.product(shape.slice(0, -1)), shape.at(-1)!]);
}

/** Sums over the batch dims along which an operand of this type was repeated. */
function unbroadcast(b: GraphBuilder, x: Value, type: TensorType): Value {
  const missing = x.type.shape.length - type.shape.length;
  const repeated = x.type.shape.flatMap((size, i) =>
    i < missing || (D.isConstant(type.shape[i - missing]!, 1) && !D.isConstant(size, 1)) ? [i] : [],
  );
  if (repeated.length === 0) return x;
  return B.reshape(b, B.reduceSum(b, x, repeated), type.shape);
}

/** out[..., m, n] = sum over k of a[..., m, k] * b[..., k, n]; batch dims broadcast as in numpy. */
export const matmul: Primitive = {
  name: 'matmul',
  kind: 'contraction',
  inputs: ['a', 'b'],
  attrs: {},
  doc: 'Matrix product of a [..., M, K] and b [..., K, N]; batch dims are equal, 1 or absent.',
  example: 'y = matmul(x, w)',

  infer(types) {
    requireCount('matmul', ['a', 'b'], types);
    const [a, b] = types as [TensorType, TensorType];
    checkFloats([a, b], ['a', 'b']);
    [a, b].forEach((type, input) => {
      if (type.shape.length < 2)
        throw new ShapeError(
          `${input === 0 ? 'a' : 'b'} must be a matrix or a batch of them, but is ${printType(type)}`,
          {
            input,
            hint: 'reshape a vector to one row or one column',
          },
        );
    });
    const [inner, rows] = [a.shape.at(-1)!, b.shape.at(-2)!];
    if (!D.equal(inner, rows))
      throw new ShapeError(
        `a has ${D.print(inner)} columns, b has ${D.print(rows)} rows: ${printType(a)} against ${printType(b)}`,
        { input: 1, sizes: [inner, rows] },
      );
    return [{ dtype: a.dtype, shape: [...batchDims(a, b), a.shape.at(-2)!, b.shape.at(-1)!] }];
  },

  reference([a, b], _attrs, [out], precision) {
    const product = zeros(out!.dtype, concreteShape(out!));
    const inner = a!.shape.at(-1)!;
    const fma = multiplyAdd(precision);
    const position = (at: readonly number[], shape: readonly number[], row: number, column: number) => {
      const batch = at.slice(at.length - shape.length, -2).map((i, d) => (shape[d] === 1 ? 0 : i));
      return flatIndex([...batch, row, column], shape);
    };
    forEachIndex(product.shape, (at, flat) => {
      const [m, n] = [at.at(-2)!, at.at(-1)!];
      for (let k = 0; k < inner; k++) {
        const left = a!.data[position(at, a!.shape, m, k)]!;
        const right = b!.data[position(at, b!.shape, k, n)]!;
        product.data[flat] = fma(product.data[flat]!, left, right);
      }
    });
    return [product];
  },

  lower(types, _attrs, [out]) {
    const [a, b] = types as [TensorType, TensorType];
    const batch = out!.shape.slice(0, -2).map((size, i) => E.axis(`b${i}`, size));
    const m = E.axis('m', out!.shape.at(-2)!);
    const n = E.axis('n', out!.shape.at(-1)!);
    const k = E.axis('k', a.shape.at(-1)!);
    return summation(
      types,
      out!,
      [...batch, m, n],
      [k],
      [E.load(0, a, [...batchAt(a, batch), m, k]), E.load(1, b, [...batchAt(b, batch), k, n])],
    );
  },

  vjp(b, [ct], [x, y]) {
    if (!ct) return [undefined, undefined];
    const wide = x!.type.shape.length > 2 && y!.type.shape.length === 2;
    if (wide) {
      const [rows, cts] = [asRows(b, x!), asRows(b, ct)];
      const dx = B.reshape(b, b.emit(matmul, [cts, swapped(b, y!)]), x!.type.shape);
      return [dx, b.emit(matmul, [swapped(b, rows), cts])];
    }
    const dx = b.emit(matmul, [ct, swapped(b, y!)]);
    const dy = b.emit(matmul, [swapped(b, x!), ct]);
    return [unbroadcast(b, dx, x!.type), unbroadcast(b, dy, y!.type)];
  },

  sumOfTurns([x, y]) {
    // sum over t of x[t] @ y[t] = one product over the columns of all x and the rows of all y
    if (x!.type.shape.length !== 2 || y!.type.shape.length !== 2) return undefined;
    const [left, right] = [x!.stack(), y!.stack()];
    return b => b.emit(matmul, [swapped(b, asRows(b, swapped(b, left(b)))), asRows(b, right(b))]);
  },

  simplify(b, [x, y]) {
    // a [..., M, K] @ b [K, N] = rows of one larger product: then the gradient of b is one product too
    const a = x!.type.shape;
    if (a.length === 2 || y!.type.shape.length !== 2) return undefined;
    const product = b.emit(matmul, [asRows(b, x!), y!]);
    return [B.reshape(b, product, [...a.slice(0, -1), y!.type.shape.at(-1)!])];
  },

  samples: fc =>
    fc
      .record({
        m: fc.integer({ min: 0, max: 4 }),
        k: fc.integer({ min: 0, max: 4 }),
        n: fc.integer({ min: 1, max: 4 }),
        batch: fc.array(fc.tuple(fc.integer({ min: 1, max: 3 }), fc.constantFrom('both', 'a', 'b')), {
          maxLength: 2,
        }),
        absent: fc.constantFrom('none', 'none', 'a', 'b'),
      })
      .chain(({ m, k, n, batch, absent }) => {
        const own = (side: 'a' | 'b') =>
          absent === side ? [] : batch.map(([size, who]) => (who === 'both' || who === side ? size : 1));
        return fc
          .tuple(values(fc, [...own('a'), m, k]), values(fc, [...own('b'), k, n]))
          .map(inputs => ({ inputs, attrs: {} }));
      }),
};
