import type { Dim } from '../ir/dim.ts';
import * as D from '../ir/dim.ts';
import * as E from '../ir/expr.ts';
import { concreteShape, size, zeros } from '../ir/ndarray.ts';
import type { Primitive } from '../ir/primitive.ts';
import { applyBinary } from '../ir/scalar.ts';
import type { TensorType } from '../ir/type.ts';
import { checkFloats, summation } from './contraction.ts';
import {
  checkWindows,
  covering,
  dimList,
  poolAttrs,
  poolGeometry,
  preparePool,
  spatialAttr,
  spatialAxes,
  tapsOf,
  windowOf,
} from './window.ts';
import { poolSample, values } from './window-samples.ts';
import { windowSum } from './window-sum.ts';

/** Adjoint of `window_sum`: dx[n, c, i] = sum of ct[n, c, q] over the windows q that cover i. */
export const windowSumGradient: Primitive = {
  name: 'window_sum_gradient',
  kind: 'window',
  inputs: ['ct'],
  attrs: { ...poolAttrs, spatial: spatialAttr },
  doc: 'Adjoint of window_sum: each position of [N, C, ...spatial] sums ct over the windows that cover it.',
  example: 'dx = window_sum_gradient(ct, kernel = 2, spatial = [28, 28])',
  prepare(types, attrs) {
    const prepared = preparePool('window_sum_gradient', ['ct'], types, attrs);
    return { ...prepared, spatial: dimList('spatial', attrs.spatial, types[0]!.shape.length - 2) };
  },

  infer([ct], attrs) {
    checkFloats([ct!], ['ct']);
    const spatial = attrs.spatial as readonly Dim[];
    checkWindows(windowOf(attrs), spatial, ct!, 0, 'ct');
    return [{ dtype: ct!.dtype, shape: [...ct!.shape.slice(0, 2), ...spatial] }];
  },

  reference([ct], attrs, [out], precision) {
    const dx = zeros(out!.dtype, concreteShape(out!));
    const [spatial, counts] = [dx.shape.slice(2), ct!.shape.slice(2)];
    const taps = tapsOf(windowOf(attrs), spatial, counts);
    const [inPlane, outPlane] = [size(spatial), size(counts)];
    for (let plane = 0; plane < dx.shape[0]! * dx.shape[1]!; plane++)
      for (const { window, position } of taps) {
        const to = plane * inPlane + position;
        dx.data[to] = applyBinary(
          'add',
          dx.data[to]!,
          ct!.data[plane * outPlane + window]!,
          dx.dtype,
          precision,
        );
      }
    return [dx];
  },

  lower(types, attrs, [out]) {
    const [ct] = types as [TensorType];
    const outer = [E.axis('n', out!.shape[0]!), E.axis('c', out!.shape[1]!)];
    const positions = spatialAxes(out!.shape.slice(2));
    const cover = covering(windowOf(attrs), positions, ct.shape.slice(2));
    return summation(types, out!, [...outer, ...positions], cover.taps, [
      E.load(0, ct, [...outer, ...cover.windows], cover.inside),
    ]);
  },

  vjp: (b, [ct], _inputs, _outputs, attrs) => [ct && b.emit(windowSum, [ct], poolGeometry(attrs))],

  samples: fc =>
    poolSample(fc).chain(({ attrs, shape, outShape }) =>
      values(fc, outShape).map(ct => ({
        inputs: [ct],
        attrs: { ...attrs, spatial: shape.slice(2).map(D.constant) },
      })),
    ),
};
