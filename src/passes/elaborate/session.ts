import type { GraphBuilder } from '../../ir/builder.ts';
import type { Value } from '../../ir/graph.ts';
import type { TensorType } from '../../ir/type.ts';
import type { Expr, Statement } from '../../parser/ast.ts';
import type { Span } from '../../support/source.ts';
import type { Scope } from './scope.ts';
import type { Val } from './values.ts';

/** A parameter or state that the graph uses, and how it begins. */
export interface Variable {
  readonly path: string;
  readonly role: 'param' | 'state';
  readonly type: TensorType;
  readonly value: Value;
  readonly span: Span;
  /** An optimiser's state follows the parameter, not `over`. */
  readonly owner: 'net' | 'optimiser';
  readonly initial: { readonly expr: Expr | undefined; readonly scope: Scope };
}

/** One graph under construction. */
export interface Session {
  readonly b: GraphBuilder;
  /** `predict` and `evaluate` update nothing; `init` draws at sites that follow from paths. */
  readonly purpose: 'predict' | 'step' | 'evaluate' | 'init';
  readonly variables: Map<string, Variable>;
  /** New values of states, by path. */
  readonly updates: Map<string, Value>;
  readonly metrics: Map<string, Value>;
  /** Which `step` of a training program is made here; absent: none, or all of them for their metrics. */
  readonly step?: Statement;
  /** What each `minimize` minimises, by the name of its metric; new weights by path, and the paths that `over` owns. */
  readonly losses: Map<string, Value>;
  readonly weights: Map<string, Value>;
  readonly owned: string[];
  /** Names of the nets that the graph applies. */
  readonly nets: Set<string>;
  /** Those that it applies in training mode, and where first. */
  readonly trained: Map<string, Span>;
  /** Values brought over from another graph. */
  readonly imported: Map<Value, Value>;
  nextSite: () => number;
  /** The random key inside a `scan`, which every turn has its own of. */
  key: (() => Value) | undefined;
  /** Put before the names of metrics: `d.` inside `step d`. */
  metricPrefix: string;
  /** Sites drawn so far; set back when a link is elaborated again. */
  sites: number;
  /** Sums over all parameters of one `by`, while a link is elaborated. */
  totals?: Totals;
}

/** See `total` in `optimise.ts`. */
export interface Totals {
  readonly known: readonly Val[];
  next: number;
}

/** Tells `optimise.ts` that a link needs a sum over all parameters; carries this parameter's part. */
export class TotalPending extends Error {
  readonly part: Val;
  constructor(part: Val) {
    super('total');
    this.part = part;
  }
}

export function makeSession(
  b: GraphBuilder,
  purpose: Session['purpose'],
  { step, firstSite = 0 }: { readonly step?: Statement | undefined; readonly firstSite?: number } = {},
): Session {
  const session: Session = {
    b,
    purpose,
    ...(step && { step }),
    losses: new Map(),
    metricPrefix: '',
    variables: new Map(),
    updates: new Map(),
    metrics: new Map(),
    weights: new Map(),
    owned: [],
    nets: new Set(),
    trained: new Map(),
    imported: new Map(),
    key: undefined,
    sites: firstSite,
    nextSite: () => session.sites++,
  };
  return session;
}

/**
 * A site for the k-th draw of an initialiser: FNV-1a of the path, so it depends neither on order nor on which
 * program uses the parameter. Bit 30 keeps it apart from the counted sites of a step.
 */
export function initialSite(path: string, k: number): number {
  let hash = 0x811c9dc5;
  for (const char of k === 0 ? path : `${path}#${k}`) {
    hash ^= char.codePointAt(0)!;
    hash = Math.imul(hash, 0x01000193);
  }
  return (hash & 0x3fffffff) | 0x40000000;
}
