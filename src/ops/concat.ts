import * as A from '../ir/affine.ts';
import type { Expr } from '../ir/compute.ts';
import type { Dim } from '../ir/dim.ts';
import * as D from '../ir/dim.ts';
import * as E from '../ir/expr.ts';
import { flatIndex, forEachIndex, size } from '../ir/ndarray.ts';
import { inRange } from '../ir/predicate.ts';
import type { Primitive } from '../ir/primitive.ts';
import { ShapeError } from '../ir/primitive.ts';
import type { TensorType } from '../ir/type.ts';
import { firstDifference, printType } from '../ir/type.ts';
import { axisOf, filled } from './attributes.ts';
import * as B from './build.ts';
import { filledWith, floats, shapes } from './samples.ts';

export const concat: Primitive = {
  name: 'concat',
  kind: 'view',
  inputs: ['x...'],
  attrs: { axis: { type: 'int', doc: 'the axis along which the tensors follow each other' } },
  doc: 'Tensors that agree on all other axes, one after the other along an axis.',
  example: 'y = concat(a, b, axis = 1)',
  prepare: (types, attrs) => ({ axis: axisOf(attrs.axis, types[0]?.shape.length ?? 0, 'concat: axis') }),
  infer: (types, attrs) => {
    const axis = attrs.axis as number;
    const [first] = types;
    if (!first) throw new ShapeError('concat takes at least one tensor');
    const others = (type: TensorType) => type.shape.filter((_, k) => k !== axis);
    types.forEach((type, i) => {
      const agrees =
        type.dtype === first.dtype &&
        type.shape.length === first.shape.length &&
        type.shape.every((d, k) => k === axis || D.equal(d, first.shape[k]!));
      if (!agrees)
        throw new ShapeError(
          `concat: tensor ${i} is ${printType(type)}, but tensor 0 is ${printType(first)}: they may differ on axis ${axis} only`,
          { input: i, sizes: firstDifference(others(type), others(first)) },
        );
    });
    return [
      {
        dtype: first.dtype,
        shape: first.shape.map((d, k) => (k === axis ? offsets(types, axis).at(-1)! : d)),
      },
    ];
  },
  reference: (arrays, attrs, [out]) => {
    const axis = attrs.axis as number;
    const result = filled(out!, new Float64Array(size(out!.shape.map(d => D.evaluate(d)))));
    let offset = 0;
    for (const x of arrays) {
      forEachIndex(x.shape, (at, flat) => {
        const to = at.map((i, k) => (k === axis ? i + offset : i));
        result.data[flatIndex(to, result.shape)] = x.data[flat]!;
      });
      offset += x.shape[axis]!;
    }
    return [result];
  },
  lower: (types, attrs, [out]) => {
    const axis = attrs.axis as number;
    const axes = out!.shape.map((extent, i) => E.axis(`i${i}`, extent));
    const along = axes[axis]!;
    const bounds = offsets(types, axis);
    const part = (type: TensorType, k: number): Expr => {
      const local = A.sub(along, bounds[k]!);
      return E.load(
        k,
        type,
        axes.map((a, i) => (i === axis ? local : A.index(a))),
        types.length === 1 ? [] : inRange(local, type.shape[axis]!),
      );
    };
    // i < end of the first half ? one of the first half : one of the second, so that many tensors nest only a few deep
    const among = (values: readonly Expr[], from: number): Expr => {
      if (values.length === 1) return values[0]!;
      const half = values.length >> 1;
      const before = E.binary('lt', E.indexValue(along), E.indexValue(bounds[from + half]!));
      return E.select(before, among(values.slice(0, half), from), among(values.slice(half), from + half));
    };
    const value = among(types.map(part), 0);
    return { inputs: types, axes, outs: [{ type: out!, value }] };
  },
  vjp: (b, [ct], inputs, _, attrs) => {
    const axis = attrs.axis as number;
    const bounds = offsets(
      inputs.map(x => x.type),
      axis,
    );
    return inputs.map((x, k) =>
      B.slice(
        b,
        ct!,
        x.type.shape.map((_, i) => (i === axis ? bounds[k]! : 0)),
        x.type.shape.map((d, i) => (i === axis ? bounds[k + 1]! : d)),
      ),
    );
  },
  // concat(x) = x
  simplify: (_, inputs) => (inputs.length === 1 ? inputs : undefined),
  samples: fc =>
    fc
      .tuple(
        shapes(fc, { minRank: 1 }),
        fc.nat(2),
        fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 4 }),
      )
      .chain(([shape, pick, lengths]) => {
        const axis = pick % shape.length;
        return fc.record({
          inputs: fc.tuple(
            ...lengths.map(n =>
              filledWith(
                fc,
                shape.map((d, i) => (i === axis ? n : d)),
                floats(fc),
              ),
            ),
          ),
          attrs: fc.constantFrom({ axis }, { axis: axis - shape.length }),
        });
      }),
};

/** Where each tensor begins along the axis, and the total. */
function offsets(types: readonly TensorType[], axis: number): Dim[] {
  const bounds = [D.constant(0)];
  for (const type of types) bounds.push(D.add(bounds.at(-1)!, type.shape[axis]!));
  return bounds;
}
