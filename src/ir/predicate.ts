import { Onto } from '../support/onto.ts';
import * as A from './affine.ts';
import type { Comparison, Predicate } from './compute.ts';
import type { Dim } from './dim.ts';
import * as D from './dim.ts';

/** x < extent and x >= 0, less what is proved. */
export function inRange(x: A.IndexLike, extent: Dim | number): Predicate {
  return simplifyPredicate([
    { op: 'le', a: A.index(0), b: A.index(x) },
    { op: 'lt', a: A.index(x), b: A.index(D.dim(extent)) },
  ]);
}

export function comparisonKey(c: Comparison): string {
  return `${A.indexKey(c.a)}${c.op}${A.indexKey(c.b)}`;
}

function proved(c: Comparison): boolean | undefined {
  const difference = A.range(A.sub(c.b, c.a)); // b - a
  if (!difference) return undefined;
  if (c.op === 'eq') {
    if (D.isConstant(difference.lo, 0) && D.isConstant(difference.hi, 0)) return true;
    return D.lowerBound(difference.lo) > 0 || D.lowerBound(D.scale(difference.hi, -1)) > 0
      ? false
      : undefined;
  }
  const need = c.op === 'lt' ? 1 : 0;
  if (D.lowerBound(difference.lo) >= need) return true;
  return D.lowerBound(D.scale(difference.hi, -1)) >= 1 - need ? false : undefined;
}

/** Marks predicates that have nothing left to drop, so that they are not proved again when expressions are rebuilt. */
class Simple extends Onto {
  #isSimple = true;

  static has(predicate: Predicate): boolean {
    return #isSimple in predicate && predicate.#isSimple;
  }

  static of(predicate: Predicate): Predicate {
    if (!Simple.has(predicate)) new Simple(predicate);
    return predicate;
  }
}

/** Drops what is always true and repeated; a comparison that is never true leaves itself alone. */
export function simplifyPredicate(predicate: Predicate): Predicate {
  if (Simple.has(predicate)) return predicate;
  const kept = new Map<string, Comparison>();
  for (const c of predicate) {
    const known = proved(c);
    if (known === true) continue;
    if (known === false) return Simple.of([c]);
    kept.set(comparisonKey(c), c);
  }
  return Simple.of(kept.size === predicate.length ? predicate : [...kept.values()]);
}

/** Whether the predicate is known to fail everywhere. */
export function neverHolds(predicate: Predicate): boolean {
  return predicate.some(c => proved(c) === false);
}
