import type * as fc from 'fast-check';
import { ndarray, size } from '../ir/ndarray.ts';
import type { NdArray } from '../ir/primitive.ts';

export interface GatherSample {
  /** Of the tensor that is read (or the result that is added to). */
  readonly shape: readonly number[];
  /** Counted from either end. */
  readonly axis: number;
  readonly index: NdArray;
}

/** Repeated indices, size-1 axes, an empty index. */
export function gatherSample(arbitrary: typeof fc): fc.Arbitrary<GatherSample> {
  const dims = arbitrary.array(arbitrary.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 });
  return arbitrary
    .tuple(dims, arbitrary.nat(), arbitrary.integer({ min: 0, max: 5 }), arbitrary.boolean())
    .chain(([shape, pick, length, fromEnd]) => {
      const axis = pick % shape.length;
      const indexShape = shape.with(axis, length);
      const count = size(indexShape);
      return arbitrary
        .array(arbitrary.nat(shape[axis]! - 1), { minLength: count, maxLength: count })
        .map(data => ({
          shape,
          axis: fromEnd ? axis - shape.length : axis,
          index: ndarray('i32', indexShape, data),
        }));
    });
}
