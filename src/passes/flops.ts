import type { Axis, Compute, Expr } from '../ir/compute.ts';
import type { DimEnv } from '../ir/dim.ts';
import * as D from '../ir/dim.ts';
import { isFloat } from '../ir/type.ts';

/**
 * Floating-point operations of a Compute at given sizes, from its structure alone: at every point of the axes and the
 * reduction, the operations of `lift` and one merge for each float component (so a multiply-add counts 2), and at
 * every stored point those of the value. A transcendental function counts 1. Points that a guard masks (padding)
 * count as well, as is usual.
 */
export function flopsOf({ axes, reduce, outs }: Compute, dims: DimEnv): number {
  const points = (list: readonly Axis[]): number =>
    list.reduce((n, axis) => n * D.evaluate(axis.extent, dims), 1);
  let flops = 0;
  if (reduce) {
    const merges = reduce.monoid.types.filter(isFloat).length;
    flops += points([...axes, ...reduce.axes]) * (operations(reduce.lift) + merges);
  }
  for (const { value, keep } of outs) flops += points(keep ?? axes) * operations([value]);
  return flops;
}

/** Float operations in expressions; one that occurs twice as the same object is computed once. */
function operations(expressions: readonly Expr[]): number {
  const seen = new Set<Expr>();
  const count = (e: Expr): number => {
    if (seen.has(e)) return 0;
    seen.add(e);
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
