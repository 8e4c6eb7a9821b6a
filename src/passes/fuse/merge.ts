import * as A from '../../ir/affine.ts';
import type { Axis, Compute, Expr, Index, Out, Reduce } from '../../ir/compute.ts';
import * as D from '../../ir/dim.ts';
import type { Value } from '../../ir/graph.ts';
import { pair } from '../../ir/monoid.ts';
import { computeLoads, mapCompute, placesRead } from './definition.ts';
import { bindingCount, type Group, type Grouping, groupReads, rootOf } from './group.ts';

const readSets = new WeakMap<Group, ReadonlySet<Value>>();

/** Roots of everything a group reads. Groups do not change: what is merged becomes a new one. */
function reads(group: Group, grouping: Grouping): ReadonlySet<Value> {
  let found = readSets.get(group);
  if (!found) readSets.set(group, (found = findReads(group, grouping)));
  return found;
}

/** Remembers what two groups make together: passes over all pairs meet the same ones again and again. */
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
const joinedSiblings = pairwise((a, b, g) => joinReduction(a, b, g) ?? joinMaps(a, b, g));

function findReads(group: Group, grouping: Grouping): Set<Value> {
  return new Set(groupReads(group).map(id => rootOf(grouping.values.get(id)!, grouping.views)));
}

/**
 * Where two groups may stand as one: at the later place if nothing between reads the earlier one's values,
 * at the earlier place if everything the later one reads is there by then. Undefined: nowhere.
 */
function mergedPlace(
  groups: readonly Group[],
  early: number,
  late: number,
  grouping: Grouping,
): number | undefined {
  const made = new Set(groups[early]!.values);
  const between = groups.slice(early + 1, late);
  if (!between.some(g => [...reads(g, grouping)].some(v => made.has(v)))) return late;
  const madeBetween = new Set(between.flatMap(g => g.values));
  if (![...reads(groups[late]!, grouping)].some(v => madeBetween.has(v))) return early;
  return undefined;
}

function replace(groups: Group[], early: number, late: number, place: number, merged: Group): void {
  groups[place] = merged;
  groups.splice(place === late ? early : late, 1);
}

/**
 * Consumers into their producers: a map whose element is made from the same element of a producer's out joins the
 * producer's kernel (bias, activation, optimiser update, backward mask).
 */
export function mergeEpilogues(
  grouping: Grouping,
  outputs: ReadonlySet<Value>,
  maxBindings: number,
): boolean {
  const { groups } = grouping;
  const readers = new Map<Value, Group[]>();
  for (const g of groups) for (const v of reads(g, grouping)) readers.set(v, [...(readers.get(v) ?? []), g]);
  /** Whether a value must still be stored when the two are one: an output, or read by someone else. */
  const isNeeded = (v: Value, ...merged: readonly Group[]): boolean =>
    outputs.has(v) || (readers.get(v) ?? []).some(g => !merged.includes(g));
  for (let late = 0; late < groups.length; late++) {
    const consumer = groups[late]!;
    if (consumer.compute.reduce || consumer.compute.outs.some(o => o.keep)) continue;
    const sources = reads(consumer, grouping);
    const producers = groups
      .map((g, i) => ({ g, i }))
      .filter(({ g, i }) => i < late && g.values.some(v => sources.has(v)))
      .sort((x, y) => Number(!!y.g.compute.reduce) - Number(!!x.g.compute.reduce) || y.i - x.i);
    for (const { g: producer, i: early } of producers) {
      const compute = joinedMap(producer, consumer, grouping);
      if (!compute) continue;
      const values = [...producer.values, ...consumer.values];
      const stored = values.filter(v => isNeeded(v, producer, consumer));
      if (bindingCount(compute, stored, grouping) > maxBindings) continue;
      const place = mergedPlace(groups, early, late, grouping);
      if (place === undefined) continue;
      replace(groups, early, late, place, { compute, values, nodes: [...producer.nodes, ...consumer.nodes] });
      return true;
    }
  }
  return false;
}

/** The consumer's outs over the producer's axes, if it reads the producer's values only at its own position. */
function joinMap(producer: Group, consumer: Group, grouping: Grouping): Compute | undefined {
  const { axes, outs: made } = producer.compute;
  if (made.some(o => o.keep)) return undefined;
  // What a fold gives is known after it, as a value: it cannot also say where something is read.
  const places = producer.compute.reduce ? placesRead(consumer.compute) : undefined;
  if (
    places &&
    producer.values.some(v => [...places].some(id => rootOf(grouping.values.get(id)!, grouping.views) === v))
  )
    return undefined;
  const own = consumer.compute.axes;
  if (!D.equal(D.product(axes.map(a => a.extent)), D.product(own.map(a => a.extent)))) return undefined;
  for (const at of [sameOrder(axes, own), ...permutations(producer, consumer, grouping)]) {
    const position = new Map<Axis, Index>(own.map((a, i) => [a, at[i]!]));
    let fits = true;
    const joined = mapCompute(consumer.compute, {
      axis: a => position.get(a),
      load: (load): Expr => {
        const value = grouping.values.get(load.input)!;
        const from = producer.values.indexOf(rootOf(value, grouping.views));
        if (from < 0) return load;
        const out = made[from]!;
        const stored = A.flatten(out.at ?? axes.map(A.index), out.type.shape);
        const read = A.flatten(load.at, value.type.shape);
        if (load.guard || A.indexKey(read) !== A.indexKey(stored)) fits = false;
        return out.value;
      },
    });
    if (!fits) continue;
    const inOrder = at.length === axes.length && at.every((x, i) => x.kind === 'axis' && x.axis === axes[i]);
    const outs = joined.outs.map((out): Out => (inOrder || out.at ? out : { ...out, at }));
    return { ...producer.compute, outs: [...made, ...outs] };
  }
  return undefined;
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
 * stored where the axes it lacks are 0 (bias gradient beside the weight gradient, loss beside accuracy).
 */
export function mergeSiblings(grouping: Grouping, maxBindings: number): boolean {
  const { groups } = grouping;
  for (let i = 0; i < groups.length; i++)
    for (let j = i + 1; j < groups.length; j++)
      for (const [big, small] of [
        [groups[i]!, groups[j]!],
        [groups[j]!, groups[i]!],
      ] as const) {
        const compute = joinedSiblings(big, small, grouping);
        if (!compute) continue;
        const values = [...big.values, ...small.values];
        if (bindingCount(compute, values, grouping) > maxBindings) continue;
        const madeByFirst = new Set(groups[i]!.values);
        if ([...reads(groups[j]!, grouping)].some(v => madeByFirst.has(v))) continue;
        const place = mergedPlace(groups, i, j, grouping);
        if (place === undefined) continue;
        replace(groups, i, j, place, { compute, values, nodes: [...big.nodes, ...small.nodes] });
        return true;
      }
  return false;
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

function joinReduction(big: Group, small: Group, grouping: Grouping): Compute | undefined {
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
    const root = rootOf(grouping.values.get(load.input)!, grouping.views);
    for (const other of aLoads) {
      const otherValue = grouping.values.get(other.input)!;
      const value = grouping.values.get(load.input)!;
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
      const targets = new Set([...map.values()].map(A.indexKey));
      if (
        plain &&
        targets.size === map.size &&
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
