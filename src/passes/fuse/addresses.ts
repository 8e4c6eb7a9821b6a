import type { Expr, Index, Predicate } from '../../ir/compute.ts';

/**
 * Whether a folded value says where an expression reads. A kernel computes addresses apart from what it folds, so such
 * a read waits for the value in memory.
 */
export function readsAtReduced(e: Expr, inIndex = false): boolean {
  const within = (x: Expr): boolean => readsAtReduced(x, inIndex);
  switch (e.kind) {
    case 'const':
    case 'dim':
      return false;
    case 'reduced':
      return inIndex;
    case 'index':
      return indexAtReduced(e.index);
    case 'load':
      return e.at.some(indexAtReduced) || predicateAtReduced(e.guard ?? []);
    case 'unary':
    case 'cast':
      return within(e.a);
    case 'binary':
      return within(e.a) || within(e.b);
    case 'select':
      return within(e.condition) || within(e.a) || within(e.b);
    case 'random':
      return e.args.some(within);
  }
}

export function indexAtReduced(x: Index): boolean {
  if (x.kind === 'value') return readsAtReduced(x.value, true);
  return x.kind === 'op' && (indexAtReduced(x.a) || indexAtReduced(x.b));
}

const predicateAtReduced = (p: Predicate): boolean =>
  p.some(({ a, b }) => indexAtReduced(a) || indexAtReduced(b));
