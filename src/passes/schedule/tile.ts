import * as A from '../../ir/affine.ts';
import type { Axis, Compute, Expr, Index, Monoid, Out } from '../../ir/compute.ts';
import * as D from '../../ir/dim.ts';
import * as E from '../../ir/expr.ts';
import type { KExpr } from '../../ir/kernel.ts';
import { neverHolds } from '../../ir/predicate.ts';
import type { Work } from '../../ir/program.ts';
import { blockedLoops } from './blocked.ts';
import { conditionsOf } from './conditions.ts';
import type { Emitter } from './emitter.ts';
import { overGrid, overSubgroups, type Tiled, tileAxis } from './grid.ts';
import * as K from './kexpr.ts';
import { Sharing } from './share.ts';

/**
 * Register tiles: every invocation computes a small block of outputs and keeps all its accumulators in registers.
 *
 *     for each point of the axes                     for each tile of the axes (one invocation)
 *       for each point of the reduction       ->       for the outer part of the reduction
 *         acc = merge(acc, lift)                          load what the block needs, once
 *       out = value(acc)                                  acc[0..] = merge(...) for the unrolled inner part
 *                                                       out[0..] = value(acc[0..])
 */
export interface TileChoice {
  /** Outputs of one invocation along each axis; 1 where absent. */
  readonly tile: ReadonlyMap<Axis, number>;
  /** How many points of a reduction axis stand in straight-line code; must divide its extent. 1 where absent. */
  readonly unroll: ReadonlyMap<Axis, number>;
  readonly workgroupSize: number;
  /** Axes of which all invocations of a workgroup have the same point: loads that depend on no other are shared out. */
  readonly shared?: ReadonlySet<Axis>;
}

/** One independent part of the reduction: some components, and the axes that its values depend on. */
export interface Part {
  readonly monoid: Monoid;
  readonly first: number;
  readonly lift: readonly Expr[];
  readonly axes: ReadonlySet<Axis>;
}

export function emitTiles(emitter: Emitter, work: Work, compute: Compute, choice: TileChoice): D.Dim {
  const tiles = compute.axes.map(axis => tileAxis(axis, choice.tile.get(axis) ?? 1));
  const { shared, workgroupSize } = choice;
  if (shared) {
    const accumulators = new Map<string, KExpr>();
    const isShared = (t: Tiled): boolean => shared.has(t.axis);
    const own = tiles.filter(t => !isShared(t));
    return overSubgroups(emitter, tiles.filter(isShared), own, workgroupSize, inside => {
      emitReduction(emitter, compute, tiles, choice, accumulators);
      const stores = emitter.block(() => emitOutputs(emitter, work, compute, tiles, accumulators));
      if (inside) emitter.push({ kind: 'if', condition: inside, then: stores });
      else for (const s of stores) emitter.push(s);
    });
  }
  return overGrid(emitter, tiles, workgroupSize, () => {
    const accumulators = new Map<string, KExpr>();
    if (compute.reduce) emitReduction(emitter, compute, tiles, choice, accumulators);
    emitOutputs(emitter, work, compute, tiles, accumulators);
  });
}

/** The independent parts of a reduction. */
export function parts(compute: Compute): Part[] {
  const { monoid, lift, guard } = compute.reduce!;
  let first = 0;
  return (monoid.parts ?? [monoid]).map(part => {
    const own = lift.slice(first, first + part.types.length);
    const axes = new Set<Axis>();
    const note = { axis: (a: Axis): void => void axes.add(a) };
    for (const e of own) E.visitExpr(e, note);
    if (guard) E.visitPredicate(guard, note);
    const made = { monoid: part, first, lift: own, axes };
    first += part.types.length;
    return made;
  });
}

/** Offsets of the block's elements, in row-major order. */
export function elements(sizes: readonly number[]): number[][] {
  return sizes.reduce<number[][]>(
    (list, size) => list.flatMap(at => Array.from({ length: size }, (_, i) => [...at, i])),
    [[]],
  );
}

/** What tells accumulators apart: elements that differ only along axes which the part ignores have the same. */
export function accumulatorKey(
  component: number,
  part: Part,
  axes: readonly Axis[],
  at: readonly number[],
): string {
  return `${component}:${at.map((x, i) => (part.axes.has(axes[i]!) ? x : 0)).join()}`;
}

function emitReduction(
  emitter: Emitter,
  compute: Compute,
  tiles: readonly Tiled[],
  choice: TileChoice,
  accumulators: Map<string, KExpr>,
): void {
  const reduce = compute.reduce!;
  const all = parts(compute);
  const block = elements(tiles.map(t => t.size));
  // What is handed around is used up before the next is.
  if (choice.shared) {
    const first = tiles.flatMap((t, i) => (choice.shared!.has(t.axis) ? [i] : []));
    const rank = (at: readonly number[]): number => first.reduce((n, i) => n * tiles[i]!.size + at[i]!, 0);
    block.sort((a, b) => rank(a) - rank(b));
  }

  // One variable per component and distinct element; a part that ignores an axis is not repeated along it.
  const points: { part: Part; at: readonly number[]; variables: Extract<KExpr, { kind: 'ref' }>[] }[] = [];
  for (const part of all)
    for (const at of block) {
      const key = accumulatorKey(part.first, part, compute.axes, at);
      if (accumulators.has(key)) continue;
      const variables = part.monoid.types.map((_, c) => {
        const suffix =
          at.length > 0 && block.length > 1 ? `_${at.filter((_, i) => tiles[i]!.size > 1).join('_')}` : '';
        const variable = emitter.variable(`${part.monoid.name}${suffix}`, emitter.expr(part.monoid.zero[c]!));
        accumulators.set(accumulatorKey(part.first + c, part, compute.axes, at), variable);
        return variable;
      });
      points.push({ part, at, variables });
    }

  const inner = reduce.axes.map(axis => {
    const unroll = choice.unroll.get(axis) ?? 1;
    const extent = D.constantValue(axis.extent);
    if (unroll > 1 && unroll === extent) return { axis, unroll, counter: undefined, base: A.index(0) };
    const counter: Axis = unroll === 1 ? axis : { name: axis.name, extent: D.constant(extent! / unroll) };
    return { axis, unroll, counter, base: A.mul(counter, unroll) };
  });
  const taps = elements(inner.map(r => r.unroll));

  const own = choice.shared && movingAxes(tiles.filter(t => !choice.shared!.has(t.axis)));
  const sharing = own && new Sharing(emitter, compute, own, new Map([...choice.tile, ...choice.unroll]));
  const lifts = new Map(all.map(p => [p, sharing ? p.lift.map(e => sharing.withoutShared(e)) : p.lift]));

  // Without these a term adds nothing.
  const needed = conditionsOf(reduce, () => true).conditions;

  const totals = points.flatMap(p => (isFloatSum(p.part.monoid) ? p.variables : []));
  const body = (current: readonly KExpr[]): void => {
    let next = 0;
    const turn = sharing?.turn();
    for (const { part, at, variables: all } of points) {
      const variables = isFloatSum(part.monoid) ? [current[next++] as (typeof all)[number]] : all;
      let values: KExpr[] = variables;
      for (const tap of taps) {
        const position = new Map<Axis, Index>();
        compute.axes.forEach((axis, i) => void position.set(axis, A.add(tiles[i]!.base, at[i]!)));
        inner.forEach((r, i) => void position.set(r.axis, A.add(r.base, tap[i]!)));
        const offsets = new Map<Axis, number>();
        compute.axes.forEach((axis, i) => void offsets.set(axis, at[i]!));
        inner.forEach((r, i) => void offsets.set(r.axis, tap[i]!));
        const map = { axis: (a: Axis) => position.get(a) };
        const guard = reduce.guard && E.mapPredicate(reduce.guard, map);
        if (guard && neverHolds(guard)) continue;
        if (neverHolds(E.mapPredicate(needed, map))) continue;
        const condition = guard && guard.length > 0 ? emitter.predicate(guard) : undefined;
        const lifted = lifts.get(part)!.map((e, c) => {
          const value = emitter.expr(E.mapExpr(e, map), turn?.(position, offsets));
          return condition ? K.select(condition, value, emitter.expr(part.monoid.zero[c]!)) : value;
        });
        values = merge(emitter, part.monoid, values, lifted);
      }
      variables.forEach((v, c) => {
        if (values[c] !== v) emitter.push({ kind: 'assign', name: v.name, value: values[c]! });
      });
    }
  };
  const counters = inner.flatMap(r => r.counter ?? []);
  blockedLoops(emitter, counters, taps.length, totals, body);
}

/** The axes that tell tiles apart. */
function movingAxes(tiles: readonly Tiled[]): Set<Axis> {
  const axes = new Set<Axis>();
  for (const { base } of tiles) E.visitIndex(base, { axis: a => void axes.add(a) });
  return axes;
}

/** A sum of f32, which loses digits where it is long. */
export const isFloatSum = ({ name, types }: Monoid): boolean => name === 'sum' && types[0] === 'f32';

/** merge(a, b); with several components the operands get names first, since each result uses all of them. */
export function merge(emitter: Emitter, monoid: Monoid, a: readonly KExpr[], b: readonly KExpr[]): KExpr[] {
  const single = monoid.types.length === 1;
  const right = single ? b : b.map(e => emitter.bind('next', e));
  const side = (from: number): Expr[] =>
    monoid.types.map((dtype, i) => ({ kind: 'reduced', dtype, component: from + i }));
  const size = monoid.types.length;
  const merged = monoid.merge(side(0), side(size));
  const values = emitter.exprs(merged, c => (c < size ? a[c]! : right[c - size]!));
  return single ? values : values.map(v => emitter.bind('best', v));
}

/** Values and stores of every element of the block. */
function emitOutputs(
  emitter: Emitter,
  work: Work,
  compute: Compute,
  tiles: readonly Tiled[],
  accumulators: ReadonlyMap<string, KExpr>,
): void {
  const all = compute.reduce ? parts(compute) : [];
  for (const at of elements(tiles.map(t => t.size))) {
    const position = new Map<Axis, Index>();
    compute.axes.forEach((axis, i) => void position.set(axis, A.add(tiles[i]!.base, at[i]!)));
    const map = { axis: (a: Axis) => position.get(a) };
    const reduced = (component: number): KExpr => {
      const part = all.find(p => component >= p.first && component < p.first + p.monoid.types.length)!;
      return accumulators.get(accumulatorKey(component, part, compute.axes, at))!;
    };
    storeAll(emitter, work, compute.outs, compute.axes, map, reduced);
  }
}

/** Stores every out at one point. Those that are kept on some axes only stand under a condition. */
export function storeAll(
  emitter: Emitter,
  work: Pick<Work, 'outputs'>,
  outs: readonly Out[],
  axes: readonly Axis[],
  map: E.ExprMap,
  reduced?: (component: number) => KExpr,
): void {
  const whole = outs.map((out, i) => ({ out, tensor: work.outputs[i]! }));
  const free = whole.filter(o => !o.out.keep);
  const values = emitter.exprs(
    free.map(o => E.mapExpr(o.out.value, map)),
    reduced,
  );
  const named = values.map((v, i) => emitter.bind(free[i]!.tensor.name, v));

  // Every value is read before anything is stored: an output may stand in the memory of an input.
  const kept = whole.filter(o => o.out.keep);
  const groups = new Map<string, typeof kept>();
  for (const o of kept) {
    const key = o.out.keep!.map(a => axes.indexOf(a)).join();
    groups.set(key, [...(groups.get(key) ?? []), o]);
  }
  for (const group of groups.values()) {
    const { keep } = group[0]!.out;
    const others = axes.filter(a => !keep!.includes(a));
    const guard = E.mapPredicate(
      others.map(a => ({ op: 'eq', a: A.index(a), b: A.index(0) })),
      map,
    );
    if (neverHolds(guard)) continue;
    const condition = guard.length > 0 ? emitter.predicate(guard) : undefined;
    const then = emitter.block(() => {
      const list = emitter.exprs(
        group.map(o => E.mapExpr(o.out.value, map)),
        reduced,
      );
      const bound = list.map((v, i) => emitter.bind(group[i]!.tensor.name, v));
      group.forEach(({ out, tensor }, i) => {
        const at = (out.at ?? keep!.map(A.index)).map(x => E.mapIndex(x, map));
        emitter.store(tensor, at, bound[i]!);
      });
    });
    if (condition) emitter.push({ kind: 'if', condition, then });
    else for (const s of then) emitter.push(s);
  }
  free.forEach(({ out, tensor }, i) => {
    const at = out.at ? out.at.map(x => E.mapIndex(x, map)) : axes.map(a => map.axis?.(a) ?? A.index(a));
    emitter.store(tensor, at, named[i]!);
  });
}
