import * as A from '../../ir/affine.ts';
import type { Axis, Compute, Index, Reduce } from '../../ir/compute.ts';
import * as D from '../../ir/dim.ts';
import type { Value } from '../../ir/graph.ts';
import { pair } from '../../ir/monoid.ts';
import type { Target } from '../../ir/target.ts';
import { computeLoads, mapCompute } from './definition.ts';
import { boundBuffers, type Group, type Grouping, rootOf } from './group.ts';
import { pairwise } from './pairwise.ts';
import { type Pool, SlotQueue, some } from './pool.ts';

/**
 * Works over the same points side by side. A reduction beside a larger one becomes further components of the larger one's monoid,
 * stored where the axes it lacks are 0 (bias gradient beside the weight gradient, loss beside accuracy). Each call of
 * the result merges the first pair that can be; false when there is none.
 */
export function siblingMerger(
  pool: Pool,
  grouping: Grouping,
  outputs: ReadonlySet<Value>,
  { maxStorageBuffersPerShaderStage: maxBindings, kind }: Target,
): () => boolean {
  // The larger one's tiles would repeat the smaller one, and cannot leave out what lies outside for both.
  const besideLarger = kind !== 'cpu';
  const joinedSiblings = pairwise((a, b, g) => joinReduction(a, b, g, besideLarger) ?? joinMaps(a, b, g));
  /** Slots that have changed, and slots that are the earlier one of a pair that can be merged. */
  const changed = new SlotQueue();
  const open = new SlotQueue();
  const partners = new Partners(grouping, outputs);
  pool.watch(slots => {
    for (const slot of slots) changed.add(slot);
  });

  const buffers = new WeakMap<Group, ReadonlySet<Value>>();
  const bound = (group: Group): ReadonlySet<Value> => {
    let found = buffers.get(group);
    if (!found) {
      const isNeeded = (target: Value): boolean =>
        some(pool.readers(target), g => pool.slotOf(g) > pool.slotOf(group));
      buffers.set(group, (found = boundBuffers(group.compute, group.values, grouping, isNeeded)));
    }
    return found;
  };

  const join = (early: number, late: number) => {
    const first = pool.at(early)!;
    const second = pool.at(late)!;
    if (first.values.some(v => pool.reads(second).has(v))) return undefined;
    const place = pool.mergedPlace(early, late);
    // Side by side they bind what each of them binds.
    if (place === undefined || new Set([...bound(first), ...bound(second)]).size > maxBindings)
      return undefined;
    for (const [big, small] of [
      [first, second],
      [second, first],
    ] as const) {
      const compute = joinedSiblings(big, small, grouping);
      if (!compute) continue;
      const values = [...big.values, ...small.values];
      return { place, merged: { compute, values, nodes: [...big.nodes, ...small.nodes] } };
    }
    return undefined;
  };

  return () => {
    // All changed groups are known before the first is tried.
    const fresh: number[] = [];
    for (let slot = changed.take(); slot !== undefined; slot = changed.take()) {
      partners.put(slot, pool.at(slot));
      if (pool.at(slot)) fresh.push(slot);
    }
    for (const slot of fresh)
      for (const other of partners.of(slot)) {
        // One partner is enough to look at a slot again.
        const early = Math.min(slot, other);
        if (!open.has(early) && join(early, Math.max(slot, other))) open.add(early);
      }
    for (let early = open.peek(); early !== undefined; early = open.peek()) {
      const first = early;
      const later = [...partners.of(first)].filter(slot => slot > first);
      for (const late of later.sort((a, b) => a - b)) {
        const found = join(first, late);
        if (!found) continue;
        pool.merge(first, late, found.place, found.merged);
        return true;
      }
      open.take();
    }
    return false;
  };
}

/** Slots by what their groups have in common if they can stand side by side at all. */
class Partners {
  readonly #grouping: Grouping;
  readonly #outputs: ReadonlySet<Value>;
  readonly #keys = new Map<number, ReadonlySet<string>>();
  readonly #slots = new Map<string, Set<number>>();

  constructor(grouping: Grouping, outputs: ReadonlySet<Value>) {
    this.#grouping = grouping;
    this.#outputs = outputs;
  }

  /** The group that a slot holds from now on. */
  put(slot: number, group: Group | undefined): void {
    for (const key of this.#keys.get(slot) ?? []) this.#slots.get(key)!.delete(slot);
    const keys = group ? this.#keysOf(group) : new Set<string>();
    this.#keys.set(slot, keys);
    for (const key of keys) {
      const list = this.#slots.get(key);
      if (list) list.add(slot);
      else this.#slots.set(key, new Set([slot]));
    }
  }

  of(slot: number): Set<number> {
    const found = new Set<number>();
    for (const key of this.#keys.get(slot) ?? []) for (const other of this.#slots.get(key)!) found.add(other);
    found.delete(slot);
    return found;
  }

  /** Maps go together over equal points, reductions where they load one tensor or all run over one list of points. */
  #keysOf(group: Group): Set<string> {
    const { axes, reduce } = group.compute;
    const extents = (list: readonly Axis[]): string => list.map(a => a.extent.key).join();
    if (!reduce) {
      // Outputs that load nothing are written where they belong, and packed.
      const isConstant =
        computeLoads(group.compute).length === 0 && group.values.some(v => this.#outputs.has(v));
      const isFree = axes.length > 0 && !isConstant && !group.values.some(v => this.#grouping.targets.has(v));
      return new Set(isFree ? [`map ${extents(axes)}`] : []);
    }
    if (reduce.guard) return new Set();
    const keys = new Set(axes.length === 0 ? [`reduction ${extents(reduce.axes)}`] : []);
    for (const load of computeLoads(group.compute)) {
      if (load.guard) continue;
      const { values, views } = this.#grouping;
      keys.add(`reads ${rootOf(values.get(load.input)!, views).id}`);
    }
    return keys;
  }
}

/** Two maps over the same points, neither reading the other: one pass over them. Updates are left for packing. */
function joinMaps(a: Group, b: Group, grouping: Grouping): Compute | undefined {
  const { axes, reduce, outs } = a.compute;
  const own = b.compute.axes;
  if (reduce || b.compute.reduce || axes.length !== own.length || axes.length === 0) return undefined;
  if (!axes.every((x, i) => D.equal(x.extent, own[i]!.extent))) return undefined;
  if ([...a.values, ...b.values].some(v => grouping.targets.has(v))) return undefined;
  const position = new Map(own.map((x, i) => [x, A.index(axes[i]!)]));
  const moved = mapCompute(b.compute, { axis: x => position.get(x) });
  return { ...a.compute, outs: [...outs, ...moved.outs] };
}

function joinReduction(
  big: Group,
  small: Group,
  grouping: Grouping,
  besideLarger: boolean,
): Compute | undefined {
  const a = big.compute;
  const b = small.compute;
  if (!a.reduce || !b.reduce || a.reduce.guard || b.reduce.guard) return undefined;
  if (b.outs.some(o => o.at || o.keep) || b.axes.length > a.axes.length) return undefined;
  const position = matchAxes(a, b, a.reduce, b.reduce, grouping);
  if (!position) return undefined;
  const shift = a.reduce.monoid.types.length;
  const moved = mapCompute(b, {
    axis: axis => position.get(axis),
    reduced: e => ({ ...e, component: e.component + shift }),
  });
  const at = b.axes.map(axis => position.get(axis)!);
  const keep = at.flatMap(x => (x.kind === 'axis' ? [x.axis] : []));
  const whole =
    at.length === a.axes.length && keep.length === at.length && keep.every((x, i) => x === a.axes[i]);
  if (!whole && !besideLarger) return undefined;
  return {
    ...a,
    reduce: {
      axes: a.reduce.axes,
      lift: [...a.reduce.lift, ...moved.reduce!.lift],
      monoid: pair(a.reduce.monoid, b.reduce.monoid),
    },
    outs: [...a.outs, ...moved.outs.map(o => (whole ? o : { ...o, at, keep }))],
  };
}

/** How the axes of `b` stand among those of `a`: read off a tensor that both load, axis by axis; without any outer axes, by order. */
function matchAxes(
  a: Compute,
  b: Compute,
  ra: Reduce,
  rb: Reduce,
  grouping: Grouping,
): Map<Axis, Index> | undefined {
  if (ra.axes.length !== rb.axes.length) return undefined;
  const pairs = (from: readonly Axis[], to: readonly Axis[]): Map<Axis, Index> | undefined =>
    from.every((x, i) => D.equal(x.extent, to[i]!.extent))
      ? new Map(from.map((x, i) => [x, A.index(to[i]!)]))
      : undefined;
  if (a.axes.length === 0 && b.axes.length === 0) return pairs(rb.axes, ra.axes);

  const aLoads = computeLoads(a).filter(l => !l.guard);
  for (const load of computeLoads(b)) {
    if (load.guard) continue;
    const value = grouping.values.get(load.input)!;
    const root = rootOf(value, grouping.views);
    for (const other of aLoads) {
      const otherValue = grouping.values.get(other.input)!;
      if (rootOf(otherValue, grouping.views) !== root || other.at.length !== load.at.length) continue;
      if (!value.type.shape.every((d, i) => D.equal(d, otherValue.type.shape[i]!))) continue;
      const map = new Map<Axis, Index>();
      const plain = load.at.every((x, i) => {
        const y = other.at[i]!;
        if (x.kind === 'dim') return A.indexKey(x) === A.indexKey(y);
        if (x.kind !== 'axis' || y.kind !== 'axis' || !D.equal(x.axis.extent, y.axis.extent)) return false;
        map.set(x.axis, y);
        return true;
      });
      const isTo = (axis: Axis, list: readonly Axis[]): boolean => {
        const to = map.get(axis);
        return to?.kind === 'axis' && list.includes(to.axis);
      };
      if (
        plain &&
        new Set([...map.values()].map(A.indexKey)).size === map.size &&
        b.axes.every(x => isTo(x, a.axes) || (!map.has(x) && D.isConstant(x.extent, 1))) &&
        rb.axes.every(x => isTo(x, ra.axes))
      ) {
        for (const x of b.axes) if (!map.has(x)) map.set(x, A.index(0));
        return map;
      }
    }
  }
  return undefined;
}
