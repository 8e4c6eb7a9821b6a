import * as A from '../ir/affine.ts';
import * as E from '../ir/expr.ts';
import * as M from '../ir/monoid.ts';
import { concreteShape, size, zeros } from '../ir/ndarray.ts';
import { simplifyPredicate } from '../ir/predicate.ts';
import type { Primitive } from '../ir/primitive.ts';
import { ShapeError } from '../ir/primitive.ts';
import type { TensorType } from '../ir/type.ts';
import { printType } from '../ir/type.ts';
import { maxUnpool } from './max-unpool.ts';
import { distinct } from './samples.ts';
import {
  kernelAxes,
  poolAttrs,
  poolGeometry,
  preparePool,
  span,
  spatialAxes,
  tapsOf,
  underWindow,
  windowCounts,
  windowOf,
} from './window.ts';
import { poolSample, tiedValues } from './window-samples.ts';

/**
 * Largest element of each window, and where it is: `index` is the flat row-major position in the input's spatial
 * plane. Of equal elements the first in row-major order wins (as in PyTorch); taps ascend with positions whatever
 * the dilation, so the smaller flat position is the earlier one. Padding never wins; a window that sees nothing
 * but padding gives the dtype's lowest finite value and index -1. NaN is not looked for.
 */
export const maxPool: Primitive = {
  name: 'max_pool',
  kind: 'window',
  inputs: ['x'],
  attrs: poolAttrs,
  doc:
    'Largest element of each sliding window of x [N, C, ...spatial], and its flat row-major position in the spatial ' +
    'plane (i32). Ties go to the first; padding never wins. The gradient goes to the winner alone.',
  example: '(y, index) = max_pool(x, kernel = 3, stride = 2)',
  prepare: (types, attrs) => preparePool('max_pool', ['x'], types, attrs),

  infer([x], attrs) {
    if (x!.dtype === 'bool')
      throw new ShapeError(`x must hold numbers, but is ${printType(x!)}`, { input: 0 });
    const window = windowOf(attrs);
    window.kernel.forEach((kernel, i) => {
      const widest = Math.max(window.low[i]!, window.high[i]!);
      if (widest < span(window, i)) return;
      throw new ShapeError(
        `padding ${widest} of spatial dim ${i} leaves windows without an element: the window spans only ` +
          `${span(window, i)} (kernel = ${kernel}, dilation = ${window.dilation[i]})`,
        { input: 0, hint: 'padding must be smaller than the window' },
      );
    });
    const shape = [...x!.shape.slice(0, 2), ...windowCounts(window, x!.shape.slice(2), x!, 0)];
    return [
      { dtype: x!.dtype, shape },
      { dtype: 'i32', shape },
    ];
  },

  reference([x], attrs, [out]) {
    const y = zeros(out!.dtype, concreteShape(out!));
    const index = zeros('i32', y.shape);
    y.data.fill(M.extreme(y.dtype, -1));
    index.data.fill(-1);
    const [spatial, counts] = [x!.shape.slice(2), y.shape.slice(2)];
    const taps = tapsOf(windowOf(attrs), spatial, counts);
    const [inPlane, outPlane] = [size(spatial), size(counts)];
    for (let plane = 0; plane < x!.shape[0]! * x!.shape[1]!; plane++)
      for (const { window, position } of taps) {
        const to = plane * outPlane + window;
        const value = x!.data[plane * inPlane + position]!;
        if (index.data[to]! >= 0 && !(value > y.data[to]!)) continue;
        y.data[to] = value;
        index.data[to] = position;
      }
    return [y, index];
  },

  lower(types, attrs, outs) {
    const [x] = types as [TensorType];
    const [y, index] = outs as [TensorType, TensorType];
    const spatial = x.shape.slice(2);
    const window = windowOf(attrs);
    const outer = [E.axis('n', y.shape[0]!), E.axis('c', y.shape[1]!)];
    const windows = spatialAxes(y.shape.slice(2));
    const taps = kernelAxes(window);
    const { at, inside } = underWindow(window, windows, taps, spatial);
    const guard = simplifyPredicate(inside);
    const monoid = M.argExtreme('max', x.dtype);
    const value = E.load(0, x, [...outer, ...at], guard, M.extreme(x.dtype, -1));
    const lift = [value, E.indexValue(A.flatten(at, spatial))];
    return {
      inputs: types,
      axes: [...outer, ...windows],
      reduce: guard.length === 0 ? { axes: taps, lift, monoid } : { axes: taps, guard, lift, monoid },
      outs: [
        { type: y, value: E.reduced(0, monoid) },
        { type: index, value: E.reduced(1, monoid) },
      ],
    };
  },

  vjp(b, [ct], [x], [, index], attrs) {
    const spatial = x!.type.shape.slice(2);
    return [ct && b.emit(maxUnpool, [ct, index!], { ...poolGeometry(attrs), spatial })];
  },

  samples: fc =>
    poolSample(fc, { padUnderSpan: true, seeing: true }).chain(({ attrs, shape }) =>
      fc.oneof(
        distinct(fc, shape).map(x => ({ inputs: [x], attrs })),
        tiedValues(fc, shape).map(x => ({ inputs: [x], attrs, smooth: false })),
      ),
    ),
};
