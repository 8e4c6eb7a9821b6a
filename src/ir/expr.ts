import { Onto } from '../support/onto.ts';
import type { IndexLike } from './affine.ts';
import * as A from './affine.ts';
import type { Axis, Expr, Index, Monoid, Predicate } from './compute.ts';
import type { Dim } from './dim.ts';
import { comparisonKey, simplifyPredicate } from './predicate.ts';
import type { BinaryOp, UnaryOp } from './scalar.ts';
import { isComparison } from './scalar.ts';
import type { DType, TensorType } from './type.ts';

/** Constructors of scalar expressions. */
export function constant(value: number, dtype: DType = 'f32'): Expr {
  return { kind: 'const', dtype, value };
}

export function dimValue(dim: Dim): Expr {
  return { kind: 'dim', dtype: 'i32', dim };
}

export function indexValue(x: IndexLike): Expr {
  const at = A.index(x);
  return at.kind === 'value' ? at.value : { kind: 'index', dtype: 'i32', index: at };
}

/** inputs[input][at], guarded where `guard` is given and not provable. */
export function load(
  input: number,
  type: TensorType,
  at: readonly IndexLike[],
  guard: Predicate = [],
  fill = 0,
): Expr {
  const where = at.map(A.index);
  const needed = simplifyPredicate(guard);
  if (needed.length === 0) return { kind: 'load', dtype: type.dtype, input, at: where };
  return { kind: 'load', dtype: type.dtype, input, at: where, guard: needed, fill };
}

export function unary(op: UnaryOp, a: Expr): Expr {
  return { kind: 'unary', dtype: op === 'not' ? 'bool' : a.dtype, op, a };
}

export function binary(op: BinaryOp, a: Expr, b: Expr): Expr {
  return { kind: 'binary', dtype: isComparison(op) ? 'bool' : a.dtype, op, a, b };
}

export const add = (a: Expr, b: Expr): Expr => binary('add', a, b);
export const sub = (a: Expr, b: Expr): Expr => binary('sub', a, b);
export const mul = (a: Expr, b: Expr): Expr => binary('mul', a, b);

export function select(condition: Expr, a: Expr, b: Expr): Expr {
  return { kind: 'select', dtype: a.dtype, condition, a, b };
}

export function cast(dtype: DType, a: Expr): Expr {
  return a.dtype === dtype ? a : { kind: 'cast', dtype, a };
}

export function random(key0: Expr, key1: Expr, counter0: Expr, counter1: Expr): Expr {
  return { kind: 'random', dtype: 'u32', args: [key0, key1, counter0, counter1] };
}

export function reduced(component: number, monoid: Monoid): Expr {
  return { kind: 'reduced', dtype: monoid.types[component]!, component };
}

export function axis(name: string, extent: Dim): Axis {
  return { name, extent };
}

class Notes extends Onto {
  #key: string | undefined;

  static key(e: Expr): string {
    const notes = #key in e ? e : (new Notes(e) as Notes & Expr);
    return (notes.#key ??= makeKey(e));
  }
}

/** Text that is equal for equal expressions (axes by identity). */
export function exprKey(e: Expr): string {
  return Notes.key(e);
}

function makeKey(e: Expr): string {
  switch (e.kind) {
    case 'const':
      return `${Object.is(e.value, -0) ? '-0' : e.value}:${e.dtype}`;
    case 'dim':
      return `dim(${e.dim.key})`;
    case 'index':
      return `idx(${A.indexKey(e.index)})`;
    case 'load': {
      const guard = e.guard ? `?${e.guard.map(comparisonKey).join('&')}:${e.fill}` : '';
      return `@${e.input}[${e.at.map(A.indexKey).join()}${guard}]`;
    }
    case 'unary':
      return `${e.op}(${exprKey(e.a)})`;
    case 'binary':
      return `${e.op}(${exprKey(e.a)},${exprKey(e.b)})`;
    case 'select':
      return `sel(${exprKey(e.condition)},${exprKey(e.a)},${exprKey(e.b)})`;
    case 'cast':
      return `${e.dtype}(${exprKey(e.a)})`;
    case 'random':
      return `rnd(${e.args.map(exprKey).join()})`;
    case 'reduced':
      return `acc${e.component}:${e.dtype}`;
  }
}

/**
 * Rebuilds an expression bottom-up: `load` and `reduced` may replace what they are given, `axis` axes inside indices. What
 * nothing changes stays the same object, with all that is known of it.
 */
export interface ExprMap {
  readonly axis?: (axis: Axis) => Index | undefined;
  readonly load?: (load: Extract<Expr, { kind: 'load' }>) => Expr;
  readonly reduced?: (e: Extract<Expr, { kind: 'reduced' }>) => Expr;
  /** Where it is given, what occurs several times is mapped once, and shared afterwards as before. */
  readonly known?: Map<Expr, Expr>;
}

export function mapExpr(e: Expr, map: ExprMap): Expr {
  let made = map.known?.get(e);
  if (!made) {
    made = makeMapped(e, map);
    map.known?.set(e, made);
  }
  return made;
}

function makeMapped(e: Expr, map: ExprMap): Expr {
  switch (e.kind) {
    case 'const':
    case 'dim':
      return e;
    case 'index': {
      const index = mapIndex(e.index, map);
      return index === e.index ? e : indexValue(index);
    }
    case 'load': {
      const at = mapAll(e.at, i => mapIndex(i, map));
      const guard = e.guard && mapPredicate(e.guard, map);
      const type = { dtype: e.dtype, shape: [] };
      const moved = at === e.at && guard === e.guard ? e : load(e.input, type, at, guard, e.fill ?? 0);
      return map.load && moved.kind === 'load' ? map.load(moved) : moved;
    }
    case 'unary':
    case 'cast': {
      const a = mapExpr(e.a, map);
      return a === e.a ? e : { ...e, a };
    }
    case 'binary': {
      const a = mapExpr(e.a, map);
      const b = mapExpr(e.b, map);
      return a === e.a && b === e.b ? e : { ...e, a, b };
    }
    case 'select': {
      const condition = mapExpr(e.condition, map);
      const a = mapExpr(e.a, map);
      const b = mapExpr(e.b, map);
      return condition === e.condition && a === e.a && b === e.b ? e : { ...e, condition, a, b };
    }
    case 'random': {
      const args = mapAll(e.args, a => mapExpr(a, map));
      return args === e.args ? e : { ...e, args: args as unknown as typeof e.args };
    }
    case 'reduced':
      return map.reduced ? map.reduced(e) : e;
  }
}

export function mapIndex(x: Index, map: ExprMap): Index {
  switch (x.kind) {
    case 'dim':
      return x;
    case 'axis': {
      const to = map.axis?.(x.axis);
      return !to || (to.kind === 'axis' && to.axis === x.axis) ? x : to;
    }
    case 'value': {
      const value = mapExpr(x.value, map);
      return value === x.value ? x : A.value(value);
    }
    case 'op': {
      const a = mapIndex(x.a, map);
      const b = mapIndex(x.b, map);
      if (a === x.a && b === x.b) return x;
      if (x.op === 'add') return A.add(a, b);
      if (x.op === 'mul') return A.mul(a, b);
      if (x.op === 'min') return A.min(a, b);
      if (x.op === 'max') return A.max(a, b);
      if (b.kind === 'dim') return x.op === 'floordiv' ? A.floordiv(a, b.dim) : A.mod(a, b.dim);
      return { kind: 'op', op: x.op, a, b };
    }
  }
}

export function mapPredicate(p: Predicate, map: ExprMap): Predicate {
  const mapped = mapAll(p, c => {
    const a = mapIndex(c.a, map);
    const b = mapIndex(c.b, map);
    return a === c.a && b === c.b ? c : { op: c.op, a, b };
  });
  return simplifyPredicate(mapped);
}

/** The list itself where every element stays what it is. */
function mapAll<T>(list: readonly T[], map: (element: T) => T): readonly T[] {
  let changed = false;
  const mapped = list.map(element => {
    const made = map(element);
    changed ||= made !== element;
    return made;
  });
  return changed ? mapped : list;
}

/** What a visit is told of, in the order in which `mapExpr` would: what stands inside a load's indices comes before it. */
export interface ExprVisitor {
  readonly axis?: (axis: Axis) => void;
  readonly load?: (load: Extract<Expr, { kind: 'load' }>) => void;
  /** Where it is given, what occurs several times is looked at once. */
  readonly seen?: Set<Expr>;
}

/** Looks at every axis and load, also those inside computed indices, and builds nothing. */
export function visitExpr(e: Expr, visitor: ExprVisitor): void {
  if (visitor.seen?.has(e)) return;
  visitor.seen?.add(e);
  switch (e.kind) {
    case 'const':
    case 'dim':
    case 'reduced':
      return;
    case 'index':
      visitIndex(e.index, visitor);
      return;
    case 'load':
      for (const i of e.at) visitIndex(i, visitor);
      if (e.guard) visitPredicate(e.guard, visitor);
      visitor.load?.(e);
      return;
    case 'unary':
    case 'cast':
      visitExpr(e.a, visitor);
      return;
    case 'binary':
      visitExpr(e.a, visitor);
      visitExpr(e.b, visitor);
      return;
    case 'select':
      visitExpr(e.condition, visitor);
      visitExpr(e.a, visitor);
      visitExpr(e.b, visitor);
      return;
    case 'random':
      for (const a of e.args) visitExpr(a, visitor);
  }
}

export function visitIndex(x: Index, visitor: ExprVisitor): void {
  switch (x.kind) {
    case 'dim':
      return;
    case 'axis':
      visitor.axis?.(x.axis);
      return;
    case 'value':
      visitExpr(x.value, visitor);
      return;
    case 'op':
      visitIndex(x.a, visitor);
      visitIndex(x.b, visitor);
  }
}

export function visitPredicate(p: Predicate, visitor: ExprVisitor): void {
  for (const c of p) {
    visitIndex(c.a, visitor);
    visitIndex(c.b, visitor);
  }
}
