import * as D from '../ir/dim.ts';
import * as E from '../ir/expr.ts';
import { forEachIndex, size } from '../ir/ndarray.ts';
import type { Primitive } from '../ir/primitive.ts';
import { applyCast } from '../ir/scalar.ts';
import { axisOf, dimsOf, dtypeOf, filled } from './attributes.ts';
import { shapes } from './samples.ts';

export const iota: Primitive = {
  name: 'iota',
  kind: 'source',
  inputs: [],
  attrs: {
    shape: { type: 'dims', doc: 'the shape, at least one axis' },
    axis: { type: 'int', default: 0, doc: 'the axis that is counted along' },
    dtype: { type: 'dtype', default: 'i32', doc: 'the dtype of the result' },
  },
  doc: 'The position of each element along an axis: 0, 1, 2, ...',
  example: 'i = iota(shape = [N, 10], axis = 1)',
  prepare: (_, attrs) => {
    const shape = dimsOf(attrs.shape, 'iota: shape');
    return {
      shape,
      axis: axisOf(attrs.axis, shape.length, 'iota: axis'),
      dtype: dtypeOf(attrs.dtype, 'iota: dtype'),
    };
  },
  infer: (_, attrs) => [
    { dtype: dtypeOf(attrs.dtype, 'iota: dtype'), shape: dimsOf(attrs.shape, 'iota: shape') },
  ],
  reference: (_, attrs, [out], precision) => {
    const axis = attrs.axis as number;
    const result = filled(out!, new Float64Array(size(out!.shape.map(d => D.evaluate(d)))));
    forEachIndex(result.shape, (at, flat) => {
      result.data[flat] = applyCast(at[axis]!, out!.dtype, precision);
    });
    return [result];
  },
  lower: (_, attrs, [out]) => {
    const axes = out!.shape.map((extent, i) => E.axis(`i${i}`, extent));
    const position = E.indexValue(axes[attrs.axis as number]!);
    return { inputs: [], axes, outs: [{ type: out!, value: E.cast(out!.dtype, position) }] };
  },
  vjp: () => [],
  samples: fc =>
    shapes(fc, { minRank: 1 }).chain(shape =>
      fc.record({
        inputs: fc.constant([]),
        attrs: fc.record({
          shape: fc.constant(shape),
          axis: fc.integer({ min: -shape.length, max: shape.length - 1 }),
          dtype: fc.constantFrom('i32', 'f32'),
        }),
      }),
    ),
};
