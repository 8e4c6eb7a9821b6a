import type { Dim } from './dim.ts';
import * as D from './dim.ts';

export type DType = 'f32' | 'f16' | 'i32' | 'u32' | 'u8' | 'bool';

export interface TensorType {
  readonly dtype: DType;
  readonly shape: readonly Dim[];
}

export function tensor(dtype: DType, shape: readonly (Dim | number)[]): TensorType {
  return { dtype, shape: shape.map(D.dim) };
}

export const isFloat = (t: DType): boolean => t === 'f32' || t === 'f16';
export const isInteger = (t: DType): boolean => t === 'i32' || t === 'u32' || t === 'u8';

export function rank(t: TensorType): number {
  return t.shape.length;
}

export function elementCount(t: TensorType): Dim {
  return D.product(t.shape);
}

export function sameShape(a: readonly Dim[], b: readonly Dim[]): boolean {
  return a.length === b.length && a.every((d, i) => D.equal(d, b[i]!));
}

/** The first two sizes, axis by axis, that are not the same; undefined where there are none. */
export function firstDifference(a: readonly Dim[], b: readonly Dim[]): readonly [Dim, Dim] | undefined {
  const axis = a.length === b.length ? a.findIndex((d, i) => !D.equal(d, b[i]!)) : -1;
  return axis < 0 ? undefined : [a[axis]!, b[axis]!];
}

export function sameType(a: TensorType, b: TensorType): boolean {
  return a.dtype === b.dtype && sameShape(a.shape, b.shape);
}

/** `f32[N, 6, 28, 28]`, `f32` for a scalar. */
export function printType(t: TensorType): string {
  return t.shape.length === 0 ? t.dtype : `${t.dtype}[${t.shape.map(D.print).join(', ')}]`;
}

export function printShape(shape: readonly Dim[]): string {
  return `[${shape.map(D.print).join(', ')}]`;
}
