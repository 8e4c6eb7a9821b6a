import * as A from '../../ir/affine.ts';
import type { Axis, Compute, Expr, Index, Out, Reduce } from '../../ir/compute.ts';
import * as D from '../../ir/dim.ts';
import * as E from '../../ir/expr.ts';
import type { Value } from '../../ir/graph.ts';
import { pair } from '../../ir/monoid.ts';
import type { Target } from '../../ir/target.ts';
import { indexAtReduced, readsAtReduced } from './addresses.ts';
import { computeLoads, mapCompute } from './definition.ts';
import { bindingCount, boundBuffers, type Group, type Grouping, rootOf } from './group.ts';
import { type Pool, SlotQueue, some } from './pool.ts';

/** Remembers what two groups make together: the same ones meet again and again, and groups do not change. */
function pairwise(
  join: (a: Group, b: Group, grouping: Grouping) => Compute | undefined,
): (a: Group, b: Group, grouping: Grouping) => Compute | undefined {
  const known = new WeakMap<Group, WeakMap<Group, { readonly made: Compute | undefined }>>();
  return (a, b, grouping) => {
    if (a.loop || b.loop) return undefined;
    let row = known.get(a);
    if (!row) known.set(a, (row = new WeakMap()));
    let entry = row.get(b);
    if (!entry) row.set(b, (entry = { made: join(a, b, grouping) }));
    return entry.made;
  };
}

const joinedMap = pairwise((a, b, grouping) => joinMap(a, b, grouping));

/**
 * Consumers into their producers: a map whose element is made from the same element of a producer's out joins the
 * producer's kernel (bias, activation, optimiser update, backward mask). Each call of the result merges the first
 * consumer that can be; false when there is none. Only consumers that a change touches are tried again.
 */
export function epilogueMerger(
  pool: Pool,
  grouping: Grouping,
  outputs: ReadonlySet<Value>,
  maxBindings: number,
): () => boolean {
  const open = new SlotQueue();
  /** Consumers that would join a producer, were it not for the bindings or the order: others' changes matter to them. */
  const blocked = new Set<Group>();
  pool.watch(slots => {
    for (const slot of slots) {
      open.add(slot);
      for (const v of pool.at(slot)?.values ?? [])
        for (const reader of pool.readers(v)) if (blocked.has(reader)) open.add(pool.slotOf(reader));
    }
  });

  const mergeInto = (consumer: Group, late: number): boolean => {
    if (consumer.compute.reduce || consumer.compute.outs.some(o => o.keep)) return false;
    const producers = new Set<Group>();
    for (const v of pool.reads(consumer)) {
      const maker = pool.maker(v);
      if (maker) producers.add(maker);
    }
    const ranked = [...producers].sort(
      (x, y) => Number(!!y.compute.reduce) - Number(!!x.compute.reduce) || pool.slotOf(y) - pool.slotOf(x),
    );
    for (const producer of ranked) {
      const compute = joinedMap(producer, consumer, grouping);
      if (!compute) continue;
      const values = [...producer.values, ...consumer.values];
      // A value must still be stored when the two are one if it is an output, or read by someone else.
      const stored = values.filter(
        v => outputs.has(v) || some(pool.readers(v), g => g !== producer && g !== consumer),
      );
      const early = pool.slotOf(producer);
      const place = pool.mergedPlace(early, late);
      const isNeeded = (target: Value): boolean =>
        some(pool.readers(target), g => g !== consumer && pool.slotOf(g) > place!);
      const tooMany = (): boolean => bindingCount(compute, stored, grouping, isNeeded) > maxBindings;
      if (place === undefined || tooMany()) {
        blocked.add(consumer);
        continue;
      }
      pool.merge(early, late, place, { compute, values, nodes: [...producer.nodes, ...consumer.nodes] });
      return true;
    }
    return false;
  };

  return () => {
    for (let slot = open.take(); slot !== undefined; slot = open.take()) {
      const consumer = pool.at(slot);
      if (!consumer) continue;
      blocked.delete(consumer);
      if (mergeInto(consumer, slot)) return true;
    }
    return false;
  };
}

/** The consumer's outs over the producer's axes, if it reads the producer's values only at its own position. */
function joinMap(producer: Group, consumer: Group, grouping: Grouping): Compute | undefined {
  const { axes, outs: made } = producer.compute;
  if (made.some(o => o.keep)) return undefined;
  const own = consumer.compute.axes;
  if (!D.equal(D.product(axes.map(a => a.extent)), D.product(own.map(a => a.extent)))) return undefined;
  for (const at of [sameOrder(axes, own), ...permutations(producer, consumer, grouping)]) {
    const position = new Map<Axis, Index>(own.map((a, i) => [a, at[i]!]));
    const axis = (a: Axis): Index | undefined => position.get(a);
    if (readsElsewhere(producer, consumer, grouping, axis)) continue;
    let fits = true;
    const joined = mapCompute(consumer.compute, {
      known: new Map(),
      axis,
      load: (load): Expr => {
        const value = grouping.values.get(load.input)!;
        const from = producer.values.indexOf(rootOf(value, grouping.views));
        if (from < 0) return load;
        const read = A.flatten(load.at, value.type.shape);
        if (load.guard || A.indexKey(read) !== placeKey(producer, from)) fits = false;
        return made[from]!.value;
      },
    });
    if (!fits) continue;
    if (
      producer.compute.reduce &&
      joined.outs.some(o => readsAtReduced(o.value) || o.at?.some(indexAtReduced))
    )
      continue;
    const inOrder = at.length === axes.length && at.every((x, i) => x.kind === 'axis' && x.axis === axes[i]);
    const outs = joined.outs.map((out): Out => (inOrder || out.at ? out : { ...out, at }));
    return { ...producer.compute, outs: [...made, ...outs] };
  }
  return undefined;
}

/** Where the producer stores a value, as a row-major position. */
function placeKey({ compute: { axes, outs } }: Group, value: number): string {
  const { at, type } = outs[value]!;
  return A.indexKey(A.flatten(at ?? axes.map(A.index), type.shape));
}

/** Whether a load says so by its indices alone. Most pairs do not fit, and the whole expression may be large. */
function readsElsewhere(
  producer: Group,
  consumer: Group,
  grouping: Grouping,
  axis: (a: Axis) => Index | undefined,
): boolean {
  return computeLoads(consumer.compute).some(load => {
    const value = grouping.values.get(load.input)!;
    const from = producer.values.indexOf(rootOf(value, grouping.views));
    if (from < 0 || load.at.some(isComputed)) return false;
    const read = load.at.map(x => E.mapIndex(x, { axis }));
    return A.indexKey(A.flatten(read, value.type.shape)) !== placeKey(producer, from);
  });
}

function isComputed(x: Index): boolean {
  return x.kind === 'value' || (x.kind === 'op' && (isComputed(x.a) || isComputed(x.b)));
}

/** Both run over the same row-major positions; equal extents map axis to axis. */
function sameOrder(axes: readonly Axis[], own: readonly Axis[]): Index[] {
  const same = axes.length === own.length && axes.every((a, i) => D.equal(a.extent, own[i]!.extent));
  if (same) return axes.map(A.index);
  const flat = A.flatten(
    axes.map(A.index),
    axes.map(a => a.extent),
  );
  return A.unflatten(
    flat,
    own.map(a => a.extent),
  );
}

/** Positions read off loads of the producer whose indices are the consumer's axes in another order (transpose). */
function permutations(producer: Group, consumer: Group, grouping: Grouping): Index[][] {
  const { axes } = producer.compute;
  const own = consumer.compute.axes;
  return computeLoads(consumer.compute).flatMap(load => {
    const from = producer.values.indexOf(grouping.values.get(load.input)!);
    if (from < 0) return [];
    const stored = producer.compute.outs[from]!.at ?? axes.map(A.index);
    const position = new Map<Axis, Index>();
    load.at.forEach((x, i) => {
      if (x.kind === 'axis') position.set(x.axis, stored[i]!);
    });
    const at = own.map(a => position.get(a) ?? (D.isConstant(a.extent, 1) ? A.index(0) : undefined));
    return at.every(x => x !== undefined) ? [at as Index[]] : [];
  });
}

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
