import * as A from '../ir/affine.ts';
import type { Axis, Compute, Expr, Index } from '../ir/compute.ts';
import * as D from '../ir/dim.ts';
import * as E from '../ir/expr.ts';
import { comparisonKey, inRange } from '../ir/predicate.ts';
import type { Tensor, Work } from '../ir/program.ts';
import type { TensorType } from '../ir/type.ts';
import { mapCompute, mapLoads } from './fuse/definition.ts';

export type Load = Extract<Expr, { kind: 'load' }>;

/** How a copy differs from what it copies. */
export interface Copy {
  /** For each dim the lowest and highest index that is read. */
  readonly ranges: readonly { readonly lo: number; readonly extent: D.Dim }[];
  /** Dims of the source in the order in which they stand in the copy. */
  readonly order: readonly number[];
  readonly padded: boolean;
  /** The last dim of the order in parts of so many elements, which follow each other for everything else: [d / 8, .., 8]. */
  readonly panel?: number;
  /**
   * The last dim of the order in phases of this stride: [.., 2, d / 2] has all even places and then all odd ones, so that
   * what is read in steps of the stride lies together.
   */
  readonly phases?: number;
}

/** What a copy is called, and what it does. */
export function kindOf({ padded, panel, phases, order }: Copy): 'padded' | 'panels' | 'phases' | 'across' {
  if (panel) return 'panels';
  if (phases) return 'phases';
  return padded && order.every((d, i) => d === i) ? 'padded' : 'across';
}

/** The box that a load reads, where its guard says no more than that it lies inside the tensor. */
export function padded(load: Load, shape: readonly D.Dim[]): Copy['ranges'] | undefined {
  const inside = new Set(load.at.flatMap((x, d) => inRange(x, shape[d]!).map(comparisonKey)));
  if (!load.guard!.every(c => inside.has(comparisonKey(c)))) return undefined;
  const ranges = load.at.map((x, d) => {
    const bound = A.range(x);
    const lo = bound && D.constantValue(bound.lo);
    if (A.within(x, shape[d]!)) return { lo: 0, extent: shape[d]! };
    if (lo === undefined) return undefined;
    return { lo, extent: D.add(D.sub(bound!.hi, bound!.lo), D.constant(1)) };
  });
  return ranges.every(r => r !== undefined) ? ranges : undefined;
}

/** The type of the copy. */
export function copyType({ dtype }: TensorType, { ranges, order, panel, phases }: Copy): TensorType {
  const shape = order.map(d => ranges[d]!.extent);
  if (phases) {
    const each = D.floorDiv(D.add(shape.at(-1)!, D.constant(phases - 1)), D.constant(phases));
    return { dtype, shape: [...shape.slice(0, -1), D.constant(phases), each] };
  }
  if (!panel) return { dtype, shape };
  return {
    dtype,
    shape: [D.divideExact(shape.at(-1)!, D.constant(panel))!, ...shape.slice(0, -1), D.constant(panel)],
  };
}

/**
 * The compute reading the copy, which is its input number `input`. Along panels the axis is split, so that indices stay
 * linear.
 */
export function withCopy(compute: Compute, load: Load, copy: Copy, input: number, type: TensorType): Compute {
  const { order, ranges, panel, phases } = copy;
  const key = E.exprKey(load);
  const split = panel ? splitAxis(compute, axisOf(load.at[order.at(-1)!]!), panel) : undefined;
  const inOrder = order.map(d => A.sub(load.at[d]!, ranges[d]!.lo));
  const last = inOrder.at(-1)!;
  const rest = inOrder.slice(0, -1);
  const at = split
    ? [A.index(split.part), ...rest, A.index(split.within)]
    : phases
      ? [...rest, A.mod(last, phases), A.floordiv(last, phases)]
      : inOrder;
  const guard = copy.padded ? [] : (load.guard ?? []);
  const read = E.load(input, type, at, guard, load.fill ?? 0);
  const { reduce } = mapLoads({ ...compute, outs: [] }, l => (E.exprKey(l) === key ? read : l));
  const changed: Compute = { ...compute, reduce: reduce!, inputs: [...compute.inputs, type] };
  return split ? split.apply(changed) : changed;
}

function axisOf(x: Index): Axis {
  if (x.kind !== 'axis') throw new Error('panels along what is no axis');
  return x.axis;
}

/** An axis of the outputs as two: parts, and the elements of one. */
function splitAxis(
  { axes }: Compute,
  axis: Axis,
  size: number,
): { readonly part: Axis; readonly within: Axis; readonly apply: (compute: Compute) => Compute } {
  const part: Axis = {
    name: `${axis.name}_panel`,
    extent: D.divideExact(axis.extent, D.constant(size))!,
  };
  const within: Axis = { name: axis.name, extent: D.constant(size) };
  const whole = A.add(A.mul(part, size), within);
  const map = { axis: (a: Axis) => (a === axis ? whole : undefined) };
  const both = (list: readonly Axis[]): Axis[] =>
    list.flatMap(a => (a === axis ? [part] : a)).concat(list.includes(axis) ? [within] : []);
  return {
    part,
    within,
    apply: compute => ({
      ...compute,
      axes: both(axes),
      reduce: mapCompute({ ...compute, outs: [] }, map).reduce!,
      outs: compute.outs.map(o => ({
        ...o,
        value: E.mapExpr(o.value, map),
        at: (o.at ?? (o.keep ?? axes).map(A.index)).map(x => E.mapIndex(x, map)),
        ...(o.keep && { keep: both(o.keep) }),
      })),
    }),
  };
}

/** The work that copies. */
export function copyWork(work: Work, source: Tensor, tensor: Tensor, copy: Copy, load: Load): Work {
  const { panel, phases } = copy;
  const places = copy.order.map((d): Axis => ({ name: `i${d}`, extent: copy.ranges[d]!.extent }));
  const last = places.at(-1)!;
  const part: Axis = { name: 'panel', extent: tensor.type.shape[0]! };
  const within: Axis = { name: last.name, extent: D.constant(panel ?? 1) };
  const phase: Axis = { name: 'phase', extent: D.constant(phases ?? 1) };
  const each: Axis = { name: last.name, extent: tensor.type.shape.at(-1)! };
  const rest = places.slice(0, -1);
  const axes = panel ? [part, ...rest, within] : phases ? [...rest, phase, each] : places;
  const place = panel
    ? A.add(A.mul(part, panel), within)
    : phases
      ? A.add(A.mul(each, phases), phase)
      : A.index(last);
  const at: Index[] = [];
  copy.order.forEach((d, i) => {
    at[d] = A.add(places[i] === last ? place : places[i]!, copy.ranges[d]!.lo);
  });
  const guard = copy.padded || phases ? at.flatMap((x, d) => inRange(x, source.type.shape[d]!)) : [];
  const value = E.load(0, source.type, at, guard, load.fill ?? 0);
  return {
    name: tensor.name,
    origin: work.origin,
    inputs: [source],
    region: { outer: [], stages: [{ inputs: [source.type], axes, outs: [{ type: tensor.type, value }] }] },
    outputs: [tensor],
    absorbed: [{ padded: 'pad', panels: 'pack', phases: 'pad', across: 'transpose' }[kindOf(copy)]],
    role: {
      padded: 'copy with a border',
      panels: 'copy in panels',
      phases: 'copy in phases',
      across: 'copy, transposed',
    }[kindOf(copy)],
    ...(work.loop && { loop: work.loop }),
  };
}
