import * as A from '../../ir/affine.ts';
import type { Axis, Compute, Expr, Index, Out } from '../../ir/compute.ts';
import * as D from '../../ir/dim.ts';
import * as E from '../../ir/expr.ts';
import type { Value } from '../../ir/graph.ts';
import { indexAtReduced, readsAtReduced } from './addresses.ts';
import { computeLoads, mapCompute } from './definition.ts';
import { bindingCount, type Group, type Grouping, rootOf } from './group.ts';
import { pairwise } from './pairwise.ts';
import { type Pool, SlotQueue, some } from './pool.ts';

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
