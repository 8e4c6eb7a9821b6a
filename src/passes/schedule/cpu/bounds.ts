import * as A from '../../../ir/affine.ts';
import type { Axis, Comparison, Index, Predicate } from '../../../ir/compute.ts';
import * as D from '../../../ir/dim.ts';
import * as E from '../../../ir/expr.ts';
import type { KExpr } from '../../../ir/kernel.ts';
import type { Emitter } from '../emitter.ts';
import * as K from '../kexpr.ts';

/** Conditions sorted by where they can be asked. */
export interface Bounded {
  /** Lower and upper (exclusive) ends of loops, as far as they are not 0 and the extent. */
  readonly lower: ReadonlyMap<Axis, readonly Index[]>;
  readonly upper: ReadonlyMap<Axis, readonly Index[]>;
  /** What depends on no loop: asked once, before the nest. */
  readonly before: Predicate;
  /** What is asked at every point. */
  readonly inside: Predicate;
}

/**
 * Turns comparisons into ends of loops: `0 <= y + i - 1` bounds i from below by 1 - y. `loops` from outside inwards; a
 * comparison belongs to the innermost loop that it knows, which it must know linearly.
 */
export function boundLoops(conditions: Predicate, loops: readonly Axis[]): Bounded {
  const lower = new Map<Axis, Index[]>();
  const upper = new Map<Axis, Index[]>();
  const before: Comparison[] = [];
  const inside: Comparison[] = [];
  for (const c of conditions) {
    const known = axesOf(c);
    const axis = loops.findLast(a => known.has(a));
    if (!axis) before.push(c);
    else if (!bound(c, axis, lower, upper)) inside.push(c);
  }
  return { lower, upper, before, inside };
}

/** a - b = factor * axis + rest, compared with 0. */
function bound(
  { op, a, b }: Comparison,
  axis: Axis,
  lower: Map<Axis, Index[]>,
  upper: Map<Axis, Index[]>,
): boolean {
  if (op === 'eq') return false;
  const difference = A.sub(a, b);
  const coefficient = A.axisCoefficients(difference).axes.get(axis);
  const factor = coefficient && D.constantValue(coefficient);
  if (!factor) return false;
  const rest = A.sub(difference, A.mul(axis, factor));
  if (axesOfIndex(rest).has(axis)) return false;
  const add = (to: Map<Axis, Index[]>, end: Index): void => void to.set(axis, [...(to.get(axis) ?? []), end]);
  const size = Math.abs(factor);
  const strict = op === 'lt' ? 1 : 0;
  // factor > 0: axis < -rest / factor. factor < 0: axis > rest / |factor|.
  if (factor > 0) add(upper, A.floordiv(A.add(A.mul(rest, -1), size - strict), size));
  else add(lower, A.floordiv(A.add(rest, strict ? size : size - 1), size));
  return true;
}

function axesOf({ a, b }: Comparison): Set<Axis> {
  return new Set([...axesOfIndex(a), ...axesOfIndex(b)]);
}

function axesOfIndex(x: Index): Set<Axis> {
  const axes = new Set<Axis>();
  E.visitIndex(x, { axis: a => void axes.add(a) });
  return axes;
}

/** Where a loop begins and ends, in front of it. */
export function endsOf(
  emitter: Emitter,
  { lower, upper }: Bounded,
  axis: Axis,
): readonly [from: KExpr, to: KExpr] | undefined {
  const [least, most] = [lower.get(axis) ?? [], upper.get(axis) ?? []];
  if (least.length + most.length === 0) return undefined;
  const from = least.reduce<KExpr>((end, x) => K.binary('max', end, emitter.index(x)), K.int(0));
  const to = most.reduce<KExpr>((end, x) => K.binary('min', end, emitter.index(x)), emitter.dim(axis.extent));
  return [emitter.bind('from', from), emitter.bind('to', to)];
}
