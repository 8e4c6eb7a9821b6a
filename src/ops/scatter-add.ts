import * as A from '../ir/affine.ts';
import type { Dim } from '../ir/dim.ts';
import * as D from '../ir/dim.ts';
import * as E from '../ir/expr.ts';
import { concreteShape, flatIndex, forEachIndex, zeros } from '../ir/ndarray.ts';
import type { Primitive } from '../ir/primitive.ts';
import { ShapeError } from '../ir/primitive.ts';
import { applyBinary } from '../ir/scalar.ts';
import type { TensorType } from '../ir/type.ts';
import { printType } from '../ir/type.ts';
import { axisOf, dimOf, requireCount } from './attributes.ts';
import { summation } from './contraction.ts';
import { checkIndex, clamp, clampedPosition, gather } from './gather.ts';
import { gatherSample } from './gather-samples.ts';
import { values } from './window-samples.ts';

/**
 * Adjoint of `gather`: for axis 1, out[i, a, k] = sum over j of (index[i, j, k] == a ? ct[i, j, k] : 0), with indices
 * clamped as there. A contraction with a one-hot matrix that is never stored: the order of the sum is fixed, so
 * results repeat bit for bit, at the price of extent * (length of index) steps.
 */
export const scatterAdd: Primitive = {
  name: 'scatter_add',
  kind: 'contraction',
  inputs: ['ct', 'index'],
  attrs: {
    axis: { type: 'int', doc: 'axis that index runs over' },
    extent: { type: 'dim', doc: 'size of that axis in the result' },
  },
  doc:
    'Adds elements up at computed positions of an axis, out[i, a, k] = sum of ct[i, j, k] where index[i, j, k] == a, ' +
    'in a fixed order. Indices outside 0..extent-1 are clamped.',
  example: 'histogram = scatter_add(ones, bin, axis = 0, extent = 10)',
  prepare(types, attrs) {
    requireCount('scatter_add', ['ct', 'index'], types);
    const axis = axisOf(attrs.axis, types[0]!.shape.length, 'axis');
    return { ...attrs, axis, extent: dimOf(attrs.extent, 'extent') };
  },

  infer([ct, index], attrs) {
    const axis = attrs.axis as number;
    const extent = attrs.extent as Dim;
    if (ct!.dtype === 'bool')
      throw new ShapeError(`ct must hold numbers, but is ${printType(ct!)}`, { input: 0 });
    checkIndex(ct!, index!, axis, 'ct');
    if (!D.equal(ct!.shape[axis]!, index!.shape[axis]!))
      throw new ShapeError(`ct and index differ in shape: ${printType(ct!)} against ${printType(index!)}`, {
        input: 1,
      });
    if (D.lowerBound(D.scale(extent, -1)) >= 0)
      throw new ShapeError(`extent must be at least 1, but is ${D.print(extent)}`);
    return [{ dtype: ct!.dtype, shape: ct!.shape.with(axis, extent) }];
  },

  reference([ct, index], attrs, [out], precision) {
    const axis = attrs.axis as number;
    const result = zeros(out!.dtype, concreteShape(out!));
    forEachIndex(ct!.shape, (at, flat) => {
      const to = flatIndex(at.with(axis, clamp(index!.data[flat]!, result.shape[axis]!)), result.shape);
      result.data[to] = applyBinary('add', result.data[to]!, ct!.data[flat]!, result.dtype, precision);
    });
    return [result];
  },

  lower(types, attrs, [out]) {
    const [ct, index] = types as [TensorType, TensorType];
    const axis = attrs.axis as number;
    const axes = out!.shape.map((extent, i) => E.axis(`i${i}`, extent));
    const j = E.axis('j', ct.shape[axis]!);
    const from = axes.map(A.index).with(axis, A.index(j));
    const position = E.indexValue(clampedPosition(index, from, out!.shape[axis]!));
    const hit = E.binary('eq', position, E.indexValue(axes[axis]!));
    return summation(types, out!, axes, [j], [E.select(hit, E.load(0, ct, from), E.constant(0, ct.dtype))]);
  },

  vjp: (b, [ct], [, index], _outputs, attrs) => [
    ct && b.emit(gather, [ct, index!], { axis: attrs.axis! }),
    undefined,
  ],

  samples: fc =>
    gatherSample(fc).chain(({ shape, axis, index }) =>
      values(fc, index.shape).map(ct => ({
        inputs: [ct, index],
        attrs: { axis, extent: D.constant(shape.at(axis)!) },
      })),
    ),
};
