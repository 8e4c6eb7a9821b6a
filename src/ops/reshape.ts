import * as A from '../ir/affine.ts';
import type { Axis, Index } from '../ir/compute.ts';
import type { Dim } from '../ir/dim.ts';
import * as D from '../ir/dim.ts';
import * as E from '../ir/expr.ts';
import { size } from '../ir/ndarray.ts';
import type { Primitive } from '../ir/primitive.ts';
import { ShapeError } from '../ir/primitive.ts';
import type { TensorType } from '../ir/type.ts';
import { elementCount, printShape, printType, sameShape } from '../ir/type.ts';
import { dimsOf, filled, requireCount } from './attributes.ts';
import * as B from './build.ts';
import { filledWith, floats, shapes } from './samples.ts';

export const reshape: Primitive = {
  name: 'reshape',
  kind: 'view',
  inputs: ['x'],
  attrs: { shape: { type: 'dims', doc: 'the new shape, of as many elements; one -1 is inferred' } },
  doc: 'The same elements in row-major order under another shape.',
  example: 'y = reshape(x, shape = [N, -1])',
  prepare: ([x], attrs) => ({ shape: inferMissing(x!, dimsOf(attrs.shape, 'reshape: shape')) }),
  infer: (types, attrs) => {
    requireCount('reshape', ['x'], types);
    const x = types[0]!;
    const out = { dtype: x.dtype, shape: dimsOf(attrs.shape, 'reshape: shape') };
    if (!D.equal(elementCount(x), elementCount(out)))
      throw new ShapeError(
        `reshape: x is ${printType(x)} with ${D.print(elementCount(x))} elements, ` +
          `${printShape(out.shape)} has ${D.print(elementCount(out))}`,
        { input: 0, sizes: [elementCount(x), elementCount(out)] },
      );
    return [out];
  },
  sumOfTurns: ([x], attrs) => {
    const total = x!.total();
    return b => B.reshape(b, total(b), attrs.shape as readonly Dim[]);
  },
  stackOfTurns: (b, [x], attrs) => B.reshape(b, x!, [x!.type.shape[0]!, ...(attrs.shape as readonly Dim[])]),
  reference: ([x], _, [out]) => [filled(out!, Float64Array.from(x!.data))],
  lower: ([x], _, [out]) => {
    const axes = out!.shape.map((extent, i) => E.axis(`i${i}`, extent));
    return { inputs: [x!], axes, outs: [{ type: out!, value: E.load(0, x!, sourceIndex(x!.shape, axes)) }] };
  },
  vjp: (b, [ct], [x]) => [B.reshape(b, ct!, x!.type.shape)],
  simplify: (b, [x], _, [y]) => {
    // reshape(x, shape of x) = x
    if (sameShape(x!.type.shape, y!.type.shape)) return [x!];
    // reshape(reshape(x, s), t) = reshape(x, t)
    if (x!.node.kind === 'op' && x!.node.op === reshape)
      return [B.reshape(b, x!.node.inputs[0]!, y!.type.shape)];
    return undefined;
  },
  samples: fc =>
    shapes(fc, { maxRank: 4 }).chain(shape =>
      fc.record({
        inputs: fc.tuple(filledWith(fc, shape, floats(fc))),
        attrs: fc.constantFrom(...otherShapes(shape)).map(to => ({ shape: to })),
      }),
    ),
};

/** Replaces a -1 by what the number of elements leaves. Sizes on both sides cancel, so most symbols divide out. */
function inferMissing(x: TensorType, shape: readonly Dim[]): readonly Dim[] {
  const missing = shape.findIndex(d => D.isConstant(d, -1));
  if (missing < 0) return shape;
  const left = [...x.shape];
  const known: Dim[] = [];
  shape.forEach((d, i) => {
    if (i === missing) return;
    const same = left.findIndex(l => D.equal(l, d));
    if (same >= 0 && !D.isConstant(d, 0)) left.splice(same, 1);
    else known.push(d);
  });
  const divisor = D.product(known);
  const rest = D.isConstant(divisor, 0) ? undefined : D.divideExact(D.product(left), divisor);
  if (!rest)
    throw new ShapeError(`reshape: cannot infer the -1 in ${printShape(shape)} for x of ${printType(x)}`, {
      input: 0,
    });
  return shape.map((d, i) => (i === missing ? rest : d));
}

/** Cuts both shapes wherever their prefixes have equal counts, so that each group is flattened on its own. */
function sourceIndex(from: readonly Dim[], axes: readonly Axis[]): Index[] {
  const to = axes.map(a => a.extent);
  // An empty tensor has no points: any index does.
  if ([...from, ...to].some(d => D.isConstant(d, 0))) return from.map(() => A.index(0));
  const at: Index[] = [];
  let i = 0;
  let j = 0;
  while (i < from.length || j < to.length) {
    const [m, n] = nextCut(from, i, to, j);
    const flat = A.flatten(
      axes.slice(j, n).map(a => A.index(a)),
      to.slice(j, n),
    );
    at.push(...A.unflatten(flat, from.slice(i, m)));
    i = m;
    j = n;
  }
  return at;
}

/** The smallest m > i or n > j with from[i..m] and to[j..n] of one size. */
function nextCut(from: readonly Dim[], i: number, to: readonly Dim[], j: number): [number, number] {
  const one = D.constant(1);
  let x = one;
  for (let m = i; m <= from.length; m++) {
    if (m > i) x = D.mul(x, from[m - 1]!);
    let y = one;
    for (let n = j; n <= to.length; n++) {
      if (n > j) y = D.mul(y, to[n - 1]!);
      if ((m > i || n > j) && D.equal(x, y)) return [m, n];
    }
  }
  return [from.length, to.length];
}

function otherShapes(shape: readonly number[]): (readonly number[])[] {
  const total = size(shape);
  const splits = [2, 3, 4, 5]
    .filter(k => total % k === 0)
    .flatMap(k => [
      [k, total / k],
      [total / k, 1, k],
    ]);
  return [
    [total],
    [1, ...shape],
    [...shape, 1],
    [...shape].reverse(),
    ...(total > 0 ? [[-1]] : []),
    ...splits,
  ];
}
