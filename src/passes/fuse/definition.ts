import * as A from '../../ir/affine.ts';
import type { Axis, Compute, Expr, Predicate } from '../../ir/compute.ts';
import * as D from '../../ir/dim.ts';
import * as E from '../../ir/expr.ts';
import type { OpNode, Value } from '../../ir/graph.ts';
import { applyBinary, applyCast, applyUnary } from '../../ir/scalar.ts';
import { Onto } from '../../support/onto.ts';

/**
 * While fusing, loads name graph values by id instead of input positions, so that expressions can be moved freely;
 * `assemble` gives every work its own input list at the end.
 */
export interface Lowered {
  readonly node: OpNode;
  /** Loads hold the ids of the node's input values. */
  readonly compute: Compute;
}

export function lowerNode(node: OpNode): Lowered {
  if (!node.op.lower) throw new Error(`\`${node.op.name}\` cannot be lowered`);
  const compute = node.op.lower(
    node.inputs.map(v => v.type),
    node.attrs,
    node.outputs.map(v => v.type),
  );
  const named = mapLoads(compute, load => ({ ...load, input: node.inputs[load.input]!.id }));
  return { node, compute: withoutTrivialReduction(named) };
}

/** A reduction over a single point is its lift: the work is elementwise after all. */
function withoutTrivialReduction(compute: Compute): Compute {
  const { reduce, ...rest } = compute;
  if (!reduce?.axes.every(a => D.isConstant(a.extent, 1))) return compute;
  const first = { axis: (a: Axis) => (reduce.axes.includes(a) ? A.index(0) : undefined) };
  const guard = E.mapPredicate(reduce.guard ?? [], first);
  const values = reduce.lift.map((e, i) => {
    const value = E.mapExpr(e, first);
    return guard.length > 0 ? E.select(predicateExpr(guard), value, reduce.monoid.zero[i]!) : value;
  });
  return mapCompute(rest, { reduced: e => values[e.component]! });
}

type Load = Extract<Expr, { kind: 'load' }>;

export function mapLoads(compute: Compute, change: (load: Load) => Expr): Compute {
  return mapCompute(compute, { load: change });
}

/** Applies a mapping to every expression, guard and index of a Compute; axes stay as they are. */
export function mapCompute(compute: Compute, map: E.ExprMap): Compute {
  const { reduce } = compute;
  return {
    ...compute,
    ...(reduce && {
      reduce: {
        ...reduce,
        lift: reduce.lift.map(e => E.mapExpr(e, map)),
        ...(reduce.guard && { guard: E.mapPredicate(reduce.guard, map) }),
      },
    }),
    outs: compute.outs.map(out => ({
      ...out,
      value: E.mapExpr(out.value, map),
      ...(out.at && { at: out.at.map(i => E.mapIndex(i, map)) }),
    })),
  };
}

/** Whether the value is one expression of its own axes: what can be inlined into others. */
export function isMap(compute: Compute): boolean {
  const [out] = compute.outs;
  return !compute.reduce && compute.outs.length === 1 && !out!.at && !out!.keep;
}

/** Whether every element stands at the same row-major position as in the one tensor it is loaded from (reshape). */
export function isSameLayout(node: OpNode, compute: Compute): Value | undefined {
  if (!isMap(compute)) return undefined;
  const { value, type } = compute.outs[0]!;
  if (value.kind !== 'load' || value.guard) return undefined;
  const source = node.inputs.find(v => v.id === value.input);
  if (!source || source.type.dtype !== type.dtype || source.type.dtype === 'u8') return undefined;
  const from = A.flatten(value.at, source.type.shape);
  const to = A.flatten(compute.axes.map(A.index), type.shape);
  return A.indexKey(from) === A.indexKey(to) ? source : undefined;
}

/** All loads, those inside computed indices included; as often as they occur. */
export function loadsOf(exprs: readonly Expr[], guard: Predicate = []): Load[] {
  const found: Load[] = [];
  const visitor: E.ExprVisitor = { load: load => void found.push(load) };
  for (const e of exprs) E.visitExpr(e, visitor);
  E.visitPredicate(guard, visitor);
  return found;
}

class Notes extends Onto {
  #loads: readonly Load[] | undefined;

  static loads(compute: Compute): readonly Load[] {
    const notes = #loads in compute ? compute : (new Notes(compute) as Notes & Compute);
    return (notes.#loads ??= distinctLoads(compute));
  }
}

/** The distinct loads of a whole Compute. */
export function computeLoads(compute: Compute): readonly Load[] {
  return Notes.loads(compute);
}

function distinctLoads(compute: Compute): readonly Load[] {
  const found = new Map<string, Load>();
  const visitor: E.ExprVisitor = {
    seen: new Set(),
    load: load => {
      const key = E.exprKey(load);
      if (!found.has(key)) found.set(key, load);
    },
  };
  const { values, guard } = partsOf(compute);
  for (const e of values) E.visitExpr(e, visitor);
  E.visitPredicate(guard, visitor);
  return [...found.values()];
}

/** The loads of a whole Compute, as often as they occur. */
export function loadOccurrences(compute: Compute): readonly Load[] {
  const { values, guard } = partsOf(compute);
  return loadsOf(values, guard);
}

function partsOf({ reduce, outs }: Compute): { readonly values: readonly Expr[]; readonly guard: Predicate } {
  const places = outs.flatMap(o => (o.at ?? []).map(E.indexValue));
  const values = [...(reduce?.lift ?? []), ...outs.map(o => o.value), ...places];
  return { values, guard: reduce?.guard ?? [] };
}

export function predicateExpr(predicate: Predicate): Expr {
  const comparisons = predicate.map(c => E.binary(c.op, E.indexValue(c.a), E.indexValue(c.b)));
  return comparisons.length === 0
    ? E.constant(1, 'bool')
    : comparisons.reduce((a, b) => E.binary('and', a, b));
}

/**
 * A map's expression at other indices, as the replacement of a load there. A guarded load hands its guard to every
 * load inside; the fill needs a select of its own unless the expression of fills comes out equal to it anyway.
 */
export function inlineMap(axes: readonly Axis[], value: Expr, load: Load): Expr {
  const position = new Map(axes.map((a, i) => [a, load.at[i]!]));
  const moved = E.mapExpr(value, { known: new Map(), axis: a => position.get(a) });
  if (!load.guard) return moved;
  const guard = load.guard;
  const fill = load.fill ?? 0;
  const guardedLoad = (inner: Load, otherwise: number): Expr =>
    E.load(
      inner.input,
      { dtype: inner.dtype, shape: [] },
      inner.at,
      [...guard, ...(inner.guard ?? [])],
      otherwise,
    );
  const map: E.ExprMap = { known: new Map(), load: inner => guardedLoad(inner, inner.fill ?? 0) };
  if (moved.kind === 'load' && (!moved.guard || moved.fill === fill)) {
    // What says where it reads is not read outside either.
    const at = moved.at.map(x => E.mapIndex(x, map));
    const own = moved.guard && E.mapPredicate(moved.guard, map);
    return guardedLoad({ ...moved, at, ...(own && { guard: own }) }, fill);
  }
  const guarded = E.mapExpr(moved, map);
  if (valueOfFills(guarded) === fill) return guarded;
  return E.select(predicateExpr(guard), guarded, E.constant(fill, guarded.dtype));
}

/** The expression's value where every load gives its fill; undefined where it depends on the place as well. */
export function valueOfFills(e: Expr): number | undefined {
  switch (e.kind) {
    case 'const':
      return e.value;
    case 'load':
      return e.guard ? (e.fill ?? 0) : undefined;
    case 'unary': {
      const a = valueOfFills(e.a);
      return a === undefined ? undefined : applyUnary(e.op, a, e.dtype, 'f32');
    }
    case 'binary': {
      const a = valueOfFills(e.a);
      const b = valueOfFills(e.b);
      return a === undefined || b === undefined ? undefined : applyBinary(e.op, a, b, e.dtype, 'f32');
    }
    case 'cast': {
      const a = valueOfFills(e.a);
      return a === undefined ? undefined : applyCast(a, e.dtype, 'f32', e.a.dtype);
    }
    default:
      return undefined;
  }
}
