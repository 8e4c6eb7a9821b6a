import * as A from '../../../ir/affine.ts';
import type { Axis, Comparison, Compute, Index } from '../../../ir/compute.ts';
import type { Dim } from '../../../ir/dim.ts';
import * as D from '../../../ir/dim.ts';
import * as E from '../../../ir/expr.ts';
import { type KExpr, lanesOf } from '../../../ir/kernel.ts';
import { neverHolds } from '../../../ir/predicate.ts';
import type { Work } from '../../../ir/program.ts';
import { blockedLoops } from '../blocked.ts';
import { conditionsOf } from '../conditions.ts';
import type { Emitter } from '../emitter.ts';
import { place, type Tiled, tileAxis } from '../grid.ts';
import * as K from '../kexpr.ts';
import { accumulatorKey, elements, isFloatSum, merge, type Part, parts, storeAll } from '../tile.ts';
import { boundLoops, endsOf } from './bounds.ts';
import { overGroups } from './groups.ts';

/** Lanes of a vector. */
export const width = 4;

/** How a reduction is cut for a CPU. */
export interface LaneChoice {
  /** The axis that runs over lanes, of the outputs or of the reduction; absent: scalars. */
  readonly lane?: Axis;
  /** Vectors of a tile along it, if it is one of the outputs'. */
  readonly vectors: number;
  /** Outputs of a tile along the other axes; 1 where absent. */
  readonly tile: ReadonlyMap<Axis, number>;
  /** The axes of the outputs, from the outermost loop inwards. */
  readonly order: readonly Axis[];
  /** Tiles of the innermost loop that are gone through for all others before the next ones are. */
  readonly block?: number;
  /** Estimated nanoseconds of one tile. */
  readonly tileTime: number;
}

/**
 * Register tiles of vectors:
 *
 *     for each tile of the outputs (some of these loops are shared among threads)
 *       acc[rows][vectors] = zero
 *       for each point of the reduction that is inside          (guards are ends of loops)
 *         acc[r][v] = merge(acc[r][v], lift)                    (a row's scalar times a vector)
 *       out = value(acc)
 *
 * Where the lanes run along the reduction, each holds a part of it, and they are merged at the end.
 */
export function emitLaneTiles(emitter: Emitter, work: Work, compute: Compute, choice: LaneChoice): Dim {
  const { lane, vectors } = choice;
  const isOuter = lane !== undefined && compute.axes.includes(lane);
  const tiles = new Map<Axis, Tiled>();
  for (const axis of compute.axes)
    tiles.set(
      axis,
      axis === lane ? laneTile(axis, width * vectors) : tileAxis(axis, choice.tile.get(axis) ?? 1),
    );
  const inOrder = choice.order.map(a => tiles.get(a)!);
  const { loops, placed } = inBlocks(inOrder, choice.block);
  return overGroups(emitter, loops, choice.tileTime, () => {
    placed(emitter);
    const tile = isOuter ? tiles.get(lane)! : undefined;
    const rest = tile && tailOf(tile);
    const whole = (): void => new ReduceTile(emitter, work, compute, choice, tiles).emit();
    if (!tile || !rest) return whole();
    const base = emitter.index(tile.base);
    const extent = emitter.dim(tile.axis.extent);
    const isWhole = emitter.bind('whole', K.binary('le', K.sum([base, K.int(tile.size)]), extent));
    emitter.push({ kind: 'if', condition: isWhole, then: emitter.block(whole) });
    const tail = emitter.block(() => {
      const name = emitter.name(tile.axis.name);
      const single: Tiled = { axis: tile.axis, size: 1, counter: rest, base: A.index(rest) };
      emitter.setAxis(rest, K.ref(name));
      const { lane: _, ...scalar } = choice;
      const body = emitter.block(
        () => new ReduceTile(emitter, work, compute, scalar, new Map([...tiles, [tile.axis, single]])).emit(),
        name,
      );
      emitter.push({ kind: 'for', name, from: base, to: extent, step: 1, body });
    });
    emitter.push({ kind: 'if', condition: K.unary('not', isWhole), then: tail });
  });
}

/**
 * The innermost loop in blocks, of which the outer loop runs first of all, so that what the inner one reads stays in the
 * second cache while the loops in between go on. Blocks are of equal length: the last ones may come to the last tile again.
 */
function inBlocks(
  inOrder: readonly Tiled[],
  block: number | undefined,
): { readonly loops: readonly Tiled[]; readonly placed: (emitter: Emitter) => void } {
  const inner = inOrder.at(-1);
  const count = inner && D.constantValue(inner.counter.extent);
  if (!block || !count || block >= count) return { loops: inOrder, placed: () => {} };
  const pieces = Math.ceil(count / block);
  const length = Math.ceil(count / pieces);
  const loop = (name: string, extent: number): Tiled => {
    const axis: Axis = { name, extent: D.constant(extent) };
    return { axis, size: 1, counter: axis, base: A.index(axis) };
  };
  const outer = loop(`${inner.axis.name}_block`, pieces);
  const within = loop(inner.axis.name, length);
  return {
    loops: [outer, ...inOrder.slice(0, -1), within],
    placed: emitter => {
      const whole = A.add(A.mul(outer.axis, length), within.axis);
      const at = pieces * length > count ? A.min(whole, A.index(count - 1)) : whole;
      place(emitter, inner, emitter.bind(inner.axis.name, emitter.index(at)));
    },
  };
}

/** A tile along the lane axis: of a free extent, the last one may be cut off. */
function laneTile(axis: Axis, size: number): Tiled {
  if (D.constantValue(axis.extent) !== undefined) return tileAxis(axis, size);
  const tiles = D.floorDiv(D.add(axis.extent, D.constant(size - 1)), D.constant(size));
  const counter: Axis = { name: `${axis.name}_tile`, extent: tiles };
  return { axis, size, counter, base: A.mul(counter, size) };
}

/** The axis of what is left over, where the extent is not known to be whole tiles. */
function tailOf({ axis, size }: Tiled): Axis | undefined {
  if (D.constantValue(axis.extent) !== undefined) return undefined;
  if (D.divideExact(axis.extent, D.constant(size))) return undefined;
  return { name: axis.name, extent: axis.extent };
}

/** One accumulator: a component at one element of the tile. */
interface Point {
  readonly part: Part;
  readonly at: readonly number[];
  readonly variables: readonly Extract<KExpr, { kind: 'ref' }>[];
}

class ReduceTile {
  readonly #emitter: Emitter;
  readonly #work: Work;
  readonly #compute: Compute;
  readonly #choice: LaneChoice;
  readonly #tiles: readonly Tiled[];
  /** Runs over the lanes of a vector. */
  readonly #lanes: Axis = { name: 'lane', extent: D.constant(width) };
  readonly #accumulators = new Map<string, KExpr>();

  constructor(
    emitter: Emitter,
    work: Work,
    compute: Compute,
    choice: LaneChoice,
    tiles: ReadonlyMap<Axis, Tiled>,
  ) {
    this.#emitter = emitter;
    this.#work = work;
    this.#compute = compute;
    this.#choice = choice;
    this.#tiles = compute.axes.map(a => tiles.get(a)!);
  }

  get #isAlongOutputs(): boolean {
    const { lane } = this.#choice;
    return lane !== undefined && this.#compute.axes.includes(lane);
  }

  emit(): void {
    const lanes = (body: () => void): void =>
      this.#choice.lane ? this.#emitter.withLanes(this.#lanes, width, body) : body();
    lanes(() => this.#reduce());
    if (this.#choice.lane && !this.#isAlongOutputs) {
      this.#mergeLanes();
      this.#store();
    } else lanes(() => this.#store());
  }

  /** The tile's elements; along the lanes, one for each vector. */
  #elements(): number[][] {
    return elements(this.#tiles.map(t => (t.axis === this.#choice.lane ? t.size / width : t.size)));
  }

  #position(at: readonly number[]): Map<Axis, Index> {
    return new Map(
      this.#tiles.map(({ axis, base }, i): [Axis, Index] => [
        axis,
        axis === this.#choice.lane ? A.add(A.add(base, width * at[i]!), this.#lanes) : A.add(base, at[i]!),
      ]),
    );
  }

  #reduce(): void {
    const emitter = this.#emitter;
    const { axes } = this.#compute;
    const reduce = this.#compute.reduce!;
    const { lane } = this.#choice;
    const along = lane && !this.#isAlongOutputs ? lane : undefined;
    const loops = reduce.axes.filter(a => a !== along);
    const laneLoop: Axis | undefined = along && {
      name: along.name,
      extent: D.divideExact(along.extent, D.constant(width))!,
    };

    const single = new Set([...this.#tiles.filter(t => t.size === 1).map(t => t.axis), ...loops]);
    const fixed = this.#position(axes.map(() => 0));
    const isUniform = (c: Comparison): boolean => {
      let uniform = true;
      const note = { axis: (a: Axis): undefined => void (uniform &&= single.has(a)) };
      E.mapPredicate([c], note);
      return uniform;
    };
    const { conditions, guard, lift } = conditionsOf(reduce, isUniform);
    const bounded = boundLoops(E.mapPredicate(conditions, { axis: a => fixed.get(a) }), loops);

    const points = this.#accumulate({ ...this.#compute, reduce: { ...reduce, lift, guard } });
    const body = (current: readonly KExpr[]): void => {
      let next = 0;
      for (const { part, at, variables: all } of points) {
        const variables = isFloatSum(part.monoid) ? [current[next++] as (typeof all)[number]] : all;
        const where = this.#position(at);
        if (along) where.set(along, A.add(A.mul(laneLoop!, width), this.#lanes));
        const map = { axis: (a: Axis) => where.get(a) };
        const left = E.mapPredicate(guard, map);
        if (neverHolds(left)) continue;
        const condition = left.length > 0 ? emitter.predicate(left) : undefined;
        const lifted = part.lift.map((e, c) => {
          const value = emitter.expr(E.mapExpr(e, map));
          return condition ? K.select(condition, value, emitter.expr(part.monoid.zero[c]!)) : value;
        });
        const values = merge(emitter, part.monoid, variables, lifted);
        variables.forEach((v, c) => {
          if (values[c] !== v)
            emitter.push({ kind: 'assign', name: v.name, value: K.splat(values[c]!, lanesOf(v)) });
        });
      }
    };
    const guarded = (current: readonly KExpr[]): void => {
      const whole = (): void => body(current);
      if (bounded.inside.length === 0) whole();
      else {
        const condition = emitter.predicate(bounded.inside);
        emitter.push({ kind: 'if', condition, then: emitter.block(whole) });
      }
    };
    const totals = points.flatMap(p => (isFloatSum(p.part.monoid) ? p.variables : []));
    const counters = reduce.axes.map(a => (a === along ? laneLoop! : a));
    const nest = (): void =>
      blockedLoops(emitter, counters, 1, totals, guarded, axis => endsOf(emitter, bounded, axis));
    if (bounded.before.length === 0) nest();
    else {
      const condition = emitter.predicate(bounded.before);
      emitter.push({ kind: 'if', condition, then: emitter.block(nest) });
    }
  }

  /** One variable for each component and distinct element; what does not know the lanes is the same in all of them. */
  #accumulate(compute: Compute): Point[] {
    const emitter = this.#emitter;
    const { lane } = this.#choice;
    const points: Point[] = [];
    for (const part of parts(compute))
      for (const at of this.#elements()) {
        const key = accumulatorKey(part.first, part, compute.axes, at);
        if (this.#accumulators.has(key)) continue;
        const places = at.filter((_, i) => this.#tiles[i]!.size > 1);
        const variables = part.monoid.types.map((_, c) => {
          const zero = emitter.expr(part.monoid.zero[c]!);
          const name = [part.monoid.name, ...places].join('_');
          const variable = emitter.variable(name, lane ? K.splat(zero, width) : zero);
          this.#accumulators.set(accumulatorKey(part.first + c, part, compute.axes, at), variable);
          return variable;
        });
        points.push({ part, at, variables });
      }
    return points;
  }

  /** Each lane has a part of the reduction: (l0 + l1) + (l2 + l3). */
  #mergeLanes(): void {
    const emitter = this.#emitter;
    const { axes } = this.#compute;
    for (const part of parts(this.#compute))
      for (const at of this.#elements()) {
        const keys = part.monoid.types.map((_, c) => accumulatorKey(part.first + c, part, axes, at));
        const vectors = keys.map(k => this.#accumulators.get(k)!);
        // Several elements may have the same accumulator, which is merged once.
        if (vectors.every(v => lanesOf(v) === 1)) continue;
        const lane = (l: number): KExpr[] => vectors.map(v => emitter.bind('lane', K.lane(v, l)));
        const pair = (a: KExpr[], b: KExpr[]): KExpr[] =>
          merge(emitter, part.monoid, a, b).map(v => emitter.bind('pair', v));
        const all = pair(pair(lane(0), lane(1)), pair(lane(2), lane(3)));
        keys.forEach((k, c) => void this.#accumulators.set(k, all[c]!));
      }
  }

  #store(): void {
    const all = parts(this.#compute);
    const { axes, outs } = this.#compute;
    for (const at of this.#elements()) {
      const position = this.#position(at);
      const reduced = (component: number): KExpr => {
        const part = all.find(p => component >= p.first && component < p.first + p.monoid.types.length)!;
        return this.#accumulators.get(accumulatorKey(component, part, axes, at))!;
      };
      storeAll(this.#emitter, this.#work, outs, axes, { axis: a => position.get(a) }, reduced);
    }
  }
}
