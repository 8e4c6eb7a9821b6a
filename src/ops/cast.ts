import * as E from '../ir/expr.ts';
import type { Primitive } from '../ir/primitive.ts';
import { applyCast } from '../ir/scalar.ts';
import { isFloat } from '../ir/type.ts';
import { dtypeOf, filled, requireCount } from './attributes.ts';
import * as B from './build.ts';
import { filledWith, floats, integers, shapes } from './samples.ts';

export const cast: Primitive = {
  name: 'cast',
  kind: 'elementwise',
  inputs: ['x'],
  attrs: { dtype: { type: 'dtype', doc: 'the dtype of the result' } },
  doc: 'x in another dtype. Float to integer truncates towards zero; what is out of range becomes the nearest that both dtypes have; to bool is x != 0. Gradients pass between floats only.',
  example: 'y = cast(x, "i32")',
  prepare: (_, attrs) => ({ dtype: dtypeOf(attrs.dtype, 'cast: dtype') }),
  infer: (types, attrs) => {
    requireCount('cast', ['x'], types);
    return [{ dtype: dtypeOf(attrs.dtype, 'cast: dtype'), shape: types[0]!.shape }];
  },
  reference: ([x], _, [out], precision) => [
    filled(
      out!,
      x!.data.map(v => applyCast(v, out!.dtype, precision, x!.dtype)),
    ),
  ],
  lower: ([x], _, [out]) => {
    const axes = out!.shape.map((extent, i) => E.axis(`i${i}`, extent));
    return { inputs: [x!], axes, outs: [{ type: out!, value: E.cast(out!.dtype, E.load(0, x!, axes)) }] };
  },
  vjp: (b, [ct], [x], [y]) =>
    isFloat(x!.type.dtype) && isFloat(y!.type.dtype) ? [B.cast(b, ct!, x!.type.dtype)] : [undefined],
  // the same dtype: x
  simplify: (_, [x], attrs) => (x!.type.dtype === attrs.dtype ? [x!] : undefined),
  samples: fc =>
    shapes(fc).chain(shape =>
      fc.oneof(
        fc.record({
          inputs: fc.tuple(filledWith(fc, shape, floats(fc, -9, 9))),
          attrs: fc.constantFrom('f32', 'i32', 'bool').map(dtype => ({ dtype })),
        }),
        fc.record({
          inputs: fc.tuple(filledWith(fc, shape, integers(fc, -9, 300), 'i32')),
          attrs: fc.constantFrom('f32', 'u8', 'u32').map(dtype => ({ dtype })),
        }),
      ),
    ),
};
