import * as A from '../ir/affine.ts';
import type { Dim } from '../ir/dim.ts';
import * as D from '../ir/dim.ts';
import * as E from '../ir/expr.ts';
import { concreteShape, size, zeros } from '../ir/ndarray.ts';
import type { Primitive } from '../ir/primitive.ts';
import { ShapeError } from '../ir/primitive.ts';
import { applyBinary } from '../ir/scalar.ts';
import type { TensorType } from '../ir/type.ts';
import { printType, sameShape } from '../ir/type.ts';
import { checkFloats, summation } from './contraction.ts';
import { unpoolGather } from './unpool-gather.ts';
import {
  checkPooled,
  covering,
  dimList,
  poolAttrs,
  poolGeometry,
  preparePool,
  spatialAttr,
  spatialAxes,
  windowOf,
} from './window.ts';
import { pooledSample, values } from './window-samples.ts';

/**
 * Puts each element of ct back where `max_pool` of the same geometry found it, zero elsewhere:
 * out[n, c, i] = sum over the windows q that cover i of (index[n, c, q] == i ? ct[n, c, q] : 0).
 * Where windows overlap, several may have the same winner: their elements add up. A gather over the covering
 * windows, so it needs no atomics; an index outside its own window is not looked for.
 */
export const maxUnpool: Primitive = {
  name: 'max_unpool',
  kind: 'window',
  inputs: ['ct', 'index'],
  attrs: { ...poolAttrs, spatial: spatialAttr },
  doc:
    'Puts ct [N, C, ...] back to the positions `index` that max_pool of the same geometry gave, zero elsewhere; what ' +
    'meets adds up. Gives [N, C, ...spatial].',
  example: 'x = max_unpool(y, index, kernel = 2, spatial = [28, 28])',
  prepare(types, attrs) {
    const prepared = preparePool('max_unpool', ['ct', 'index'], types, attrs);
    return { ...prepared, spatial: dimList('spatial', attrs.spatial, types[0]!.shape.length - 2) };
  },

  infer([ct, index], attrs) {
    checkFloats([ct!], ['ct']);
    if (index!.dtype !== 'i32' || !sameShape(ct!.shape, index!.shape))
      throw new ShapeError(
        `index must be i32 in the shape of ct: ${printType(ct!)} against ${printType(index!)}`,
        {
          input: 1,
        },
      );
    const spatial = attrs.spatial as readonly Dim[];
    // Where `ceil` is not said, the pooling may have had it: what is read follows from ct alone.
    checkPooled(windowOf(attrs), spatial, ct!);
    return [{ dtype: ct!.dtype, shape: [...ct!.shape.slice(0, 2), ...spatial] }];
  },

  reference([ct, index], _attrs, [out], precision) {
    const result = zeros(out!.dtype, concreteShape(out!));
    const [inPlane, outPlane] = [size(result.shape.slice(2)), size(ct!.shape.slice(2))];
    ct!.data.forEach((value, at) => {
      const position = index!.data[at]!;
      if (position < 0 || position >= inPlane) return;
      const to = Math.floor(at / outPlane) * inPlane + position;
      result.data[to] = applyBinary('add', result.data[to]!, value, result.dtype, precision);
    });
    return [result];
  },

  lower(types, attrs, [out]) {
    const [ct, index] = types as [TensorType, TensorType];
    const spatial = out!.shape.slice(2);
    const outer = [E.axis('n', out!.shape[0]!), E.axis('c', out!.shape[1]!)];
    const positions = spatialAxes(spatial);
    const cover = covering(windowOf(attrs), positions, ct.shape.slice(2));
    const from = [...outer, ...cover.windows];
    const here = E.indexValue(A.flatten(positions.map(A.index), spatial));
    const won = E.binary('eq', E.load(1, index, from, cover.inside, -1), here);
    const value = E.load(0, ct, from, cover.inside);
    return summation(types, out!, [...outer, ...positions], cover.taps, [
      E.select(won, value, E.constant(0, ct.dtype)),
    ]);
  },

  vjp: (b, [ct], [, index], _outputs, attrs) => [
    ct && b.emit(unpoolGather, [ct, index!], poolGeometry(attrs)),
    undefined,
  ],

  samples: fc =>
    pooledSample(fc).chain(({ attrs, shape, index }) =>
      values(fc, index.shape).map(ct => ({
        inputs: [ct, index],
        attrs: { ...attrs, spatial: shape.slice(2).map(D.constant) },
      })),
    ),
};
