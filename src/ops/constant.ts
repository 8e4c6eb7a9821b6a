import * as E from '../ir/expr.ts';
import type { Primitive } from '../ir/primitive.ts';
import { ShapeError } from '../ir/primitive.ts';
import { normalise } from '../ir/scalar.ts';
import { isFloat } from '../ir/type.ts';
import { dtypeOf, filled } from './attributes.ts';
import { floats, integers } from './samples.ts';

export const constant: Primitive = {
  name: 'constant',
  kind: 'source',
  inputs: [],
  attrs: {
    value: { type: 'float', doc: 'the number; finite, and one that the dtype holds' },
    dtype: { type: 'dtype', default: 'f32', doc: 'its dtype' },
  },
  doc: 'A scalar known at compile time.',
  example: 'c = constant(value = 0.5)',
  prepare: (_, attrs) => ({ value: attrs.value ?? 0, dtype: dtypeOf(attrs.dtype, 'constant: dtype') }),
  infer: (_, attrs) => {
    const dtype = dtypeOf(attrs.dtype, 'constant: dtype');
    const { value } = attrs;
    const fits =
      typeof value === 'number' &&
      Number.isFinite(value) &&
      (isFloat(dtype) || Object.is(normalise(value, dtype, 'f64'), value));
    if (!fits) throw new ShapeError(`constant: ${String(value)} is not a finite ${dtype}`);
    return [{ dtype, shape: [] }];
  },
  reference: (_, attrs, [out], precision) => [
    filled(out!, Float64Array.of(normalise(attrs.value as number, out!.dtype, precision))),
  ],
  lower: (_, attrs, [out]) => ({
    inputs: [],
    axes: [],
    outs: [{ type: out!, value: E.constant(attrs.value as number, out!.dtype) }],
  }),
  vjp: () => [],
  samples: fc =>
    fc.oneof(
      fc.record({ inputs: fc.constant([]), attrs: floats(fc).map(value => ({ value })) }),
      fc.record({ inputs: fc.constant([]), attrs: integers(fc).map(value => ({ value, dtype: 'i32' })) }),
    ),
};
