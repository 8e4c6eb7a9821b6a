import type * as fc from 'fast-check';
import type { GraphBuilder } from '../ir/builder.ts';
import type { Axis, Monoid } from '../ir/compute.ts';
import type { Dim } from '../ir/dim.ts';
import * as D from '../ir/dim.ts';
import * as E from '../ir/expr.ts';
import type { Value } from '../ir/graph.ts';
import { flatIndex, forEachIndex, size } from '../ir/ndarray.ts';
import type { Attrs, NdArray, Primitive } from '../ir/primitive.ts';
import type { BinaryOp } from '../ir/scalar.ts';
import { applyBinary } from '../ir/scalar.ts';
import type { DType, TensorType } from '../ir/type.ts';
import type { Accepted } from './attributes.ts';
import { axesOf, filled, requireCount, requireDType } from './attributes.ts';
import * as B from './build.ts';
import { accumulator } from './contraction.ts';
import { filledWith, integers, shapes } from './samples.ts';

/** What tells one reduction from another. */
export interface ReductionSpec {
  readonly name: string;
  readonly doc: string;
  readonly example: string;
  readonly accepts: Accepted;
  monoid(dtype: DType): Monoid;
  /** The fold of no elements. */
  zero(dtype: DType): number;
  /** The scalar function that the reference folds with, in row-major order. */
  readonly step: BinaryOp;
  readonly vjp: NonNullable<Primitive['vjp']>;
  /** Tensors where the result is differentiable. */
  smooth(arbitrary: typeof fc, shape: readonly number[]): fc.Arbitrary<NdArray>;
  /** Tensors with ties, zeros and the like. */
  nasty(arbitrary: typeof fc, shape: readonly number[]): fc.Arbitrary<NdArray>;
}

/** An op that folds some axes of its input with an associative function. */
export function reduction(spec: ReductionSpec): Primitive {
  const { name } = spec;
  return {
    name,
    kind: 'reduction',
    inputs: ['x'],
    attrs: {
      axes: {
        type: 'ints',
        default: 'all',
        doc: 'the axes that are folded, counted from either end; all by default',
      },
      keep: { type: 'bool', default: false, doc: 'whether they stay, with size 1' },
    },
    doc: spec.doc,
    example: spec.example,
    prepare: ([x], attrs) => ({
      axes: axesOf(attrs.axes, x!.shape.length, `${name}: axes`),
      keep: attrs.keep === true,
    }),
    infer: (types, attrs) => {
      requireCount(name, ['x'], types);
      const [x] = types;
      requireDType(name, 'x', 0, x!, spec.accepts);
      return [{ dtype: x!.dtype, shape: reducedShape(x!.shape, axesIn(attrs), attrs.keep === true) }];
    },
    reference: ([x], attrs, [out], precision) => {
      const { dtype } = out!;
      const axes = axesIn(attrs);
      const shape = x!.shape.map((n, i) => (axes.includes(i) ? 1 : n));
      const data = new Float64Array(size(shape)).fill(spec.zero(dtype));
      forEachIndex(x!.shape, (at, flat) => {
        const to = flatIndex(
          at.map((i, axis) => (axes.includes(axis) ? 0 : i)),
          shape,
        );
        data[to] = applyBinary(spec.step, data[to]!, x!.data[flat]!, dtype, precision);
      });
      return [filled(out!, data)];
    },
    lower: ([x], attrs, [out]) => {
      const { outer, inner, at } = reductionAxes(x!, axesIn(attrs), attrs.keep === true);
      const monoid = spec.monoid(accumulator(x!.dtype));
      return {
        inputs: [x!],
        axes: outer,
        reduce: { axes: inner, lift: [E.cast(monoid.types[0]!, E.load(0, x!, at))], monoid },
        outs: [{ type: out!, value: E.cast(x!.dtype, E.reduced(0, monoid)) }],
      };
    },
    vjp: spec.vjp,
    // a fold of one element = reshape
    simplify: (b, [x], attrs, [y]) =>
      axesIn(attrs).every(i => D.isConstant(x!.type.shape[i]!, 1))
        ? [B.reshape(b, x!, y!.type.shape)]
        : undefined,
    samples: fc =>
      shapes(fc).chain(shape => {
        const attrs = reductionAttributes(fc, shape.length);
        return fc.oneof(
          fc.record({ inputs: fc.tuple(spec.smooth(fc, shape)), attrs }),
          fc.record({ inputs: fc.tuple(spec.nasty(fc, shape)), attrs, smooth: fc.constant(false) }),
          fc.record({ inputs: fc.tuple(filledWith(fc, shape, integers(fc), 'i32')), attrs }),
        );
      }),
  };
}

export function axesIn(attrs: Attrs): readonly number[] {
  return attrs.axes as readonly number[];
}

export function reducedShape(shape: readonly Dim[], axes: readonly number[], keep: boolean): Dim[] {
  return shape.flatMap((d, i) => (axes.includes(i) ? (keep ? [D.constant(1)] : []) : [d]));
}

/** Output axes (of extent 1 where a folded axis is kept), folded axes, and the index of x that they form. */
export function reductionAxes(x: TensorType, axes: readonly number[], keep: boolean) {
  const outer: Axis[] = [];
  const inner: Axis[] = [];
  const at = x.shape.map((extent, i) => {
    const folded = axes.includes(i);
    if (folded && keep) outer.push(E.axis(`i${i}`, D.constant(1)));
    const axis = E.axis(folded ? `r${i}` : `i${i}`, extent);
    (folded ? inner : outer).push(axis);
    return axis;
  });
  return { outer, inner, at };
}

/** Repeats a value of the reduced shape over the axes that were folded. */
export function spread(b: GraphBuilder, v: Value, x: TensorType, axes: readonly number[]): Value {
  return B.broadcastTo(b, B.reshape(b, v, reducedShape(x.shape, axes, true)), x.shape);
}

/** Negative axes, repeated flags and the default, for samples. */
function reductionAttributes(arbitrary: typeof fc, rank: number): fc.Arbitrary<Attrs> {
  const axes = arbitrary
    .subarray(Array.from({ length: rank }, (_, i) => i))
    .chain(list => arbitrary.constantFrom(list, list.map(a => a - rank).reverse()));
  return arbitrary.oneof(
    arbitrary.record({ axes, keep: arbitrary.boolean() }),
    arbitrary.constant<Attrs>({}),
  );
}
