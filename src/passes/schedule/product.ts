import type { Axis, Compute, Expr } from '../../ir/compute.ts';
import * as E from '../../ir/expr.ts';
import { loadsOf } from '../fuse/definition.ts';

/**
 * A sum of products seen as a matrix product: `rows` are the axes that only the left factor depends on, `columns`
 * those of the right factor alone, `batch` those of both. Convolution and its adjoints are the same case
 * (implicit GEMM): their factors merely load at computed places.
 */
export interface Product {
  readonly left: Expr;
  readonly right: Expr;
  readonly rows: readonly Axis[];
  readonly columns: readonly Axis[];
  readonly batch: readonly Axis[];
  /** For every part of the reduction: the product itself, or the sum of one factor (bias gradient). */
  readonly parts: readonly ('product' | 'left' | 'right')[];
}

/** Recognises the structure; undefined where the reduction is anything else. */
export function asProduct(compute: Compute): Product | undefined {
  const reduce = compute.reduce!;
  const monoids = reduce.monoid.parts ?? [reduce.monoid];
  if (monoids.some(m => m.name !== 'sum' || m.types[0] !== 'f32')) return undefined;
  if (reduce.guard?.length) return undefined;
  const main = reduce.lift.find(e => e.kind === 'binary' && e.op === 'mul');
  if (main?.kind !== 'binary') return undefined;
  const { a: left, b: right } = main;
  if (loadsOf([left]).length === 0 || loadsOf([right]).length === 0) return undefined;
  const inLeft = axesOf(left);
  const inRight = axesOf(right);
  const rows = compute.axes.filter(a => inLeft.has(a) && !inRight.has(a));
  const columns = compute.axes.filter(a => inRight.has(a) && !inLeft.has(a));
  const batch = compute.axes.filter(a => inLeft.has(a) === inRight.has(a));
  if (rows.length === 0 || columns.length === 0) return undefined;
  const keys = { product: E.exprKey(main), left: E.exprKey(left), right: E.exprKey(right) };
  const parts = reduce.lift.map(e => {
    const key = E.exprKey(e);
    return key === keys.product
      ? 'product'
      : key === keys.left
        ? 'left'
        : key === keys.right
          ? 'right'
          : undefined;
  });
  if (parts.some(p => p === undefined) || parts.filter(p => p === 'product').length !== 1) return undefined;
  return { left, right, rows, columns, batch, parts: parts as Product['parts'] };
}

export function axesOf(e: Expr): Set<Axis> {
  const axes = new Set<Axis>();
  E.visitExpr(e, { axis: a => void axes.add(a) });
  return axes;
}
