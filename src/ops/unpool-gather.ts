import * as A from '../ir/affine.ts';
import * as D from '../ir/dim.ts';
import * as E from '../ir/expr.ts';
import { concreteShape, size, zeros } from '../ir/ndarray.ts';
import { inRange } from '../ir/predicate.ts';
import type { Primitive } from '../ir/primitive.ts';
import { ShapeError } from '../ir/primitive.ts';
import type { TensorType } from '../ir/type.ts';
import { printType, sameShape } from '../ir/type.ts';
import { checkFloats } from './contraction.ts';
import { maxUnpool } from './max-unpool.ts';
import { poolAttrs, poolGeometry, preparePool, spatialAxes, windowCounts, windowOf } from './window.ts';
import { pooledSample, values } from './window-samples.ts';

/**
 * Adjoint of `max_unpool`: out[n, c, q] = x[n, c, index[n, c, q]], where `index` is a flat position in x's spatial
 * plane as `max_pool` of the same geometry gives it; 0 where it lies outside (-1: a window of padding alone).
 * The geometry is there for the gradient, which gathers over covering windows.
 */
export const unpoolGather: Primitive = {
  name: 'unpool_gather',
  kind: 'gather',
  inputs: ['x', 'index'],
  attrs: poolAttrs,
  doc:
    'Reads x [N, C, ...spatial] at the positions `index` [N, C, ...] that max_pool of the same geometry gave; 0 where ' +
    'the index lies outside the plane.',
  example: 'y = unpool_gather(x, index, kernel = 2)',
  prepare: (types, attrs) => preparePool('unpool_gather', ['x', 'index'], types, attrs),

  infer([x, index], attrs) {
    checkFloats([x!], ['x']);
    const [window, spatial] = [windowOf(attrs), x!.shape.slice(2)];
    const shapes = [window, { ...window, ceil: true }].map(w => [
      ...x!.shape.slice(0, 2),
      ...windowCounts(w, spatial, x!, 0),
    ]);
    const shape = shapes.find(s => sameShape(s, index!.shape));
    if (index!.dtype !== 'i32' || !shape)
      throw new ShapeError(
        `index must be ${printType({ dtype: 'i32', shape: shapes[0]! })}, one per window of x, but is ` +
          `${printType(index!)}: x is ${printType(x!)}`,
        { input: 1 },
      );
    return [{ dtype: x!.dtype, shape }];
  },

  reference([x, index], _attrs, [out]) {
    const y = zeros(out!.dtype, concreteShape(out!));
    const [inPlane, outPlane] = [size(x!.shape.slice(2)), size(y.shape.slice(2))];
    index!.data.forEach((position, at) => {
      const inside = position >= 0 && position < inPlane;
      y.data[at] = inside ? x!.data[Math.floor(at / outPlane) * inPlane + position]! : 0;
    });
    return [y];
  },

  lower(types, _attrs, [out]) {
    const [x, index] = types as [TensorType, TensorType];
    const spatial = x.shape.slice(2);
    const outer = [E.axis('n', out!.shape[0]!), E.axis('c', out!.shape[1]!)];
    const windows = spatialAxes(out!.shape.slice(2));
    const position = A.value(E.load(1, index, [...outer, ...windows]));
    const at = A.unflatten(position, spatial);
    const inside = inRange(position, D.product(spatial));
    return {
      inputs: types,
      axes: [...outer, ...windows],
      outs: [{ type: out!, value: E.load(0, x, [...outer, ...at], inside) }],
    };
  },

  vjp(b, [ct], [x, index], _outputs, attrs) {
    const spatial = x!.type.shape.slice(2);
    return [ct && b.emit(maxUnpool, [ct, index!], { ...poolGeometry(attrs), spatial }), undefined];
  },

  samples: fc =>
    pooledSample(fc).chain(({ attrs, shape, index }) =>
      values(fc, shape).map(x => ({ inputs: [x, index], attrs })),
    ),
};
