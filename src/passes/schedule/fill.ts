import * as A from '../../ir/affine.ts';
import type { Axis, Compute, Expr, Index } from '../../ir/compute.ts';
import type { Dim } from '../../ir/dim.ts';
import * as D from '../../ir/dim.ts';
import * as E from '../../ir/expr.ts';
import type { KExpr } from '../../ir/kernel.ts';
import { storageOf, type Work } from '../../ir/program.ts';
import { loadsOf } from '../fuse/definition.ts';
import type { Emitter } from './emitter.ts';
import { nominalValue } from './grid.ts';
import * as K from './kexpr.ts';

/** Axes as one number, and back. */
export interface Flat {
  readonly axes: readonly Axis[];
  readonly total: Dim;
}

export const flat = (axes: readonly Axis[]): Flat => ({ axes, total: D.product(axes.map(a => a.extent)) });

/** How neighbouring invocations read a factor on its way into workgroup memory. */
export interface FillOrder {
  /** Along the reduction, where memory runs along it; along the side otherwise. */
  readonly alongDepth: boolean;
  /** The innermost axes, taken as one, of which an invocation reads four points at a time; none where it reads one. */
  readonly fours?: readonly Axis[];
  /** Inputs of which such four are one vector in memory. */
  readonly aligned: ReadonlySet<number>;
}

type Load = Extract<Expr, { kind: 'load' }>;

/** The order that suits a factor; `fours` says whether points are to be taken four at a time where that is possible. */
export function fillOrder(
  work: Work,
  compute: Compute,
  factor: Expr,
  side: readonly Axis[],
  fours: boolean,
): FillOrder {
  const loads = loadsOf([factor]);
  const depth = compute.reduce!.axes;
  const alongDepth = loads.some(load => runOf(compute, load, depth).length >= 8);
  const axes = alongDepth ? depth : side;
  if (!fours) return { alongDepth, aligned: new Set() };
  // As many axes as make vectors of all memory; what is gathered goes along the innermost.
  const groups = suffixes(axes).filter(group => isFourfold(points(group)));
  const isWhole = (load: Load, group: readonly Axis[]): boolean =>
    isAligned(work, compute, load, group) || !dependsOn(load, group);
  const group =
    groups.findLast(g => loads.every(load => isWhole(load, g))) ??
    groups.find(g => g.filter(a => !isSingle(a)).length === 1);
  if (!group) return { alongDepth, aligned: new Set() };
  const aligned = new Set(loads.map(l => l.input));
  for (const load of loads) if (!isAligned(work, compute, load, group)) aligned.delete(load.input);
  return { alongDepth, fours: group, aligned };
}

/** Inputs that lie in vectors: whatever either factor reads of them is a whole vector. */
export function inputsInVectors(work: Work, factors: readonly (readonly [Expr, FillOrder])[]): number[] {
  const reads = factors.flatMap(([factor, order]) =>
    loadsOf([factor]).map(l => ({ storage: storageOf(work.inputs[l.input]!), order, input: l.input })),
  );
  const whole = reads.filter(r => r.order.aligned.has(r.input));
  return [
    ...new Set(
      whole
        .filter(r =>
          reads.every(other => other.storage !== r.storage || other.order.aligned.has(other.input)),
        )
        .map(r => r.input),
    ),
  ];
}

const isSingle = (axis: Axis): boolean => D.isConstant(axis.extent, 1);
const isFourfold = (d: Dim): boolean => D.divideExact(d, D.constant(4)) !== undefined;
const points = (axes: readonly Axis[]): Dim => D.product(axes.map(a => a.extent));

/** The innermost axis, the two innermost, and so on. */
const suffixes = (axes: readonly Axis[]): (readonly Axis[])[] =>
  axes.map((_, i) => axes.slice(axes.length - 1 - i));

/** The steps of a load's address where some axes are one, which comes along. */
function stepsOf(
  compute: Compute,
  load: Load,
  group: readonly Axis[],
): ReturnType<typeof A.axisCoefficients> & { readonly one: Axis } {
  const one: Axis = { name: 'one', extent: points(group) };
  const within = A.unflatten(
    A.index(one),
    group.map(a => a.extent),
  );
  const positions = new Map(group.map((a, i) => [a, within[i]!]));
  const at = load.at.map(x => E.mapIndex(x, { axis: a => positions.get(a) }));
  return { ...A.axisCoefficients(A.flatten(at, compute.inputs[load.input]!.shape)), one };
}

/** Whether memory goes one element on with each point of these axes, taken as one. */
function isAlong(compute: Compute, load: Load, group: readonly Axis[]): boolean {
  const { axes, rest, one } = stepsOf(compute, load, group);
  const step = axes.get(one);
  let mixed = false;
  E.visitIndex(rest, { axis: a => void (mixed ||= a === one) });
  return step !== undefined && D.isConstant(step, 1) && !mixed;
}

function dependsOn(load: Load, group: readonly Axis[]): boolean {
  let found = false;
  E.visitExpr(load, { axis: a => void (found ||= group.includes(a)) });
  return found;
}

/** The innermost axes that memory goes along, and how many points they have. */
function runOf(
  compute: Compute,
  load: Load,
  axes: readonly Axis[],
): { readonly group: readonly Axis[]; readonly length: number } {
  const group = suffixes(axes).findLast(g => isAlong(compute, load, g)) ?? [];
  return { group, length: group.length === 0 ? 0 : nominalValue(points(group)) };
}

/** Whether four points from a multiple of 4 on are a vector of a tensor's memory, none outside where another is not. */
function isAligned(work: Work, compute: Compute, load: Load, group: readonly Axis[]): boolean {
  const tensor = work.inputs[load.input]!;
  const { type } = storageOf(tensor);
  if (tensor.role === 'scalar' || tensor.role === 'key') return false;
  if (type.dtype === 'u8' || type.dtype === 'bool' || !isFourfold(D.product(type.shape))) return false;
  if (!isAlong(compute, load, group)) return false;
  const { axes, rest, one } = stepsOf(compute, load, group);
  if (rest.kind !== 'dim' || !isFourfold(rest.dim)) return false;
  if ([...axes].some(([axis, by]) => axis !== one && !isSingle(axis) && !isFourfold(by))) return false;
  let guarded = false;
  if (load.guard) E.visitPredicate(load.guard, { axis: a => void (guarded ||= group.includes(a)) });
  return !guarded;
}

/** Where a slice of one factor goes. */
export interface FillPlace {
  readonly array: string;
  /** Points of the side in a block, and elements from one point of the reduction to the next. */
  readonly width: number;
  readonly pitch: number;
}

/** The two flat axes that a fill runs over, and where a block starts on the first. */
export interface FillAxes {
  readonly side: Flat;
  readonly start: KExpr;
  readonly depth: Flat;
  readonly batch: ReadonlyMap<Axis, Index>;
}

/** How many reads an invocation does for one slice; not whole where they do not come out even. */
export const readsOf = (
  width: number,
  depth: number,
  threads: number,
  { fours, alongDepth }: FillOrder,
): number =>
  // Whole groups of four have to lie along the fast direction.
  fours && (alongDepth ? depth : width) % 4 !== 0
    ? Number.NaN
    : (width * depth) / (threads * (fours ? 4 : 1));

/**
 * The reads of one invocation for one slice. `load` emits them for a slice and gives what puts them into workgroup memory,
 * `offset` elements from its start: loads can then wait while something else is done.
 */
export class Fill {
  readonly #emitter: Emitter;
  readonly #factor: Expr;
  readonly #order: FillOrder;
  readonly #place: FillPlace;
  readonly #axes: FillAxes;
  readonly #slice: number;
  readonly #points: readonly {
    sideAt: KExpr;
    depthAt: KExpr;
    side: ReadonlyMap<Axis, Index>;
    guards: KExpr[];
  }[];
  readonly #lane: Axis = { name: 'lane', extent: D.constant(4) };

  /** `slice` is how many points of the reduction a slice has. */
  constructor(
    emitter: Emitter,
    factor: Expr,
    order: FillOrder,
    place: FillPlace,
    axes: FillAxes,
    { slice, threads }: { readonly slice: number; readonly threads: number },
  ) {
    this.#emitter = emitter;
    this.#factor = factor;
    this.#order = order;
    this.#place = place;
    this.#axes = axes;
    this.#slice = slice;
    const by = order.fours ? 4 : 1;
    const fast = (order.alongDepth ? slice : place.width) / by;
    // What does not change from slice to slice is worked out once.
    this.#points = Array.from({ length: readsOf(place.width, slice, threads, order) }, (_, turn) => {
      const [fastAt, slowAt] = this.#turn(turn * threads, fast, threads);
      const inFast = K.scale(fastAt, by);
      const inSlow = slowAt;
      const sideAt = order.alongDepth ? inSlow : inFast;
      const at = emitter.bind('side', K.sum([axes.start, sideAt]));
      return {
        sideAt,
        depthAt: order.alongDepth ? inFast : inSlow,
        side: this.#positions(axes.side, at, true),
        guards: bound(emitter, axes.side.total, place.width, at),
      };
    });
  }

  /**
   * Which of `fast` places in a line invocation `local` takes, and of which line, when `done` are taken before. Where lines and
   * invocations divide each other, what is the same in all turns is worked out once.
   */
  #turn(done: number, fast: number, threads: number): [place: KExpr, line: KExpr] {
    const emitter = this.#emitter;
    const local = K.builtin('local');
    const place = (e: KExpr): KExpr => emitter.bind('e_fast', K.binary('mod', e, K.int(fast)));
    const line = (e: KExpr): KExpr => emitter.bind('e_slow', K.binary('floordiv', e, K.int(fast)));
    if (threads % fast === 0) return [place(local), K.sum([line(local), K.int(done / fast)])];
    if (fast % threads === 0) return [K.sum([local, K.int(done % fast)]), K.int(Math.floor(done / fast))];
    const e = emitter.bind('e', K.sum([local, K.int(done)]));
    return [place(e), line(e)];
  }

  /** Where the axes of a flat one are; `named` gives each a name here and now. */
  #positions(all: Flat, at: KExpr, named: boolean): Map<Axis, Index> {
    const { fours = [], alongDepth } = this.#order;
    const group = all === (alongDepth ? this.#axes.depth : this.#axes.side) ? fours : [];
    const one: Axis = { name: group.at(-1)?.name ?? 'one', extent: points(group) };
    const apart = all.axes.filter(a => !group.includes(a));
    const found = placeOf(this.#emitter, group.length > 0 ? flat([...apart, one]) : all, at);
    if (named)
      for (const [axis, position] of found) {
        if (position.kind === 'dim') continue;
        const own: Axis = { name: axis.name, extent: axis.extent };
        this.#emitter.setAxis(own, this.#emitter.bind(axis.name, this.#emitter.index(position)));
        found.set(axis, A.index(own));
      }
    if (group.length === 0) return found;
    const within = A.unflatten(
      A.add(found.get(one)!, A.index(this.#lane)),
      group.map(a => a.extent),
    );
    group.forEach((axis, i) => void found.set(axis, within[i]!));
    return found;
  }

  /** `beyond`: the slice may lie past the last one, where all is 0. */
  load(slice: KExpr, beyond = false): (offset: KExpr) => void {
    const emitter = this.#emitter;
    const { depth, batch } = this.#axes;
    const puts = this.#points.map(({ sideAt, depthAt, side, guards }) => {
      const at = emitter.bind('depth', K.sum([K.scale(slice, this.#slice), depthAt]));
      const positions = new Map([...batch, ...side, ...this.#positions(depth, at, false)]);
      // The flat positions may lie past the end; the guards send those loads to element 0 and make them 0.
      const conditions = [
        ...guards,
        ...(beyond
          ? [K.binary('lt', at, emitter.dim(depth.total))]
          : bound(emitter, depth.total, this.#slice, at)),
      ];
      const inside =
        conditions.length > 0
          ? emitter.bind(
              'valid',
              conditions.reduce((x, y) => K.binary('and', x, y)),
            )
          : undefined;
      const moved = E.mapExpr(this.#factor, { axis: a => positions.get(a) });
      const read = (): KExpr => emitter.bind('read', guardedExpr(emitter, moved, inside));
      if (!this.#order.fours) return this.#put(read(), sideAt, depthAt);
      let value: KExpr | undefined;
      emitter.withLanes(this.#lane, 4, () => {
        value = K.splat(read(), 4);
      });
      return this.#put(value!, sideAt, depthAt);
    });
    return offset => {
      for (const put of puts) put(offset);
    };
  }

  #put(value: KExpr, sideAt: KExpr, depthAt: KExpr): (offset: KExpr) => void {
    const { array, pitch } = this.#place;
    const store = (index: KExpr, what: KExpr): void =>
      this.#emitter.push({ kind: 'store-shared', array, index, value: what });
    return offset => {
      const index = K.sum([K.scale(depthAt, pitch), sideAt, offset]);
      if (!this.#order.fours || !this.#order.alongDepth) return store(index, value);
      const first = this.#emitter.bind('place', index);
      for (let l = 0; l < 4; l++) store(K.sum([first, K.int(l * pitch)]), K.lane(value, l));
    };
  }
}

/** Makes a flat axis mean `at`, and says where its axes are then. */
export function placeOf(emitter: Emitter, all: Flat, at: KExpr): Map<Axis, Index> {
  const axis: Axis = { name: 'flat', extent: all.total };
  emitter.setAxis(axis, at);
  const positions = A.unflatten(
    A.index(axis),
    all.axes.map(a => a.extent),
  );
  return new Map(all.axes.map((a, i) => [a, positions[i]!]));
}

/** The comparison that keeps a position inside, unless blocks divide the extent. */
export function bound(emitter: Emitter, total: Dim, block: number, at: KExpr): KExpr[] {
  return D.divideExact(total, D.constant(block)) ? [] : [K.binary('lt', at, emitter.dim(total))];
}

/** The expression where `inside` holds, else 0; nothing is read outside. */
function guardedExpr(emitter: Emitter, e: Expr, inside: KExpr | undefined): KExpr {
  if (!inside) return emitter.expr(e);
  const alreadyZero = e.kind === 'load' && (e.fill ?? 0) === 0;
  if (alreadyZero) return emitter.guarded(inside, () => emitter.expr(e));
  return K.select(
    inside,
    emitter.guarded(inside, () => emitter.expr(e)),
    K.constant(0, e.dtype),
  );
}
