import * as D from '../ir/dim.ts';
import * as E from '../ir/expr.ts';
import type { Primitive } from '../ir/primitive.ts';
import { applyCast } from '../ir/scalar.ts';
import { dimOf, dtypeOf, filled } from './attributes.ts';

export const size: Primitive = {
  name: 'size',
  kind: 'source',
  inputs: [],
  attrs: {
    dim: { type: 'dim', doc: 'a size, which may depend on free dims' },
    dtype: { type: 'dtype', default: 'i32', doc: 'the dtype of the result' },
  },
  doc: 'The value of a size as a scalar.',
  example: 'n = size(dim = N)',
  prepare: (_, attrs) => ({ dim: dimOf(attrs.dim, 'size: dim'), dtype: dtypeOf(attrs.dtype, 'size: dtype') }),
  infer: (_, attrs) => [{ dtype: dtypeOf(attrs.dtype, 'size: dtype'), shape: [] }],
  reference: (_, attrs, [out], precision) => [
    filled(
      out!,
      Float64Array.of(applyCast(D.evaluate(dimOf(attrs.dim, 'size: dim')), out!.dtype, precision)),
    ),
  ],
  lower: (_, attrs, [out]) => ({
    inputs: [],
    axes: [],
    outs: [{ type: out!, value: E.cast(out!.dtype, E.dimValue(dimOf(attrs.dim, 'size: dim'))) }],
  }),
  vjp: () => [],
  samples: fc =>
    fc.record({
      inputs: fc.constant([]),
      attrs: fc.record({ dim: fc.integer({ min: 0, max: 1000 }), dtype: fc.constantFrom('i32', 'f32') }),
    }),
};
