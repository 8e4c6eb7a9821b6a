import * as A from '../ir/affine.ts';
import type { Axis, Compute, Expr, Index } from '../ir/compute.ts';
import * as D from '../ir/dim.ts';
import * as E from '../ir/expr.ts';
import type { Tensor, Work } from '../ir/program.ts';
import type { TensorType } from '../ir/type.ts';
import { mapLoads } from './fuse/definition.ts';

export type Load = Extract<Expr, { kind: 'load' }>;

/** How a copy differs from what it copies. */
export interface Copy {
  /** For each dim the lowest and highest index that is read. */
  readonly ranges: readonly { readonly lo: number; readonly extent: D.Dim }[];
  /** Dims of the source in the order in which they stand in the copy. */
  readonly order: readonly number[];
  readonly padded: boolean;
}

/** The box that a load reads, where its guard says no more than that it lies inside the tensor. */
export function padded(load: Load, shape: readonly D.Dim[]): Copy['ranges'] | undefined {
  const inside = new Set(load.at.flatMap((x, d) => A.inRange(x, shape[d]!).map(A.comparisonKey)));
  if (!load.guard!.every(c => inside.has(A.comparisonKey(c)))) return undefined;
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
export function copyType({ dtype }: TensorType, { ranges, order }: Copy): TensorType {
  return { dtype, shape: order.map(d => ranges[d]!.extent) };
}

/** The compute reading the copy, which is its input number `input`. */
export function withCopy(compute: Compute, load: Load, copy: Copy, input: number, type: TensorType): Compute {
  const key = E.exprKey(load);
  const at = copy.order.map(d => A.sub(load.at[d]!, copy.ranges[d]!.lo));
  const changed = mapLoads({ ...compute, outs: [] }, l =>
    E.exprKey(l) === key ? E.load(input, type, at, copy.padded ? [] : (l.guard ?? []), l.fill ?? 0) : l,
  );
  return { ...changed, outs: compute.outs, inputs: [...compute.inputs, type] };
}

/** The work that copies. */
export function copyWork(work: Work, source: Tensor, tensor: Tensor, copy: Copy, load: Load): Work {
  const axes = copy.order.map((d): Axis => ({ name: `i${d}`, extent: copy.ranges[d]!.extent }));
  const at: Index[] = [];
  copy.order.forEach((d, i) => {
    at[d] = A.add(axes[i]!, copy.ranges[d]!.lo);
  });
  const guard = copy.padded ? at.flatMap((x, d) => A.inRange(x, source.type.shape[d]!)) : [];
  const value = E.load(0, source.type, at, guard, load.fill ?? 0);
  return {
    name: tensor.name,
    origin: work.origin,
    inputs: [source],
    region: { outer: [], stages: [{ inputs: [source.type], axes, outs: [{ type: tensor.type, value }] }] },
    outputs: [tensor],
    absorbed: [copy.padded ? 'pad' : 'transpose'],
    ...(work.loop && { loop: work.loop }),
  };
}
