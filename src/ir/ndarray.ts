import * as D from './dim.ts';
import type { NdArray } from './primitive.ts';
import type { DType, TensorType } from './type.ts';

export function size(shape: readonly number[]): number {
  return shape.reduce((n, d) => n * d, 1);
}

export function zeros(dtype: DType, shape: readonly number[]): NdArray {
  return { dtype, shape, data: new Float64Array(size(shape)) };
}

export function ndarray(dtype: DType, shape: readonly number[], values: ArrayLike<number>): NdArray {
  return { dtype, shape, data: Float64Array.from(values) };
}

/** The shape of a type whose dims are all constants. */
export function concreteShape(type: TensorType): number[] {
  return type.shape.map(d => D.evaluate(d));
}

/** Row-major strides in elements. */
export function strides(shape: readonly number[]): number[] {
  const result = new Array<number>(shape.length);
  for (let i = shape.length - 1, step = 1; i >= 0; i--) {
    result[i] = step;
    step *= shape[i]!;
  }
  return result;
}

/** Visits every index of a shape in row-major order. `at` is reused between calls. */
export function forEachIndex(
  shape: readonly number[],
  visit: (at: readonly number[], flat: number) => void,
): void {
  const total = size(shape);
  const at = new Array<number>(shape.length).fill(0);
  for (let flat = 0; flat < total; flat++) {
    visit(at, flat);
    for (let i = shape.length - 1; i >= 0 && ++at[i]! === shape[i]; i--) at[i] = 0;
  }
}

export function flatIndex(at: readonly number[], shape: readonly number[]): number {
  let flat = 0;
  for (let i = 0; i < shape.length; i++) flat = flat * shape[i]! + at[i]!;
  return flat;
}
