import * as A from '../ir/affine.ts';
import type { Index } from '../ir/compute.ts';
import type { Dim } from '../ir/dim.ts';
import * as D from '../ir/dim.ts';
import * as E from '../ir/expr.ts';
import { concreteShape, flatIndex, forEachIndex, zeros } from '../ir/ndarray.ts';
import type { Primitive } from '../ir/primitive.ts';
import { ShapeError } from '../ir/primitive.ts';
import type { TensorType } from '../ir/type.ts';
import { firstDifference, isInteger, printType } from '../ir/type.ts';
import { axisOf, requireCount } from './attributes.ts';
import { gatherSample } from './gather-samples.ts';
import { scatterAdd } from './scatter-add.ts';
import { values } from './window-samples.ts';

/** `index` has the other tensor's rank and, but for `axis`, its dims; and is of integers. */
export function checkIndex(type: TensorType, index: TensorType, axis: number, name: string): void {
  if (!isInteger(index.dtype))
    throw new ShapeError(`index must hold integers, but is ${printType(index)}`, { input: 1 });
  const fits =
    index.shape.length === type.shape.length &&
    index.shape.every((d, i) => i === axis || D.equal(d, type.shape[i]!));
  if (fits) return;
  const others = ({ shape }: TensorType) => shape.filter((_, i) => i !== axis);
  throw new ShapeError(
    `index must have the dims of ${name} but for axis ${axis}: ${printType(type)} against ${printType(index)}`,
    { input: 1, sizes: firstDifference(others(index), others(type)) },
  );
}

/** The i32 position that input 1 holds at `at`, brought into 0..extent-1. */
export function clampedPosition(index: TensorType, at: readonly Index[], extent: Dim): Index {
  const position = A.value(E.cast('i32', E.load(1, index, at)));
  return A.min(A.max(position, 0), A.sub(extent, 1));
}

/** The same in references. */
export function clamp(position: number, extent: number): number {
  return Math.min(Math.max(position, 0), extent - 1);
}

/**
 * torch.gather: out has index' shape; for axis 1, out[i, j, k] = x[i, index[i, j, k], k]. Indices belong in
 * 0..extent-1; others are clamped to it, so that nothing is read out of range.
 */
export const gather: Primitive = {
  name: 'gather',
  kind: 'gather',
  inputs: ['x', 'index'],
  attrs: { axis: { type: 'int', doc: 'axis of x that index runs over' } },
  doc:
    'Picks elements along an axis, out[i, j, k] = x[i, index[i, j, k], k] for axis 1: index has the rank of x and its ' +
    'dims but for the axis. Indices outside 0..extent-1 are clamped.',
  example: 'picked = gather(logits, label, axis = 1)',
  prepare(types, attrs) {
    requireCount('gather', ['x', 'index'], types);
    return { ...attrs, axis: axisOf(attrs.axis, types[0]!.shape.length, 'axis') };
  },

  infer([x, index], attrs) {
    const axis = attrs.axis as number;
    checkIndex(x!, index!, axis, 'x');
    if (D.isConstant(x!.shape[axis]!, 0))
      throw new ShapeError(`axis ${axis} of x is empty, there is nothing to pick: ${printType(x!)}`, {
        input: 0,
      });
    return [{ dtype: x!.dtype, shape: index!.shape }];
  },

  reference([x, index], attrs, [out]) {
    const axis = attrs.axis as number;
    const result = zeros(out!.dtype, concreteShape(out!));
    forEachIndex(result.shape, (at, flat) => {
      const from = at.with(axis, clamp(index!.data[flat]!, x!.shape[axis]!));
      result.data[flat] = x!.data[flatIndex(from, x!.shape)]!;
    });
    return [result];
  },

  lower(types, attrs, [out]) {
    const [x, index] = types as [TensorType, TensorType];
    const axis = attrs.axis as number;
    const axes = out!.shape.map((extent, i) => E.axis(`i${i}`, extent));
    const at = axes.map(A.index);
    const from = at.with(axis, clampedPosition(index, at, x.shape[axis]!));
    return { inputs: types, axes, outs: [{ type: out!, value: E.load(0, x, from) }] };
  },

  vjp(b, [ct], [x, index], _outputs, attrs) {
    const axis = attrs.axis as number;
    return [ct && b.emit(scatterAdd, [ct, index!], { axis, extent: x!.type.shape[axis]! }), undefined];
  },

  samples: fc =>
    gatherSample(fc).chain(({ shape, axis, index }) =>
      values(fc, shape).map(x => ({ inputs: [x, index], attrs: { axis } })),
    ),
};
