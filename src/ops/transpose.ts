import * as E from '../ir/expr.ts';
import { flatIndex, forEachIndex } from '../ir/ndarray.ts';
import type { Primitive } from '../ir/primitive.ts';
import { ShapeError } from '../ir/primitive.ts';
import { printType } from '../ir/type.ts';
import { axisOf, filled, intsOf, requireCount } from './attributes.ts';
import * as B from './build.ts';
import { filledWith, floats, shapes } from './samples.ts';

export const transpose: Primitive = {
  name: 'transpose',
  kind: 'view',
  inputs: ['x'],
  attrs: { perm: { type: 'ints', doc: 'axis i of the result is axis perm[i] of x' } },
  doc: 'Permutes the axes.',
  example: 'y = transpose(x, perm = [0, 2, 1])',
  prepare: ([x], attrs) => ({
    perm: intsOf(attrs.perm, 'transpose: perm').map(a => axisOf(a, x!.shape.length, 'transpose: perm')),
  }),
  infer: (types, attrs) => {
    requireCount('transpose', ['x'], types);
    const x = types[0]!;
    const perm = intsOf(attrs.perm, 'transpose: perm');
    if (perm.length !== x.shape.length || new Set(perm).size !== perm.length)
      throw new ShapeError(
        `transpose: perm [${perm.join(', ')}] is no permutation of the axes of ${printType(x)}`,
        {
          input: 0,
        },
      );
    return [{ dtype: x.dtype, shape: perm.map(p => x.shape[p]!) }];
  },
  sumOfTurns: ([x], attrs) => {
    const total = x!.total();
    return b => B.transpose(b, total(b), attrs.perm as readonly number[]);
  },
  stackOfTurns: (b, [x], attrs) =>
    B.transpose(b, x!, [0, ...(attrs.perm as readonly number[]).map(p => p + 1)]),
  reference: ([x], attrs, [out]) => {
    const perm = attrs.perm as readonly number[];
    const result = filled(out!, new Float64Array(x!.data.length));
    forEachIndex(x!.shape, (at, flat) => {
      const to = perm.map(p => at[p]!);
      result.data[flatIndex(to, result.shape)] = x!.data[flat]!;
    });
    return [result];
  },
  lower: ([x], attrs, [out]) => {
    const perm = attrs.perm as readonly number[];
    const axes = out!.shape.map((extent, i) => E.axis(`i${i}`, extent));
    const at = inverse(perm).map(p => axes[p]!);
    return { inputs: [x!], axes, outs: [{ type: out!, value: E.load(0, x!, at) }] };
  },
  vjp: (b, [ct], _x, _y, attrs) => [B.transpose(b, ct!, inverse(attrs.perm as readonly number[]))],
  simplify: (b, [x], attrs) => {
    const perm = attrs.perm as readonly number[];
    // transpose(x, identity) = x
    if (perm.every((p, i) => p === i)) return [x!];
    // transpose(transpose(x, p), q) = transpose(x, p o q)
    if (x!.node.kind === 'op' && x!.node.op === transpose) {
      const inner = x!.node.attrs.perm as readonly number[];
      return [
        B.transpose(
          b,
          x!.node.inputs[0]!,
          perm.map(p => inner[p]!),
        ),
      ];
    }
    return undefined;
  },
  samples: fc =>
    shapes(fc, { maxRank: 4 }).chain(shape =>
      fc.record({
        inputs: fc.tuple(filledWith(fc, shape, floats(fc))),
        attrs: fc
          .shuffledSubarray([...shape.keys()], { minLength: shape.length })
          .map(perm => ({ perm: perm.map(p => (p % 2 ? p - shape.length : p)) })),
      }),
    ),
};

function inverse(perm: readonly number[]): number[] {
  return perm.map((_, i) => perm.indexOf(i));
}
