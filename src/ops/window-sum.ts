import * as E from '../ir/expr.ts';
import { concreteShape, size, zeros } from '../ir/ndarray.ts';
import type { Primitive } from '../ir/primitive.ts';
import { applyBinary } from '../ir/scalar.ts';
import type { TensorType } from '../ir/type.ts';
import { checkFloats, summation } from './contraction.ts';
import {
  kernelAxes,
  poolAttrs,
  poolGeometry,
  preparePool,
  spatialAxes,
  tapsOf,
  underWindow,
  windowCounts,
  windowOf,
} from './window.ts';
import { poolSample, values } from './window-samples.ts';
import { windowSumGradient } from './window-sum-gradient.ts';

/** out[n, c, q] = sum over taps k of x[n, c, q * stride + k * dilation - pad_low]; padding counts 0. */
export const windowSum: Primitive = {
  name: 'window_sum',
  kind: 'window',
  inputs: ['x'],
  attrs: poolAttrs,
  doc:
    'Sums x [N, C, ...spatial] over sliding windows; padding counts 0. With ceil, a last window may overhang the end ' +
    'if it starts inside the input or its low padding. Average pooling divides it by the number of taps.',
  example: 'y = window_sum(x, kernel = 2)',
  prepare: (types, attrs) => preparePool('window_sum', ['x'], types, attrs),

  infer([x], attrs) {
    checkFloats([x!], ['x']);
    return [
      {
        dtype: x!.dtype,
        shape: [...x!.shape.slice(0, 2), ...windowCounts(windowOf(attrs), x!.shape.slice(2), x!, 0)],
      },
    ];
  },

  reference([x], attrs, [out], precision) {
    const y = zeros(out!.dtype, concreteShape(out!));
    const [spatial, counts] = [x!.shape.slice(2), y.shape.slice(2)];
    const taps = tapsOf(windowOf(attrs), spatial, counts);
    const [inPlane, outPlane] = [size(spatial), size(counts)];
    for (let plane = 0; plane < x!.shape[0]! * x!.shape[1]!; plane++)
      for (const { window, position } of taps) {
        const to = plane * outPlane + window;
        y.data[to] = applyBinary(
          'add',
          y.data[to]!,
          x!.data[plane * inPlane + position]!,
          y.dtype,
          precision,
        );
      }
    return [y];
  },

  lower(types, attrs, [out]) {
    const [x] = types as [TensorType];
    const window = windowOf(attrs);
    const outer = [E.axis('n', out!.shape[0]!), E.axis('c', out!.shape[1]!)];
    const windows = spatialAxes(out!.shape.slice(2));
    const taps = kernelAxes(window);
    const { at, inside } = underWindow(window, windows, taps, x.shape.slice(2));
    return summation(types, out!, [...outer, ...windows], taps, [E.load(0, x, [...outer, ...at], inside)]);
  },

  vjp(b, [ct], [x], _outputs, attrs) {
    const spatial = x!.type.shape.slice(2);
    return [ct && b.emit(windowSumGradient, [ct], { ...poolGeometry(attrs), spatial })];
  },

  samples: fc =>
    poolSample(fc).chain(({ attrs, shape }) => values(fc, shape).map(x => ({ inputs: [x], attrs }))),
};
