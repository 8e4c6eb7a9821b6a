import type { Comparison, Expr, Predicate, Reduce } from '../../ir/compute.ts';
import * as E from '../../ir/expr.ts';
import { comparisonKey } from '../../ir/predicate.ts';
import { applyBinary, applyCast, applyUnary } from '../../ir/scalar.ts';
import { loadsOf } from '../fuse/definition.ts';

/** A reduction whose points count only where `conditions` hold, and what they add then. */
export interface Conditioned {
  readonly conditions: Predicate;
  /** What is left of the reduction's guard. */
  readonly guard: Predicate;
  readonly lift: readonly Expr[];
}

/**
 * Finds the comparisons without which a point of the reduction contributes nothing: its guard, and those of loads
 * whose fill makes the whole term neutral (the zeros around an image, times any weight). They need not be asked at each
 * load then: they bound the loops.
 */
export function conditionsOf(reduce: Reduce, isUniform: (c: Comparison) => boolean): Conditioned {
  const found = new Map<string, Comparison>();
  for (const c of reduce.guard ?? []) if (isUniform(c)) found.set(comparisonKey(c), c);
  const single = reduce.lift.length === 1 ? reduce.lift[0]! : undefined;
  const zero = reduce.monoid.zero[0]!;
  if (single && zero.kind === 'const')
    for (const load of loadsOf([single]))
      if (load.guard && valueWithout(single, E.exprKey(load)) === zero.value)
        for (const c of load.guard) if (isUniform(c)) found.set(comparisonKey(c), c);
  const lift = reduce.lift.map(e =>
    E.mapExpr(e, {
      load: l => {
        const left = l.guard?.filter(c => !found.has(comparisonKey(c)));
        if (!l.guard || left!.length === l.guard.length) return l;
        return E.load(l.input, { dtype: l.dtype, shape: [] }, l.at, left, l.fill ?? 0);
      },
    }),
  );
  const guard = (reduce.guard ?? []).filter(c => !found.has(comparisonKey(c)));
  return { conditions: [...found.values()], guard, lift };
}

/** The value of a term where one of its loads is outside; undefined where that alone does not tell. */
function valueWithout(e: Expr, load: string): number | undefined {
  switch (e.kind) {
    case 'const':
      return e.value;
    case 'load':
      return E.exprKey(e) === load ? (e.fill ?? 0) : undefined;
    case 'unary': {
      const a = valueWithout(e.a, load);
      return a === undefined ? undefined : applyUnary(e.op, a, e.dtype, 'f32');
    }
    case 'cast': {
      const a = valueWithout(e.a, load);
      return a === undefined ? undefined : applyCast(a, e.dtype, 'f32', e.a.dtype);
    }
    case 'binary': {
      const [a, b] = [valueWithout(e.a, load), valueWithout(e.b, load)];
      // Zero times what is not known: infinities and NaN are not looked for where nothing is read.
      if (e.op === 'mul' && (a === 0 || b === 0)) return 0;
      return a === undefined || b === undefined ? undefined : applyBinary(e.op, a, b, e.dtype, 'f32');
    }
    default:
      return undefined;
  }
}
