import type { Axis, Compute, Expr } from '../ir/compute.ts';
import type { DimEnv } from '../ir/dim.ts';
import * as D from '../ir/dim.ts';
import * as E from '../ir/expr.ts';
import { isFloat } from '../ir/type.ts';

/**
 * Floating-point operations of a Compute at given sizes, from its structure alone: at every point of the axes and the
 * reduction, the operations of `lift` and one merge for each float component (so a multiply-add counts 2), and at
 * every stored point those of the values. Equal expressions at a point are computed once. A transcendental function counts
 * 1. Points that a guard masks (padding) count as well, as is usual.
 */
export function flopsOf({ axes, reduce, outs }: Compute, dims: DimEnv): number {
  let flops = 0;
  if (reduce) {
    const merges = reduce.monoid.types.filter(isFloat).length;
    flops += points([...axes, ...reduce.axes], dims) * (operations(reduce.lift) + merges);
  }
  const values = (keep: readonly Axis[] | undefined): Expr[] =>
    outs.flatMap(o => (o.keep === keep ? [o.value] : []));
  for (const keep of new Set(outs.map(o => o.keep)))
    flops += points(keep ?? axes, dims) * operations(values(keep));
  return flops;
}

/** Of those the products of two loads that are reduced: what papers count, and tables call operations. */
export function multiplyAddsOf({ axes, reduce }: Compute, dims: DimEnv): number {
  if (!reduce) return 0;
  const products = reduce.lift.filter(
    e => e.kind === 'binary' && e.op === 'mul' && e.a.kind === 'load' && e.b.kind === 'load',
  );
  return products.length * points([...axes, ...reduce.axes], dims);
}

const points = (axes: readonly Axis[], dims: DimEnv): number =>
  axes.reduce((n, axis) => n * D.evaluate(axis.extent, dims), 1);

/** Float operations in expressions; one that occurs twice is computed once. */
function operations(expressions: readonly Expr[]): number {
  const seen = new Set<string>();
  const count = (e: Expr): number => {
    const key = E.exprKey(e);
    if (seen.has(key)) return 0;
    seen.add(key);
    switch (e.kind) {
      case 'unary':
        return Number(isFloat(e.a.dtype)) + count(e.a);
      case 'binary':
        return Number(isFloat(e.a.dtype)) + count(e.a) + count(e.b);
      case 'select':
        return count(e.condition) + count(e.a) + count(e.b);
      case 'cast':
        return count(e.a);
      default:
        return 0;
    }
  };
  return expressions.reduce((n, e) => n + count(e), 0);
}
